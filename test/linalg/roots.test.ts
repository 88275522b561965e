import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { polynomialRoots } from '../../src/linalg/index.ts';
import type { Complex } from '../../src/linalg/index.ts';
import { expectClose } from '../support/close.ts';

/** The monic polynomial with these zeros. */
function expand({ re, im }: Complex): number[] {
  let p = [[1, 0]];
  for (let i = 0; i < re.length; i++) {
    const next = [...p, [0, 0]].map(([a, b]) => [a, b]);
    p.forEach(([a, b], k) => {
      next[k + 1][0] -= a * re[i] - b * im[i];
      next[k + 1][1] -= a * im[i] + b * re[i];
    });
    p = next;
  }
  p.forEach(([, imaginary]) => expect(Math.abs(imaginary)).toBeLessThan(1e-9));
  return p.map(([real]) => real);
}

const sorted = (values: Float64Array): number[] => [...values].sort((a, b) => a - b);

describe('polynomialRoots', () => {
  it('finds the zeros of small polynomials', () => {
    expect(polynomialRoots([5])).toEqual({ re: new Float64Array(0), im: new Float64Array(0) });
    expect([...polynomialRoots([2, -6]).re]).toEqual([3]);
    expectClose(sorted(polynomialRoots([1, -6, 11, -6]).re), [1, 2, 3], 1e-15);
    const { re, im } = polynomialRoots([1, 0, 1]);
    expectClose(re, [0, 0], 1e-15);
    expectClose(im, [1, -1], 1e-15);
  });

  it('drops leading zeros and keeps zeros at 0 exact', () => {
    const { re, im } = polynomialRoots([0, 0, 1, -3, 0, 0]);
    expect([...re]).toEqual([3, 0, 0]);
    expect([...im]).toEqual([0, 0, 0]);
  });

  it('finds the roots of unity, on which unshifted iterations stall', () => {
    for (const n of [2, 3, 4, 7, 8, 16, 25]) {
      const p = [1, ...new Array<number>(n - 1).fill(0), -1];
      const { re, im } = polynomialRoots(p);
      expect(re.length).toBe(n);
      const angles = Array.from(re, (x, i) => Math.atan2(im[i], x) / (2 * Math.PI)).map(
        (turn) => (((turn * n) % n) + n) % n,
      );
      expect(new Set(angles.map((k) => Math.round(k) % n)).size).toBe(n);
      for (let i = 0; i < n; i++) expect(Math.abs(Math.hypot(re[i], im[i]) - 1)).toBeLessThan(1e-14);
    }
  });

  it('finds simple zeros to the last digits, whatever their spread', () => {
    // (z − 1e-6)(z − 1)(z − 1e6)(z² + 1e8)
    const roots = { re: new Float64Array([1e-6, 1, 1e6, 0, 0]), im: new Float64Array([0, 0, 0, 1e4, -1e4]) };
    const found = polynomialRoots(expand(roots));
    const real = Array.from(found.re).filter((_, i) => found.im[i] === 0);
    for (const [i, expected] of [1e-6, 1, 1e6].entries())
      expect(real.sort((a, b) => a - b)[i] / expected - 1, `zero ${expected}`).toBeCloseTo(0, 11);
  });

  it('gives exact conjugate pairs whose product is the polynomial again', () => {
    const zero = fc.tuple(
      fc.double({ min: -1.2, max: 1.2, noNaN: true }),
      fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1, noNaN: true })),
    );
    fc.assert(
      fc.property(fc.array(zero, { minLength: 1, maxLength: 8 }), (zeros) => {
        const re = zeros.flatMap(([x, y]) => (y === 0 ? [x] : [x, x]));
        const im = zeros.flatMap(([, y]) => (y === 0 ? [0] : [y, -y]));
        const p = expand({ re: Float64Array.from(re), im: Float64Array.from(im) });
        const found = polynomialRoots(p);
        expect(found.re.length).toBe(re.length);
        for (let i = 0; i < found.re.length; i++)
          if (found.im[i] > 0) {
            expect(found.re[i + 1]).toBe(found.re[i]);
            expect(found.im[i + 1]).toBe(-found.im[i]);
          }
        expectClose(expand(found), p, 1e-12);
      }),
      { seed: 41, numRuns: 300 },
    );
  });

  it('keeps the product of a cluster: (z + 1)^m, the zeros of Butterworth low-passes', () => {
    for (const m of [2, 3, 4, 6, 8, 10]) {
      const p = expand({ re: new Float64Array(m).fill(-1), im: new Float64Array(m) });
      expectClose(expand(polynomialRoots(p)), p, 1e-13, `multiplicity ${m}`);
    }
  });

  it('refuses what has no zeros to find', () => {
    expect(() => polynomialRoots([0, 0])).toThrow(ArgumentError);
    expect(() => polynomialRoots([])).toThrow(ArgumentError);
    expect(() => polynomialRoots([1, NaN])).toThrow(/coefficient 1 is NaN/);
    expect(() => polynomialRoots([1e-310, 1, 1])).toThrow(/leading coefficient 1e-310 is too small/);
  });
});
