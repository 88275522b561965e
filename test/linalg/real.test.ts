import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { identity, matmul, norm1, solve, transpose } from '../../src/linalg/index.ts';
import { expectClose } from '../support/close.ts';

const entry = fc.double({ min: -1, max: 1, noNaN: true });

/** A matrix that no row exchange makes singular: random, with a dominant diagonal, rows rotated by one. */
const system = fc.integer({ min: 1, max: 8 }).chain((n) =>
  fc.record({
    n: fc.constant(n),
    columns: fc.integer({ min: 1, max: 3 }),
    A: fc.array(entry, { minLength: n * n, maxLength: n * n }).map((values) => {
      const A = Float64Array.from(values);
      for (let i = 0; i < n; i++) A[i * n + ((i + 1) % n)] += n + 1;
      return A;
    }),
    X: fc.array(entry, { minLength: 3 * n, maxLength: 3 * n }),
  }),
);

describe('real matrices', () => {
  it('multiplies rectangular matrices', () => {
    const A = new Float64Array([1, 2, 3, 4, 5, 6]); // 2 × 3
    const B = new Float64Array([1, 0, 2, 1, 0, 3]); // 3 × 2
    expect([...matmul(A, B, 2, 3, 2)]).toEqual([5, 11, 14, 23]);
    expect([...transpose(A, 2, 3)]).toEqual([1, 4, 2, 5, 3, 6]);
    expect(norm1(A, 2, 3)).toBe(9);
  });

  it('has a norm of NaN as soon as an entry is NaN', () => {
    expect(norm1(new Float64Array([1, NaN, 2, 3]), 2, 2)).toBeNaN();
  });

  it('finds X again from A and A X, with row exchanges', () => {
    fc.assert(
      fc.property(system, ({ n, columns, A, X }) => {
        const x = Float64Array.from(X.slice(0, n * columns));
        const before = A.slice();
        expectClose(solve(A, matmul(A, x, n, n, columns), n, columns), x, 1e-13);
        expect(A).toEqual(before);
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  it('pivots where the first entry is 0', () => {
    expect([...solve(new Float64Array([0, 1, 1, 0]), new Float64Array([3, 4]), 2, 1)]).toEqual([4, 3]);
    expect([...solve(identity(3), new Float64Array([1, 2, 3]), 3, 1)]).toEqual([1, 2, 3]);
  });

  it('refuses singular and non-finite matrices', () => {
    const b = new Float64Array([1, 1]);
    expect(() => solve(new Float64Array([1, 2, 2, 4]), b, 2, 1)).toThrow(ArgumentError);
    expect(() => solve(new Float64Array([1, 2, 2, 4]), b, 2, 1)).toThrow(/pivot 0 in column 1/);
    expect(() => solve(new Float64Array([NaN, 2, 2, 4]), b, 2, 1)).toThrow(ArgumentError);
    expect(() => solve(new Float64Array([Infinity, 2, 2, 4]), b, 2, 1)).toThrow(ArgumentError);
  });
});
