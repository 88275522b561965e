import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bilinear,
  discretizationByName,
  discretize,
  gbt,
  prewarpedStep,
} from '../../src/discretize/index.ts';
import type { Discretization, StateSpace } from '../../src/discretize/index.ts';
import { matmul } from '../../src/linalg/index.ts';
import { roots } from '../../src/filters/index.ts';
import { expectClose } from '../support/close.ts';
import { dlsim } from '../support/dlsim.ts';
import { missingShared, shared } from '../support/shared.ts';
import { response, toStateSpace, toTransferFunction } from '../support/transfer-function.ts';

/** Roots of a polynomial, highest power first, as separate parts. */
function rootsOf(polynomial: ArrayLike<number>): { re: Float64Array; im: Float64Array } {
  const found = roots(Array.from(polynomial));
  return { re: Float64Array.from(found, ({ re }) => re), im: Float64Array.from(found, ({ im }) => im) };
}

type Rows = number[][];
const flat = (rows: Rows): Float64Array => Float64Array.from(rows.flat());
const read = <T>(...path: string[]): T => JSON.parse(readFileSync(shared('vectors', ...path), 'utf8')) as T;
const systemOf = (s: { A: Rows; B: Rows; C: Rows; D: Rows }): StateSpace => ({
  n: s.A.length,
  inputs: s.B[0].length,
  outputs: s.C.length,
  A: flat(s.A),
  B: flat(s.B),
  C: flat(s.C),
  D: flat(s.D),
});

describe.skipIf(missingShared('vectors/scipy-c2d'))('scipy test_cont2discrete (needs ../shared)', () => {
  interface Case {
    method: string;
    alpha?: string;
    dt: number;
    D_in?: Rows;
    Ad: Rows;
    Bd: Rows;
    Cd: Rows;
    Dd: Rows;
  }
  interface File {
    system: { A: Rows; B: Rows; C: Rows; D: Rows };
    cases: Case[];
    tf_zoh: { num: number[]; den: number[]; dt: number; numd: number[]; dend: number[] };
    zpk_zoh: {
      z: number[];
      p_re_im: Rows;
      k: number;
      dt: number;
      zd: number[];
      pd_re_im: Rows;
      kd: number;
    };
  }
  const file = missingShared('vectors/scipy-c2d') ? undefined : read<File>('scipy-c2d', 'c2d.json');
  const named = ({ method, alpha }: Case): Discretization => {
    if (method === 'gbt') {
      const [above, below] = (alpha ?? '').split('/').map(Number);
      return gbt(above / below);
    }
    return discretizationByName(method === 'backward_diff' ? 'backward-difference' : method);
  };

  // The figures have 15 digits: 1e-14 relative is what they can say.
  it('gives all figures of all methods', () => {
    expect(file!.cases.length).toBe(8);
    for (const c of file!.cases) {
      const source = systemOf(c.D_in ? { ...file!.system, D: c.D_in } : file!.system);
      const discrete = discretize(source, c.dt, named(c));
      for (const matrix of ['A', 'B', 'C', 'D'] as const)
        expectClose(discrete[matrix], flat(c[`${matrix}d`]), 1e-12, `${c.method} ${matrix} at ${c.dt}`);
    }
  });

  it('gives the transfer function of a zero-order hold', () => {
    const { num, den, dt, numd, dend } = file!.tf_zoh;
    const discrete = toTransferFunction(discretize(toStateSpace(num, den), dt, 'zoh'));
    expectClose(discrete.num, numd, 1e-12);
    expectClose(discrete.den, dend, 1e-12);
  });

  it('gives zeros, poles and gain of a zero-order hold', () => {
    const { z, p_re_im, k, dt, zd, pd_re_im, kd } = file!.zpk_zoh;
    const num = [1, -(z[0] + z[1]), z[0] * z[1]].map((c) => c * k);
    const [[re, im]] = p_re_im;
    const system = toStateSpace(num, [1, -2 * re, re * re + im * im]);
    const discrete = toTransferFunction(discretize(system, dt, 'zoh'));
    const zeros = rootsOf(discrete.num);
    expectClose(
      zeros.re.toSorted((a, b) => b - a),
      zd,
      1e-12,
    );
    expectClose(zeros.im, [0, 0], 1e-12);
    const poles = rootsOf(discrete.den);
    expectClose(
      [poles.re[0], poles.im[0], poles.re[1], poles.im[1]],
      pd_re_im.toSorted((a, b) => b[1] - a[1]).flat(),
      1e-12,
    );
    expect(Math.abs(discrete.num[0] - kd)).toBeLessThanOrEqual(1e-12);
  });
});

describe.skipIf(missingShared('vectors/scipy-dlsim'))('scipy test_dltisys (needs ../shared)', () => {
  interface File {
    A: Rows;
    B: Rows;
    C: Rows;
    D: Rows;
    u: Rows;
    y: number[];
    x: Rows;
    dstep_n10: Rows;
    tf: { num: number[]; den: number[]; u: number[]; y: number[] };
  }
  const file = missingShared('vectors/scipy-dlsim') ? undefined : read<File>('scipy-dlsim', 'dlsim.json');

  it('runs a system: outputs and states', () => {
    const { y, x } = dlsim(systemOf(file!), flat(file!.u));
    expectClose(y, file!.y, 1e-14);
    expectClose(x, flat(file!.x), 1e-14);
  });

  it('answers a step on each input', () => {
    const system = systemOf(file!);
    file!.dstep_n10.forEach((expected, input) => {
      const u = Float64Array.from({ length: 10 * system.inputs }, (_, i) =>
        i % system.inputs === input ? 1 : 0,
      );
      expectClose(dlsim(system, u).y, expected, 1e-10, `input ${input}`);
    });
  });

  it('runs a transfer function', () => {
    const { num, den, u, y } = file!.tf;
    expectClose(dlsim(toStateSpace(num, den), u).y, y, 1e-14);
  });
});

describe.skipIf(missingShared('vectors/python-control-c2d'))(
  'python-control checks (needs ../shared)',
  () => {
    interface File {
      double_integrator: { A: Rows; B: Rows; C: Rows; D: Rows; h: number[] };
      zoh_poles_and_dcgain: { systems: { num: number[]; den: number[] }[]; dt: number[] };
      prewarp: { w: number[]; Ts: number[] };
      timeresp_siso_ss1: { A: Rows; B: Rows; C: Rows; D: Rows };
    }
    const file = missingShared('vectors/python-control-c2d')
      ? undefined
      : read<File>('python-control-c2d', 'checks.json');

    it('discretises a double integrator exactly', () => {
      const system = systemOf(file!.double_integrator);
      for (const h of file!.double_integrator.h) {
        const { A, B } = discretize(system, h, 'zoh');
        expectClose(A, [1, h, 0, 1], 1e-16, `A at ${h}`);
        expectClose(B, [(h * h) / 2, h], 1e-16, `B at ${h}`);
      }
    });

    it('keeps the gain at frequency 0 (zoh, bilinear) and maps poles to e^{p dt} (zoh)', () => {
      for (const { num, den } of file!.zoh_poles_and_dcgain.systems)
        for (const dt of file!.zoh_poles_and_dcgain.dt) {
          const system = toStateSpace(num, den);
          const gain = num.at(-1)! / den.at(-1)!;
          for (const method of ['zoh', 'bilinear'])
            expectClose(response(discretize(system, dt, method), 1, 0), [gain, 0], 1e-13, `${method} ${dt}`);
          const poles = rootsOf(den);
          const discrete = rootsOf(toTransferFunction(discretize(system, dt, 'zoh')).den);
          for (let i = 0; i < poles.re.length; i++) {
            const size = Math.exp(poles.re[i] * dt);
            const expected = [size * Math.cos(poles.im[i] * dt), size * Math.sin(poles.im[i] * dt)];
            const nearest = Math.min(
              ...Array.from(discrete.re, (re, k) =>
                Math.hypot(re - expected[0], discrete.im[k] - expected[1]),
              ),
            );
            expect(nearest / size, `pole ${i} of [${den.join(' ')}] at ${dt}`).toBeLessThanOrEqual(1e-12);
          }
        }
    });

    it('meets the continuous response at the prewarped frequency', () => {
      const { w, Ts } = file!.prewarp;
      const { systems } = file!.zoh_poles_and_dcgain;
      for (const { num, den } of systems)
        for (const omega of w)
          for (const dt of Ts) {
            const system = toStateSpace(num, den);
            const discrete = discretize(system, prewarpedStep(dt, omega), bilinear);
            expectClose(
              response(discrete, Math.cos(omega * dt), Math.sin(omega * dt)),
              response(system, 0, omega),
              1e-12,
              `ω ${omega}, dt ${dt}`,
            );
          }
    });

    it('samples the step response of a held input exactly', () => {
      // A has the eigenvalues −1 and −2: e^{At} = (2e^−t − e^−2t) I + (e^−t − e^−2t) A, and a step from 0 gives
      // y(t) = C A⁻¹ (e^{At} − I) B + D.
      const system = systemOf(file!.timeresp_siso_ss1);
      const dt = 1 / 9;
      const { y } = dlsim(discretize(system, dt, 'zoh'), new Float64Array(10).fill(1));
      const { A, B, C, D } = system;
      const determinant = A[0] * A[3] - A[1] * A[2];
      const inverse = Float64Array.from([A[3], -A[1], -A[2], A[0]], (value) => value / determinant);
      const expected = Array.from(y, (_, k) => {
        const [a, b] = [Math.exp(-k * dt), Math.exp(-2 * k * dt)];
        const grown = A.map((value, i) => (a - b) * value + (i % 3 === 0 ? 2 * a - b - 1 : 0));
        const x = matmul(inverse, matmul(grown, B, 2, 2, 1), 2, 2, 1);
        return matmul(C, x, 1, 2, 1)[0] + D[0];
      });
      expectClose(y, expected, 1e-14);
    });
  },
);

describe('prewarpedStep', () => {
  it('is the step itself at frequency 0 and refuses what lies at or above Nyquist', () => {
    expect(prewarpedStep(0.1, 0)).toBe(0.1);
    expect(() => prewarpedStep(0.1, Math.PI / 0.1)).toThrow(/below the Nyquist frequency/);
    expect(() => prewarpedStep(0.1, NaN)).toThrow(/NaN rad\/s/);
    expect(() => prewarpedStep(-1, 1)).toThrow(/dt is -1/);
  });
});
