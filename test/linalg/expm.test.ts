import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { expm, matmul } from '../../src/linalg/index.ts';
import { expectClose } from '../support/close.ts';

describe('expm', () => {
  it('is exactly I for 0, and I + A for A² = 0', () => {
    expect([...expm(new Float64Array(9), 3)]).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1]);
    for (const a of [1, 0.1, 1 / 3, 1e-300])
      expect([...expm(new Float64Array([0, a, 0, 0]), 2)]).toEqual([1, a, 0, 1]);
  });

  it('is e^a for 1 × 1, over the whole range', () => {
    for (const a of [-700, -50, -5.4, -1, -1e-9, 1e-300, 1e-9, 0.3, 1, 5.3, 5.4, 40, 700])
      expectClose(
        expm(new Float64Array([a]), 1),
        [Math.exp(a)],
        1e-13 * Math.max(1, Math.abs(a) / 10),
        `${a}`,
      );
  });

  it('is a spiral for [[σ, −ω], [ω, σ]]', () => {
    const number = fc.double({ min: -6, max: 6, noNaN: true });
    fc.assert(
      fc.property(number, number, (sigma, omega) => {
        const [cos, sin] = [Math.exp(sigma) * Math.cos(omega), Math.exp(sigma) * Math.sin(omega)];
        expectClose(expm(new Float64Array([sigma, -omega, omega, sigma]), 2), [cos, -sin, sin, cos], 2e-14);
      }),
      { seed: 21, numRuns: 200 },
    );
  });

  it('gives binomial coefficients for the Pascal generator, n = 8', () => {
    const n = 8;
    const A = new Float64Array(n * n);
    for (let i = 1; i < n; i++) A[i * n + i - 1] = i;
    const pascal = new Float64Array(n * n);
    for (let i = 0; i < n; i++)
      for (let j = 0, c = 1; j <= i; c = (c * (i - j)) / (j + 1), j++) pascal[i * n + j] = c;
    expectClose(expm(A, n), pascal, 1e-14);
  });

  it('obeys e^A e^−A = I and e^A = (e^{A/2})²', () => {
    const matrix = fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(matrix, (values) => {
        const A = Float64Array.from(values);
        const forward = expm(A, 4);
        const half = expm(
          A.map((a) => a / 2),
          4,
        );
        const back = expm(
          A.map((a) => -a),
          4,
        );
        expectClose(matmul(half, half, 4, 4, 4), forward, 1e-13);
        const I = matmul(forward, back, 4, 4, 4);
        const scale = Math.max(...forward.map(Math.abs)) * Math.max(...back.map(Math.abs));
        for (let i = 0; i < 4; i++) I[5 * i] -= 1;
        expect(Math.max(...I.map(Math.abs))).toBeLessThan(1e-14 * Math.max(1, scale));
      }),
      { seed: 22, numRuns: 100 },
    );
  });

  it('refuses non-finite matrices and results beyond float64', () => {
    for (const bad of [NaN, Infinity, -Infinity])
      expect(() => expm(new Float64Array([0, bad, 0, 0]), 2)).toThrow(ArgumentError);
    expect(() => expm(new Float64Array([1000]), 1)).toThrow(/overflows float64/);
  });
});
