import { joinConjugates } from './conjugates.ts';
import { leadingZeros, trailingZeros } from './polynomial.ts';
import { roots } from './roots.ts';
import { normalizeTf } from './transfer-function.ts';
import type { Complex, Domain, TransferFunction, ZerosPolesGain } from './types.ts';

/**
 * Zeros, poles and gain of a transfer function. Unlike scipy's tf2zpk, b and a of different lengths are read as what
 * lfilter runs, powers of z^-1: the shorter is filled at its end.
 *
 * Roots are those of a polynomial within some ulp of the given one; how far that moves the response `conditioning`
 * says. Zeros at z = ±1, which most digital filters have many of, are divided out first, so that they stay exact.
 *
 * @throws ArgumentError as {@link normalizeTf}
 * @example tfToZpk({ b: [1], a: [1, -0.5] }) // zero 0, pole 0.5, gain 1
 */
export function tfToZpk(tf: TransferFunction, domain: Domain = {}): ZerosPolesGain {
  const { b, a } = normalizeTf(tf, 'tfToZpk', domain);
  // Powers of z (or s) that both sides share cancel exactly.
  const shared = Math.min(trailingZeros(b), trailingZeros(a));
  const numerator = b.slice(leadingZeros(b), b.length - shared);
  return {
    zeros: domain.analog === true ? roots(numerator) : digitalZeros(numerator),
    poles: roots(a.slice(0, a.length - shared)),
    gain: numerator[0],
  };
}

function digitalZeros(numerator: readonly number[]): Complex[] {
  let left = numerator;
  const reals: number[] = [];
  for (const root of [1, -1] as const) {
    for (let quotient = divideOut(left, root); quotient !== undefined; quotient = divideOut(left, root)) {
      left = quotient;
      reals.push(root);
    }
  }
  return [...roots(left), ...joinConjugates({ pairs: [], reals })];
}

/**
 * p(z)/(z - root) where p(root) vanishes to the rounding of its own coefficients: half an ulp each.
 * Not for denominators, where a pole just inside the circle must not be moved onto it.
 */
function divideOut(p: readonly number[], root: 1 | -1): number[] | undefined {
  if (p.length < 2) return undefined;
  const quotient: number[] = [];
  let carry = 0;
  let size = 0;
  for (const coefficient of p) {
    carry = carry * root + coefficient;
    size += Math.abs(coefficient);
    quotient.push(carry);
  }
  return Math.abs(quotient.pop()!) <= p.length * Number.EPSILON * size ? quotient : undefined;
}
