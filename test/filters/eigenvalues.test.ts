import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { eigenvalues } from '../../src/filters/eigenvalues.ts';
import { tfToSs } from '../../src/filters/index.ts';
import { polynomialFromRoots } from '../../src/filters/polynomial.ts';
import { pair, real, rootError } from './support.ts';

describe('eigenvalues', () => {
  it('finds those of small, triangular, empty and zero matrices', () => {
    expect(eigenvalues([])).toEqual([]);
    expect(eigenvalues([[3]])).toEqual([real(3)]);
    expect(
      eigenvalues([
        [0, 1],
        [-1, 0],
      ]),
    ).toEqual(pair(0, 1));
    expect(
      eigenvalues([
        [0, 0],
        [0, 0],
      ]),
    ).toEqual([real(0), real(0)]);
    const triangle = [
      [1, 5, 7],
      [0, 2, -3],
      [0, 0, 4],
    ];
    expect(rootError(eigenvalues(triangle), [real(1), real(2), real(4)])).toBeLessThan(1e-15);
  });

  it('breaks the cycle of a permutation', () => {
    const shift = Array.from({ length: 7 }, (_, i) =>
      Array.from({ length: 7 }, (_, j) => +(j === (i + 1) % 7)),
    );
    const wanted = Array.from({ length: 7 }, (_, k) => ({
      re: Math.cos((2 * Math.PI * k) / 7),
      im: Math.sin((2 * Math.PI * k) / 7),
    }));
    expect(rootError(eigenvalues(shift), wanted)).toBeLessThan(1e-14);
  });

  it('balances a companion matrix in rad/s', () => {
    const wanted = [real(-2e-2), ...pair(-30, 500), ...pair(-2e4, 4e5), real(-6e6)];
    const { A } = tfToSs({ b: [1], a: polynomialFromRoots(wanted) }, { analog: true });
    expect(rootError(eigenvalues(A), wanted)).toBeLessThan(1e-11);
  });

  it('keeps the trace and the trace of the square', () => {
    const entry = fc.double({ min: -1, max: 1, noNaN: true });
    const square = fc
      .integer({ min: 1, max: 12 })
      .chain((n) =>
        fc.array(fc.array(entry, { minLength: n, maxLength: n }), { minLength: n, maxLength: n }),
      );
    fc.assert(
      fc.property(square, (matrix) => {
        const found = eigenvalues(matrix);
        expect(found).toHaveLength(matrix.length);
        const trace = matrix.reduce((sum, row, i) => sum + row[i], 0);
        const traceOfSquare = matrix.reduce(
          (sum, row, i) => row.reduce((s, x, j) => s + x * matrix[j][i], sum),
          0,
        );
        expect(Math.abs(found.reduce((sum, { re }) => sum + re, 0) - trace)).toBeLessThan(1e-12);
        const squares = found.reduce((sum, { re, im }) => sum + re * re - im * im, 0);
        expect(Math.abs(squares - traceOfSquare)).toBeLessThan(1e-12);
        expect(found.reduce((sum, { im }) => sum + im, 0)).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('holds huge and tiny entries, and refuses infinite ones', () => {
    expect(
      rootError(
        eigenvalues([
          [0, 1e300],
          [-1e300, 0],
        ]),
        pair(0, 1e300),
      ),
    ).toBeLessThan(1e-15);
    expect(
      rootError(
        eigenvalues([
          [2e-300, 1e-300],
          [0, 1e-300],
        ]),
        [real(2e-300), real(1e-300)],
      ),
    ).toBeLessThan(1e-15);
    expect(() => eigenvalues([[Infinity]])).toThrow(ArgumentError);
    expect(() => eigenvalues([[NaN]])).toThrow(ArgumentError);
  });
});
