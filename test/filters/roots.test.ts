import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { roots } from '../../src/filters/index.ts';
import { polynomialFromRoots } from '../../src/filters/polynomial.ts';
import { pair, real, rootError } from './support.ts';

describe('roots', () => {
  it('solves degrees 1 and 2 in closed form', () => {
    expect(roots([2, -3])).toEqual([real(1.5)]);
    // The smaller root of x² - 1e8 x + 1 by the textbook formula would be off by a quarter.
    expect(rootError(roots([1, -1e8, 1]), [real(1e8), real(1e-8)])).toBeLessThan(1e-15);
    expect(roots([1, -2, 5])).toEqual(pair(1, 2));
    expect(roots([0, 0, 1, -2])).toEqual([real(2)]);
    expect(roots([4])).toEqual([]);
  });

  it('keeps multiple roots at 0 exact', () => {
    expect(roots([1, 2, 0, 0, 0]).filter(({ re, im }) => re === 0 && im === 0)).toHaveLength(3);
  });

  it('finds roots of unity', () => {
    const wanted = Array.from({ length: 16 }, (_, k) => ({
      re: Math.cos((Math.PI * k) / 8),
      im: Math.sin((Math.PI * k) / 8),
    }));
    expect(rootError(roots([1, ...new Array<number>(15).fill(0), -1]), wanted)).toBeLessThan(1e-15);
  });

  it('finds the roots of a Wilkinson polynomial whose coefficients float64 holds exactly', () => {
    const wanted = Array.from({ length: 14 }, (_, k) => real(k + 1));
    expect(rootError(roots(polynomialFromRoots(wanted)), wanted)).toBeLessThan(1e-14);
  });

  it('finds roots of very different size, as an analog filter in rad/s has', () => {
    const wanted = [real(-1e-3), ...pair(-2, 40), ...pair(-3e4, 4e5), real(-7e7)];
    expect(rootError(roots(polynomialFromRoots(wanted)), wanted)).toBeLessThan(1e-13);
  });

  it('finds multiple roots as such where the coefficients are exact', () => {
    expect(rootError(roots([1, -2, 1.5, -0.5, 0.0625]), new Array(4).fill(real(0.5)))).toBeLessThan(1e-15);
    expect(rootError(roots([1, -6, 15, -20, 15, -6, 1]), new Array(6).fill(real(1)))).toBeLessThan(1e-15);
    // (x² + x + 0.5)³
    const cubed = [1, 3, 4.5, 4, 2.25, 0.75, 0.125];
    expect(
      rootError(roots(cubed), [...pair(-0.5, 0.5), ...pair(-0.5, 0.5), ...pair(-0.5, 0.5)]),
    ).toBeLessThan(1e-15);
  });

  it('gives roots that multiply to the polynomial, clustered or not', () => {
    const part = fc.double({ min: -1.2, max: 1.2, noNaN: true }).filter((value) => Math.abs(value) > 1e-3);
    const factor = fc.oneof(
      part.map((re) => [real(re)]),
      fc.tuple(part, part).map(([re, im]) => pair(re, im)),
    );
    const repeated = fc
      .tuple(factor, fc.integer({ min: 1, max: 3 }))
      .map(([f, times]) => Array(times).fill(f).flat());
    fc.assert(
      fc.property(fc.array(repeated, { minLength: 1, maxLength: 6 }), (factors) => {
        const wanted = polynomialFromRoots(factors.flat());
        const found = roots(wanted);
        expect(found.length).toBe(wanted.length - 1);
        const got = polynomialFromRoots(found);
        const size = polynomialFromRoots(found.map(({ re, im }) => real(-Math.hypot(re, im))));
        for (const [k, coefficient] of wanted.entries()) {
          expect(Math.abs(got[k] - coefficient) / size[k]).toBeLessThan(1e-13);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('refuses what has no roots', () => {
    expect(() => roots([0, 0])).toThrow(ArgumentError);
    expect(() => roots([])).toThrow(ArgumentError);
    expect(() => roots([1, NaN])).toThrow(/coefficient 1 is NaN/);
  });
});
