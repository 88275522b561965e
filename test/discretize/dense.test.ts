import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bilinear,
  discretizationByName,
  discretizations,
  discretize,
  foh,
  gbt,
  impulse,
  trapezoidal,
  zoh,
  zohEuler,
} from '../../src/discretize/index.ts';
import type { StateSpace } from '../../src/discretize/index.ts';
import { ArgumentError } from '../../src/errors.ts';
import { hippo } from '../../src/init/hippo.ts';
import { identity, matmul } from '../../src/linalg/index.ts';
import { expectClose } from '../support/close.ts';
import { dlsim } from '../support/dlsim.ts';

const f64 = (...values: number[]): Float64Array => Float64Array.from(values);
const entry = fc.double({ min: -2, max: 2, noNaN: true });

const systems = fc
  .record({
    n: fc.integer({ min: 1, max: 5 }),
    inputs: fc.integer({ min: 1, max: 3 }),
    outputs: fc.integer({ min: 1, max: 3 }),
    values: fc.array(entry, { minLength: 64, maxLength: 64 }),
  })
  .map(({ n, inputs, outputs, values }): StateSpace => {
    const source = values[Symbol.iterator]();
    const next = (length: number): Float64Array =>
      Float64Array.from({ length }, () => source.next().value ?? 0.5);
    return {
      n,
      inputs,
      outputs,
      A: next(n * n),
      B: next(n * inputs),
      C: next(outputs * n),
      D: next(outputs * inputs),
    };
  });

const doubleIntegrator: StateSpace = {
  n: 2,
  inputs: 1,
  outputs: 1,
  A: f64(0, 1, 0, 0),
  B: f64(0, 1),
  C: f64(1, 0),
  D: f64(0),
};

describe('zoh', () => {
  it('at dt is zoh at dt/n composed n times', () => {
    fc.assert(
      fc.property(systems, fc.integer({ min: 2, max: 6 }), (system, parts) => {
        const { n, inputs } = system;
        const whole = zoh.dense(system, 0.7);
        const part = zoh.dense(system, 0.7 / parts);
        let A = identity(n);
        let B: Float64Array = new Float64Array(n * inputs);
        for (let k = 0; k < parts; k++) {
          A = matmul(part.A, A, n, n, n);
          B = matmul(part.A, B, n, n, inputs).map((value, i) => value + part.B[i]);
        }
        expectClose(A, whole.A, 1e-13, 'A');
        expectClose(B, whole.B, 1e-13, 'B');
      }),
      { seed: 61, numRuns: 100 },
    );
  });

  it('is exact for A = 0, where A⁻¹ does not exist', () => {
    const system: StateSpace = {
      n: 2,
      inputs: 1,
      outputs: 1,
      A: f64(0, 0, 0, 0),
      B: f64(3, 0.1),
      C: f64(1, 1),
      D: f64(0),
    };
    const { A, B } = zoh.dense(system, 0.3);
    expect([...A]).toEqual([1, 0, 0, 1]);
    expect([...B]).toEqual([3 * 0.3, 0.1 * 0.3]);
  });

  it('is exact for a chain of integrators: B̄ᵢ = dt^{n−i}/(n−i)!', () => {
    const n = 5;
    const A = new Float64Array(n * n);
    for (let i = 0; i + 1 < n; i++) A[i * n + i + 1] = 1;
    const B = new Float64Array(n);
    B[n - 1] = 1;
    const system = { n, inputs: 1, outputs: 1, A, B, C: new Float64Array(n), D: f64(0) };
    const dt = 0.3;
    expectClose(zoh.dense(system, dt).B, [dt ** 5 / 120, dt ** 4 / 24, dt ** 3 / 6, dt ** 2 / 2, dt], 1e-16);
  });

  it('is not disturbed by an input matrix far larger than A', () => {
    const system: StateSpace = {
      n: 1,
      inputs: 1,
      outputs: 1,
      A: f64(-0.3),
      B: f64(1e12),
      C: f64(1),
      D: f64(0),
    };
    const { A, B } = zoh.dense(system, 1);
    expectClose(A, [Math.exp(-0.3)], 1e-15);
    expectClose(B, [(-Math.expm1(-0.3) / 0.3) * 1e12], 1e-15);
  });

  it('takes a HiPPO matrix of 64 states: e^{A dt} of a stable system does not grow', () => {
    const { A, B } = hippo('legs', 64);
    const discrete = zoh.dense(
      { n: 64, inputs: 1, outputs: 1, A, B, C: new Float64Array(64), D: f64(0) },
      0.01,
    );
    // A is lower triangular with −(i + 1) on the diagonal, and so is its exponential, with e^{−(i + 1) dt}.
    for (let i = 0; i < 64; i++) {
      expect(discrete.A[i * 65]).toBeCloseTo(Math.exp(-(i + 1) * 0.01), 13);
      for (let j = i + 1; j < 64; j++) expect(Math.abs(discrete.A[i * 64 + j])).toBeLessThan(1e-13);
    }
  });
});

describe('foh', () => {
  it('is exact for an input of straight lines: the double integrator of a ramp is t³/6', () => {
    const dt = 0.25;
    const u = Float64Array.from({ length: 30 }, (_, k) => k * dt);
    const expected = Array.from(u, (t) => t ** 3 / 6);
    expectClose(dlsim(foh.dense(doubleIntegrator, dt), u).y, expected, 1e-14);
    // The zero-order hold is late by half a step on the same input, so this test can tell them apart.
    const held = dlsim(zoh.dense(doubleIntegrator, dt), u).y;
    expect(Math.abs(held[29] - expected[29])).toBeGreaterThan(1);
  });
});

describe('trapezoidal', () => {
  it('converges with the square of the step, zoh-euler with the step', () => {
    // x′ = −x + cos t from x(0) = 0: x(t) = (cos t + sin t − e^−t)/2.
    const system: StateSpace = { n: 1, inputs: 1, outputs: 1, A: f64(-1), B: f64(1), C: f64(1), D: f64(0) };
    const end = 2;
    const exact = (Math.cos(end) + Math.sin(end) - Math.exp(-end)) / 2;
    const error = (method: typeof zoh, steps: number): number => {
      const dt = end / steps;
      const u = Float64Array.from({ length: steps + 1 }, (_, k) => Math.cos(k * dt));
      // The layers' recurrence with x[−1] = u[−1] = 0 starts half a sample early: the first input counts half.
      const { y } = dlsim(method.dense(system, dt), u);
      return Math.abs(y[steps] - (method === trapezoidal ? (dt / 2) * Math.exp(-end) : 0) - exact);
    };
    const order = (method: typeof zoh): number => Math.log2(error(method, 200) / error(method, 400));
    expect(order(trapezoidal)).toBeCloseTo(2, 1);
    expect(order(zohEuler)).toBeCloseTo(1, 1);
  });
});

describe('impulse', () => {
  it('has dt times the sampled impulse response', () => {
    const system: StateSpace = { n: 1, inputs: 1, outputs: 1, A: f64(-2), B: f64(3), C: f64(0.5), D: f64(0) };
    const dt = 0.1;
    const u = f64(1, 0, 0, 0, 0, 0);
    const expected = Array.from(u, (_, k) => dt * 1.5 * Math.exp(-2 * k * dt));
    expectClose(dlsim(impulse.dense(system, dt), u).y, expected, 1e-15);
  });

  it('refuses a feedthrough by its place', () => {
    const system = { ...doubleIntegrator, D: f64(0.5) };
    expect(() => impulse.dense(system, 0.1)).toThrow(ArgumentError);
    expect(() => impulse.dense(system, 0.1)).toThrow(/D\[0, 0\] is 0.5/);
  });
});

describe.each(discretizations.map((method) => ({ name: method.name, method })))(
  '$name, dense',
  ({ method }) => {
    it('tends to the continuous system for small steps', () => {
      fc.assert(
        fc.property(systems, (system) => {
          const dt = 1e-7;
          const source = method === impulse ? { ...system, D: system.D.map(() => 0) } : system;
          const { n } = system;
          const discrete = method.dense(source, dt);
          const slope = discrete.A.map((value, i) => (value - (i % (n + 1) === 0 ? 1 : 0)) / dt);
          for (let i = 0; i < slope.length; i++) expect(Math.abs(slope[i] - system.A[i])).toBeLessThan(2e-5);
          discrete.B.forEach((value, i) => expect(Math.abs(value / dt - system.B[i])).toBeLessThan(2e-5));
          discrete.C.forEach((value, i) => expect(Math.abs(value - system.C[i])).toBeLessThan(2e-5));
          discrete.D.forEach((value, i) => expect(Math.abs(value - source.D[i])).toBeLessThan(2e-5));
        }),
        { seed: 62, numRuns: 50 },
      );
    });

    it('stands still for dt = 0, and leaves its argument alone', () => {
      const copy = structuredClone(doubleIntegrator);
      const { A, B, C, D } = method.dense(doubleIntegrator, 0);
      expect([...A, ...B, ...C, ...D].map((value) => value + 0)).toEqual([1, 0, 0, 1, 0, 0, 1, 0, 0]);
      method.dense(doubleIntegrator, 0.1);
      expect(doubleIntegrator).toEqual(copy);
    });

    it('refuses bad steps and bad systems, naming the value', () => {
      for (const dt of [-0.01, NaN, Infinity, -Infinity]) {
        expect(() => method.dense(doubleIntegrator, dt)).toThrow(ArgumentError);
        expect(() => method.dense(doubleIntegrator, dt)).toThrow(`dt is ${dt}`);
      }
      expect(() => method.dense({ ...doubleIntegrator, A: f64(0, 1, NaN, 0) }, 0.1)).toThrow(
        /A\[1, 0\] is NaN/,
      );
      expect(() => method.dense({ ...doubleIntegrator, B: f64(0, Infinity) }, 0.1)).toThrow(
        /B\[1, 0\] is Inf/,
      );
      expect(() => method.dense({ ...doubleIntegrator, C: f64(1) }, 0.1)).toThrow(
        /C has 1 entries, but 1 × 2/,
      );
    });
  },
);

describe('by name', () => {
  it('finds every method by its own name', () => {
    for (const method of discretizations) expect(discretizationByName(method.name)).toBe(method);
    expect(discretizations.map(({ name }) => name)).toEqual([
      'zoh',
      'bilinear',
      'euler',
      'backward-difference',
      'foh',
      'impulse',
      'zoh-euler',
      'trapezoidal',
    ]);
    for (const alpha of [0, 0.3, 1 / 3, 1e-7, 1]) {
      const method = discretizationByName(gbt(alpha).name);
      expect(method.name).toBe(gbt(alpha).name);
      expect(method.diagonal.family).toEqual({ kind: 'rational', alpha });
    }
  });

  it('refuses unknown names, listing the known ones, and bad fractions', () => {
    expect(() => discretizationByName('tustin')).toThrow(ArgumentError);
    expect(() => discretizationByName('tustin')).toThrow(
      /'tustin' is unknown; use one of zoh, bilinear, .*gbt/,
    );
    for (const name of [
      '',
      'ZOH',
      'gbt',
      'gbt()',
      'gbt(x)',
      'constructor',
      'gbt(0.3',
      'gbt(1.5)',
      'gbt(-1)',
      'gbt(1e)',
    ])
      expect(() => discretizationByName(name), name).toThrow(ArgumentError);
    expect(() => gbt(NaN)).toThrow(/alpha is NaN/);
  });

  it('discretizes by object or by name alike', () => {
    expect(discretize(doubleIntegrator, 0.1, 'bilinear')).toEqual(
      discretize(doubleIntegrator, 0.1, bilinear),
    );
  });

  it('refuses an implicit step that is singular', () => {
    const growing: StateSpace = { n: 1, inputs: 1, outputs: 1, A: f64(2), B: f64(1), C: f64(1), D: f64(0) };
    expect(() => discretize(growing, 1, 'bilinear')).toThrow(/singular/);
  });
});
