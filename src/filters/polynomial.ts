import { splitConjugates } from './conjugates.ts';
import type { Complex } from './types.ts';

/** Real polynomials as arrays of coefficients in descending powers: [1, -3, 2] is x² - 3x + 2. */

/** p · q; as sequences, their convolution. */
export function multiplyPolynomials(p: readonly number[], q: readonly number[]): number[] {
  const product = new Array<number>(p.length + q.length - 1).fill(0);
  for (let i = 0; i < p.length; i++) for (let j = 0; j < q.length; j++) product[i + j] += p[i] * q[j];
  return product;
}

/**
 * The monic real polynomial with these roots. Conjugate pairs enter as real quadratics, so that no imaginary
 * rounding has to be thrown away; smaller roots first, which keeps the growth of intermediate coefficients low.
 */
export function polynomialFromRoots(roots: readonly Complex[], what = 'a list of roots'): number[] {
  const { pairs, reals } = splitConjugates(roots, what);
  const factors = [
    ...pairs.map(({ re, im }) => [1, -2 * re, re * re + im * im]),
    ...reals.map((re) => [1, -re]),
  ];
  factors.sort(
    (p, q) => Math.abs(p.at(-1)!) ** (1 / (p.length - 1)) - Math.abs(q.at(-1)!) ** (1 / (q.length - 1)),
  );
  return factors.reduce(multiplyPolynomials, [1]);
}

/** p(x) by Horner's rule. */
export function evaluatePolynomial(p: readonly number[], x: Complex): Complex {
  let re = 0;
  let im = 0;
  for (const coefficient of p) {
    const next = re * x.re - im * x.im + coefficient;
    im = re * x.im + im * x.re;
    re = next;
  }
  return { re, im };
}

/** How many zeros the array begins with. */
export function leadingZeros(p: readonly number[]): number {
  const first = p.findIndex((coefficient) => coefficient !== 0);
  return first < 0 ? p.length : first;
}

/** How many zeros the array ends with. */
export const trailingZeros = (p: readonly number[]): number => p.length - 1 - p.findLastIndex((c) => c !== 0);
