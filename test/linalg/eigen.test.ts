import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { adjoint, complexMatmul, complexZeros, eigHermitian } from '../../src/linalg/index.ts';
import type { Complex } from '../../src/linalg/index.ts';
import { expectClose } from '../support/close.ts';

/** ‖H V − V diag(λ)‖ and ‖V* V − I‖, largest entries, the first over the largest |λ|. */
function residuals(H: Complex, n: number): [equation: number, orthogonality: number] {
  const { values, vectors: V } = eigHermitian(H, n);
  const HV = complexMatmul(H, V, n, n, n);
  const VV = complexMatmul(adjoint(V, n, n), V, n, n, n);
  let [equation, orthogonality] = [0, 0];
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      const at = i * n + j;
      equation = Math.max(
        equation,
        Math.hypot(HV.re[at] - values[j] * V.re[at], HV.im[at] - values[j] * V.im[at]),
      );
      orthogonality = Math.max(orthogonality, Math.hypot(VV.re[at] - (i === j ? 1 : 0), VV.im[at]));
    }
  for (let j = 0; j < n; j++) {
    expect(V.im[j], 'first component real').toBe(0);
    expect(V.re[j], 'first component not negative').toBeGreaterThanOrEqual(0);
    if (j > 0) expect(values[j]).toBeGreaterThanOrEqual(values[j - 1]);
  }
  return [equation / (Math.max(...values.map(Math.abs)) || 1), orthogonality];
}

function hermitian(n: number, values: readonly number[]): Complex {
  const H = complexZeros(n * n);
  for (let i = 0, at = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      H.re[i * n + j] = H.re[j * n + i] = values[at++];
      if (i === j) continue;
      H.im[i * n + j] = values[at];
      H.im[j * n + i] = -values[at++];
    }
  return H;
}

describe('eigHermitian', () => {
  it('diagonalises random Hermitian matrices', () => {
    const matrix = fc
      .integer({ min: 1, max: 12 })
      .chain((n) =>
        fc.tuple(
          fc.constant(n),
          fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: n * n, maxLength: n * n }),
        ),
      );
    fc.assert(
      fc.property(matrix, ([n, values]) => {
        const [equation, orthogonality] = residuals(hermitian(n, values), n);
        expect(equation).toBeLessThan(1e-14);
        expect(orthogonality).toBeLessThan(1e-14);
      }),
      { seed: 31, numRuns: 200 },
    );
  });

  it('knows the second difference: 2 − 2 cos(kπ/(n + 1))', () => {
    const n = 40;
    const H = complexZeros(n * n);
    for (let i = 0; i < n; i++) {
      H.re[i * n + i] = 2;
      if (i > 0) H.re[i * n + i - 1] = H.re[(i - 1) * n + i] = -1;
    }
    const expected = Array.from({ length: n }, (_, k) => 2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)));
    expectClose(eigHermitian(H, n).values, expected, 1e-14);
  });

  it('splits multiple eigenvalues into orthogonal vectors', () => {
    // I + 3·(projection on (1, i, 1, −i, …)/√n): eigenvalue 1 n − 1 times, and 4.
    const n = 6;
    const H = complexZeros(n * n);
    const [re, im] = [
      [1, 0, 1, 0, 1, 0],
      [0, 1, 0, -1, 0, 1],
    ];
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) {
        H.re[i * n + j] = (3 * (re[i] * re[j] + im[i] * im[j])) / n + (i === j ? 1 : 0);
        H.im[i * n + j] = (3 * (im[i] * re[j] - re[i] * im[j])) / n;
      }
    expectClose(eigHermitian(H, n).values, [1, 1, 1, 1, 1, 4], 1e-15);
    const [equation, orthogonality] = residuals(H, n);
    expect(equation).toBeLessThan(1e-15);
    expect(orthogonality).toBeLessThan(4e-15);
  });

  it('takes a zero matrix, a diagonal one, and a zero diagonal with ± pairs', () => {
    expect([...eigHermitian(complexZeros(9), 3).values]).toEqual([0, 0, 0]);
    expect([...eigHermitian(hermitian(2, [3, 0, 0, -1]), 2).values]).toEqual([-1, 3]);
    // −i times a skew matrix of frequencies 1, 2, 5 in the planes (0, 3), (1, 4), (2, 5).
    const H = complexZeros(36);
    [1, 2, 5].forEach((w, i) => {
      H.im[(i + 3) * 6 + i] = -w;
      H.im[i * 6 + i + 3] = w;
    });
    expectClose(eigHermitian(H, 6).values, [-5, -2, -1, 1, 2, 5], 1e-15);
  });

  it('keeps its accuracy at extreme scales', () => {
    for (const scale of [1e-150, 1e150]) {
      const H = hermitian(
        3,
        [1, 2, 3, 4, 5, 6, 7, 8, 9].map((value) => value * scale),
      );
      const [equation, orthogonality] = residuals(H, 3);
      expect(equation).toBeLessThan(1e-14);
      expect(orthogonality).toBeLessThan(1e-14);
    }
  });

  it('refuses NaN by place', () => {
    expect(() => eigHermitian(hermitian(2, [1, NaN, 0, 1]), 2)).toThrow(ArgumentError);
    expect(() => eigHermitian(hermitian(2, [1, NaN, 0, 1]), 2)).toThrow(/entry \(1, 0\)/);
  });
});
