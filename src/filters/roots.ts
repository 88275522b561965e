/**
 * The roots of a real polynomial, all at once, by the method of Ehrlich (1967) and Aberth (Math. Comp. 27, 1973).
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | p | coefficients, descending | (n + 1) |
 * | z | approximations | (n) |
 * | N | Newton's correction p(z)/p'(z) | (n) |
 *
 * z_i ← z_i - N_i / (1 - N_i Σ_{j≠i} 1/(z_i - z_j)). First guesses lie on circles whose radii come from the upper
 * hull of (k, log|p_k|) (Bini, Numerical Algorithms 13, 1996, §2), so that roots of very different size, as analog
 * filters in rad/s have, are found without scaling by hand. Outside the unit circle the reversed polynomial is
 * evaluated, so that nothing overflows.
 *
 * p and p' are evaluated in double-double. In float64 each root would stop somewhere within its own uncertainty
 * (1e-10 and more for a bandpass), and the product of roots that each err on their own is not the polynomial any
 * more; the factors of a filter have to multiply to the filter.
 *
 * Error: an ulp or two of the roots of exactly these coefficients, for simple roots apart by more than about 1e-12;
 * multiple roots are found as such where the coefficients allow it. The product of all is the polynomial to some ulp.
 * Roots at 0 are exact.
 */
import { ArgumentError } from '../errors.ts';
import { conjugate, distance, magnitude, ZERO } from './complex.ts';
import { logarithmicDerivative } from './polynomial-value.ts';
import { leadingZeros, trailingZeros } from './polynomial.ts';
import { multiplyingOut } from './root-clusters.ts';
import type { Complex } from './types.ts';

const MAX_ITERATIONS = 500;

/**
 * All roots of Σ p[k] x^(n-k), with multiplicity; complex ones as exact conjugate pairs.
 *
 * @param coefficients descending powers; zeros at the front lower the degree
 * @throws ArgumentError for a zero polynomial or a coefficient that is not finite
 * @example roots([1, -3, 2, 0]) // 2, 1, and 0 exactly
 */
export function roots(coefficients: readonly number[]): Complex[] {
  const bad = coefficients.findIndex((coefficient) => !Number.isFinite(coefficient));
  if (bad >= 0) {
    throw new ArgumentError(
      `roots: coefficient ${bad} is ${coefficients[bad]}: every coefficient must be finite`,
    );
  }
  const start = leadingZeros(coefficients);
  if (start === coefficients.length) {
    throw new ArgumentError(
      'roots: all coefficients are 0: every number is a root; give at least one that is not 0',
    );
  }
  const end = coefficients.length - trailingZeros(coefficients);
  const atZero = Array.from({ length: coefficients.length - end }, () => ZERO);
  // Scaled by a power of two: exact, and no product of coefficients overflows.
  const peak = Math.max(...coefficients.map(Math.abs));
  const unit = 2 ** -Math.floor(Math.log2(peak));
  const p = coefficients.slice(start, end).map((coefficient) => coefficient * unit);
  return [...nonzeroRoots(p), ...atZero];
}

function nonzeroRoots(p: readonly number[]): Complex[] {
  if (p.length === 1) return [];
  if (p.length === 2) return [{ re: -p[1] / p[0], im: 0 }];
  if (p.length === 3) return quadraticRoots(p[0], p[1], p[2]);
  return multiplyingOut(p, symmetrize(aberth(p)));
}

/** Roots of a x² + b x + c, without cancellation. */
function quadraticRoots(a: number, b: number, c: number): Complex[] {
  const half = -b / (2 * a);
  const quotient = c / a;
  const discriminant = half * half - quotient;
  if (discriminant < 0) {
    const im = Math.sqrt(-discriminant);
    return [
      { re: half, im },
      { re: half, im: -im },
    ];
  }
  const larger = half + (half < 0 ? -1 : 1) * Math.sqrt(discriminant);
  return [
    { re: larger, im: 0 },
    { re: quotient / larger, im: 0 },
  ];
}

function aberth(p: readonly number[]): Complex[] {
  const n = p.length - 1;
  const z = initialGuesses(p);
  const reversed = p.toReversed();
  const settled = new Array<boolean>(n).fill(false);
  for (let iteration = 0; iteration < MAX_ITERATIONS && settled.includes(false); iteration++) {
    for (let i = 0; i < n; i++) {
      if (settled[i]) continue;
      const zi = z[i];
      const { re: lr, im: li, atNoise } = logarithmicDerivative(p, reversed, zi);
      // 1/N - Σ 1/(z_i - z_j): its inverse is Aberth's correction.
      let re = lr;
      let im = li;
      for (let j = 0; j < n; j++) {
        if (j === i) continue;
        const dr = zi.re - z[j].re;
        const di = zi.im - z[j].im;
        const square = dr * dr + di * di;
        // Two approximations at one point repel each other along no direction: leave that term out.
        if (square === 0) continue;
        re -= dr / square;
        im += di / square;
      }
      const square = re * re + im * im;
      if (atNoise || !Number.isFinite(square) || square === 0) {
        settled[i] = true;
        continue;
      }
      const step = { re: re / square, im: -im / square };
      z[i] = { re: zi.re - step.re, im: zi.im - step.im };
      settled[i] = magnitude(step) <= Number.EPSILON * magnitude(z[i]);
    }
  }
  return z;
}

/** Points on one circle for each edge of the hull of (k, log|coefficient of x^k|), turned so as not to be symmetric. */
function initialGuesses(p: readonly number[]): Complex[] {
  const n = p.length - 1;
  const height = (k: number) => Math.log(Math.abs(p[n - k]));
  const hull: number[] = [];
  for (let k = 0; k <= n; k++) {
    if (p[n - k] === 0) continue;
    while (hull.length >= 2) {
      const [a, b] = [hull.at(-2)!, hull.at(-1)!];
      if ((height(b) - height(a)) * (k - a) > (height(k) - height(a)) * (b - a)) break;
      hull.pop();
    }
    hull.push(k);
  }
  const guesses: Complex[] = [];
  for (let edge = 1; edge < hull.length; edge++) {
    const [from, to] = [hull[edge - 1], hull[edge]];
    const count = to - from;
    const radius = Math.exp((height(from) - height(to)) / count);
    for (let i = 0; i < count; i++) {
      const angle = (2 * Math.PI * i) / count + (2 * Math.PI * edge) / n + 0.7;
      guesses.push({ re: radius * Math.cos(angle), im: radius * Math.sin(angle) });
    }
  }
  return guesses;
}

/** The polynomial is real: each root is nearer to being real, or to the conjugate of another; make it exactly so. */
function symmetrize(z: readonly Complex[]): Complex[] {
  const left = z.toSorted((x, y) => Math.abs(y.im) - Math.abs(x.im));
  const result: Complex[] = [];
  while (left.length > 0) {
    const root = left.shift()!;
    const mirror = conjugate(root);
    let nearest = -1;
    for (const [i, other] of left.entries()) {
      if (nearest < 0 || distance(other, mirror) < distance(left[nearest], mirror)) nearest = i;
    }
    if (root.im === 0 || nearest < 0 || distance(left[nearest], mirror) > 2 * Math.abs(root.im)) {
      result.push({ re: root.re, im: 0 });
      continue;
    }
    const partner = left.splice(nearest, 1)[0];
    const re = (root.re + partner.re) / 2;
    const im = Math.abs(root.im - partner.im) / 2;
    result.push({ re, im }, { re, im: -im });
  }
  return result;
}
