import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  backwardDifference,
  bilinear,
  discretizations,
  euler,
  foh,
  gbt,
  impulse,
  zoh,
  zohEuler,
} from '../../src/discretize/index.ts';
import type { Discretization, StateSpace } from '../../src/discretize/index.ts';
import { expectClose } from '../support/close.ts';
import { dlsim } from '../support/dlsim.ts';
import { exactPhi, exactPhiPrime } from '../support/exact-phi.ts';

const all = [...discretizations, gbt(0.3), gbt(1 / 3)];
const evaluate = (method: Discretization, re: number, im: number): Float64Array => {
  const out = new Float64Array(12).fill(NaN);
  method.diagonal.evaluate(re, im, out);
  return out;
};

/** Steps without the subnormal ones, of which no product keeps its digits. */
const step = (max: number): fc.Arbitrary<number> =>
  fc.double({ min: 0, max, noNaN: true }).map((dt) => (dt < 1e-290 ? 0 : dt));

/** |actual − expected| over |expected|, of a complex number. */
const relative = (re: number, im: number, [expectedRe, expectedIm]: [number, number]): number =>
  Math.hypot(re - expectedRe, im - expectedIm) / Math.hypot(expectedRe, expectedIm);

/** Points in the left half-plane and a little beyond, |z| from 1e-300 to 60. */
const points: [number, number][] = [];
for (const size of [
  1e-300, 1e-100, 1e-20, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3, 0.1, 0.5, 0.9999, 1.0001, 2, 5, 20, 60,
])
  for (const angle of [0.5, 0.55, 0.7, 0.9, 1, 1.2, 1.45, 0, 0.25])
    if (size < 6 || angle >= 0.5)
      points.push([size * Math.cos(angle * Math.PI), size * Math.sin(angle * Math.PI)]);

describe.each(all.map((method) => ({ name: method.name, method })))('$name, one mode', ({ method }) => {
  it('writes 8 finite numbers, 12 with a previous input, and nothing behind them', () => {
    const used = method.diagonal.usesPreviousInput ? 12 : 8;
    const out = evaluate(method, -0.2, 0.7);
    out.forEach((value, i) => expect(Number.isFinite(value), `entry ${i}`).toBe(i < used));
    expect(method.diagonal.name).toBe(method.name);
  });

  it('integrates: at z = 0, f = 1 and the input weights sum to 1, exactly', () => {
    const out = evaluate(method, 0, 0);
    expect(Array.from(out.slice(0, 2))).toEqual([1, 0]);
    const previous = method.diagonal.usesPreviousInput ? out[8] : 0;
    expect(out[4] + previous).toBe(1);
    expect(Math.abs(out[5])).toBe(0);
  });

  it('has the derivatives that differences show, in both directions of the plane', () => {
    const h = 1e-3;
    for (const [re, im] of points) {
      if (re > 0.3) continue; // gbt's pole lies on the positive axis
      const out = evaluate(method, re, im);
      const pairs = method.diagonal.usesPreviousInput ? [0, 4, 8] : [0, 4];
      for (const [dRe, dIm] of [
        [h, 0],
        [0, h],
      ])
        for (const at of pairs) {
          // Fourth-order central difference (8(f₁ − f₋₁) − (f₂ − f₋₂)) / 12 along (dRe, dIm), over that direction.
          const [p2, p1, m1, m2] = [2, 1, -1, -2].map((k) => evaluate(method, re + k * dRe, im + k * dIm));
          const diff = [0, 1].map(
            (part) => (8 * (p1[at + part] - m1[at + part]) - (p2[at + part] - m2[at + part])) / (12 * h),
          );
          const [gotRe, gotIm] = dRe > 0 ? diff : [diff[1], -diff[0]];
          const error = Math.hypot(gotRe - out[at + 2], gotIm - out[at + 3]);
          expect(error, `entry ${at} at ${re} + ${im}i`).toBeLessThan(2e-11);
        }
    }
  });

  it('agrees with the dense form on a mode, as numbers and as a 2 × 2 rotation', () => {
    const parts = fc.tuple(
      fc.double({ min: -3, max: 0.2, noNaN: true }),
      fc.double({ min: -4, max: 4, noNaN: true }),
      step(1.5),
    );
    fc.assert(
      fc.property(parts, ([sigma, omega, dt]) => {
        const u = [1, -0.5, 0, 2, 0.25, -3];
        // x′ = (σ + iω) x + (0.8 − 0.3i) u, y = Re x, as two real states.
        const system: StateSpace = {
          n: 2,
          inputs: 1,
          outputs: 1,
          A: new Float64Array([sigma, -omega, omega, sigma]),
          B: new Float64Array([0.8, -0.3]),
          C: new Float64Array([1, 0]),
          D: new Float64Array([0]),
        };
        const discrete = method.dense(system, dt);
        const [fRe, fIm, , , gRe, gIm, , , hRe, hIm] = evaluate(method, sigma * dt, omega * dt);
        expectClose(discrete.A, [fRe, -fIm, fIm, fRe], 1e-13, 'A');
        // Between frames the dense form carries x[k] without u[k]: with a previous input both weights fold into one.
        const [wRe, wIm] = method.diagonal.usesPreviousInput
          ? [fRe * gRe - fIm * gIm + hRe, fRe * gIm + fIm * gRe + hIm]
          : [gRe, gIm];
        const expected = [(wRe * 0.8 + wIm * 0.3) * dt, (wIm * 0.8 - wRe * 0.3) * dt];
        expectClose(discrete.B, expected, 1e-13, 'B');
        if (!method.diagonal.usesPreviousInput) return;
        // With a previous input the two conventions give the same output, not only the same matrices.
        let [x, y, last] = [0, 0, 0];
        const outputs = u.map((now) => {
          const [a, b] = [gRe * now + hRe * last, gIm * now + hIm * last];
          [x, y] = [
            fRe * x - fIm * y + dt * (0.8 * a + 0.3 * b),
            fIm * x + fRe * y + dt * (0.8 * b - 0.3 * a),
          ];
          last = now;
          return x;
        });
        expectClose(dlsim(discrete, u).y, outputs, 1e-12, 'output');
      }),
      { seed: 51, numRuns: 150 },
    );
  });

  it('agrees with the dense form on a real 1 × 1 system', () => {
    fc.assert(
      fc.property(fc.double({ min: -8, max: 0.9, noNaN: true }), step(1), (a, dt) => {
        const one = (value: number): Float64Array => new Float64Array([value]);
        const system = { n: 1, inputs: 1, outputs: 1, A: one(a), B: one(1.7), C: one(1), D: one(0) };
        const { A, B } = method.dense(system, dt);
        const out = evaluate(method, a * dt, 0);
        expectClose(A, [out[0]], 2e-14, 'A');
        const weight = method.diagonal.usesPreviousInput ? out[0] * out[4] + out[8] : out[4];
        expectClose(B, [weight * 1.7 * dt], 2e-14, 'B');
      }),
      { seed: 52, numRuns: 200 },
    );
  });
});

describe('exponential methods against 600-bit series', () => {
  // |z|·ε is what the rounding of z itself costs e^z; the rest is a few roundings.
  const limit = (re: number, im: number): number => 3e-15 * (1 + Math.hypot(re, im) / 10);

  it.each(points)('at z = %d + %di', (re, im) => {
    const z = evaluate(zoh, re, im);
    expect(relative(z[0], z[1], exactPhi(0, re, im)), 'e^z').toBeLessThan(limit(re, im));
    expect(relative(z[4], z[5], exactPhi(1, re, im)), 'φ₁').toBeLessThan(limit(re, im));
    expect(relative(z[6], z[7], exactPhiPrime(1, re, im)), 'φ₁′').toBeLessThan(limit(re, im));
    const f = evaluate(foh, re, im);
    expect(relative(f[4], f[5], exactPhi(2, re, im)), 'φ₂').toBeLessThan(limit(re, im));
    expect(relative(f[6], f[7], exactPhiPrime(2, re, im)), 'φ₂′').toBeLessThan(limit(re, im));
    // The two weights of foh sum to that of zoh, and so do their derivatives.
    const scale = Math.hypot(z[4], z[5]);
    expect(Math.hypot(f[4] + f[8] - z[4], f[5] + f[9] - z[5])).toBeLessThan(1e-15 * scale + 1e-300);
    expect(Math.hypot(f[6] + f[10] - z[6], f[7] + f[11] - z[7])).toBeLessThan(1e-15);
  });

  it('is exact at z = 0: φ₁ = 1, φ₁′ = φ₂ = ½, φ₂′ = ⅙', () => {
    expect(Array.from(evaluate(zoh, 0, 0).slice(0, 8), Math.abs)).toEqual([1, 0, 1, 0, 1, 0, 0.5, 0]);
    const f = evaluate(foh, 0, 0);
    expect(f[4]).toBe(0.5);
    expect(f[6]).toBeCloseTo(1 / 6, 16);
    expect(f[8]).toBe(0.5);
  });

  it('passes |z| = 1, where the formula changes, without a step', () => {
    for (let angle = 0; angle < 2 * Math.PI; angle += 0.1) {
      const [re, im] = [Math.cos(angle), Math.sin(angle)];
      const inside = evaluate(foh, re * (1 - 1e-15), im * (1 - 1e-15));
      const outside = evaluate(foh, re * (1 + 1e-15), im * (1 + 1e-15));
      expectClose(inside, outside, 4e-15, `angle ${angle}`);
    }
  });

  it('keeps the slow modes that float32 loses: a time constant of 700 s at 48 kHz', () => {
    const z = -1 / (48_000 * 700);
    const [f, , , , g] = evaluate(zoh, z, 0);
    expect(f).toBeLessThan(1);
    // With input 1 for ever the state tends to dt·g/(1 − f) = 1/|a|.
    expect((g * -z) / (1 - f)).toBeCloseTo(1, 8);
  });
});

describe('rational methods', () => {
  it('are the rational functions they are named for', () => {
    const [re, im] = [-0.6, 0.8];
    // 1 − z/2 = 1.3 − 0.4i, |·|² = 1.85
    const b = evaluate(bilinear, re, im);
    expectClose(b.slice(4, 6), [1.3 / 1.85, 0.4 / 1.85], 1e-15);
    expectClose(b.slice(0, 2), [(0.7 * 1.3 - 0.16) / 1.85, (0.28 + 0.52) / 1.85], 1e-15);
    expect(Array.from(evaluate(euler, re, im).slice(0, 8))).toEqual([0.4, 0.8, 1, 0, 1, 0, 0, 0]);
    // 1 − z = 1.6 − 0.8i, |·|² = 3.2
    expectClose(evaluate(backwardDifference, re, im).slice(0, 2), [0.5, 0.25], 1e-15);
    expectClose(evaluate(gbt(0.5), re, im).slice(0, 8), b.slice(0, 8), 0);
  });

  it('keep a stable mode stable at any step from α = ½ on', () => {
    for (const method of [bilinear, gbt(0.7), backwardDifference])
      for (const size of [1e-6, 1, 1e3, 1e9])
        for (const angle of [0.5, 0.6, 0.8, 1]) {
          const out = evaluate(method, size * Math.cos(angle * Math.PI), size * Math.sin(angle * Math.PI));
          expect(Math.hypot(out[0], out[1])).toBeLessThanOrEqual(1 + 1e-15);
        }
  });

  it('say how a backend computes them', () => {
    expect(gbt(0.3).diagonal.family).toEqual({ kind: 'rational', alpha: 0.3 });
    expect(bilinear.diagonal.family).toEqual({ kind: 'rational', alpha: 0.5 });
    expect(zoh.diagonal.family).toEqual({ kind: 'exponential', input: 'phi1' });
    expect(zohEuler.diagonal.family).toEqual({ kind: 'exponential', input: 'one' });
    expect(impulse.diagonal.family).toEqual({ kind: 'exponential', input: 'exp' });
  });
});
