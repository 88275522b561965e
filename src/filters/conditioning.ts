/**
 * How much of a filter survives when its b and a are stored in a given precision.
 *
 * | symbol | name | |
 * | --- | --- | --- |
 * | u | unit roundoff | 2^-24 (float32), 2^-53 (float64) |
 * | r | re-expansion residual | max |Π(z - root) - a| / Σ|a| |
 * | κ | amplification | of a relative error of every coefficient to the output |
 *
 * Rounding each coefficient by u moves the response by at most, to first order,
 * |δH(ω)| ≤ u (Σ|b_k| + |H(ω)| Σ|a_k|) / |A(ω)|, so
 *
 *   κ = max_ω [(Σ|b_k| + |H(ω)| Σ|a_k|) / |A(ω)|] / max_ω |H(ω)|,    expected error = max(u, r) κ,
 *
 * relative to the response's peak. Clustered poles near the circle make A(ω) tiny beside Σ|a_k|: κ grows as the
 * product of their distances shrinks, which is why high orders are lost. r is what the root finder adds.
 * The maximum is taken over a uniform grid and round each pole's own frequency, on a circle 1e-6 outside the unit
 * circle: a pole on the circle itself is thus judged over its first million frames, not as infinitely bad.
 */
import { divide, magnitude } from './complex.ts';
import { evaluatePolynomial, polynomialFromRoots } from './polynomial.ts';
import { roots } from './roots.ts';
import { normalizeTf } from './transfer-function.ts';
import type { Complex, TransferFunction } from './types.ts';

export type Precision = 'float32' | 'float64';

export interface Conditioning {
  /** κ: relative error of the output for a relative error 1 of every coefficient */
  amplification: number;
  /** r: how far the polynomial of the roots found is from a */
  residual: number;
  /** max(u, r) · κ, relative to the response's peak; a bound to first order, typically some times the real error */
  expectedError: number;
  /** what was allowed */
  tolerance: number;
  /** whether the filter may be run from b and a, or factored from them: order at most 2, or error within tolerance */
  trustworthy: boolean;
}

const roundoff: Record<Precision, number> = { float32: 2 ** -24, float64: 2 ** -53 };

/** float32: what sections stored in float32 reach. float64: a hundredth of a 16-bit step. */
const tolerances: Record<Precision, number> = { float32: 2e-5, float64: 1e-6 };

const GRID = 512;
const RADIUS = 1 + 1e-6;

/**
 * Judges whether b and a (digital, powers of z^-1) still say which filter they are in this precision. Orders up to 2
 * are always trustworthy: they are a section already, and nothing keeps their coefficients better.
 *
 * @param precision in which b and a are, or will be, stored
 * @param tolerance allowed error relative to the response's peak. Default: 2e-5 in float32, 1e-6 in float64
 * @throws ArgumentError for degenerate b or a
 * @example if (!conditioning({ b, a }, 'float32').trustworthy) throw new ParameterError('… give sections instead');
 */
export function conditioning(
  tf: TransferFunction,
  precision: Precision = 'float64',
  tolerance: number = tolerances[precision],
): Conditioning {
  const { b, a } = normalizeTf(tf, 'conditioning');
  const poles = roots(a);
  const sum = (p: readonly number[]) => p.reduce((total, value) => total + Math.abs(value), 0);
  const [sumB, sumA] = [sum(b), sum(a)];
  let worst = 0;
  let peak = 0;
  for (const angle of anglesFor(poles)) {
    const z = { re: RADIUS * Math.cos(angle), im: RADIUS * Math.sin(angle) };
    const denominator = evaluatePolynomial(a, z);
    const response = magnitude(divide(evaluatePolynomial(b, z), denominator));
    peak = Math.max(peak, response);
    worst = Math.max(worst, (sumB + response * sumA) / magnitude(denominator));
  }
  const expanded = polynomialFromRoots(poles);
  const residual = Math.max(...expanded.map((value, k) => Math.abs(value - a[k]))) / sumA;
  const amplification = worst / peak;
  const expectedError = Math.max(roundoff[precision], residual) * amplification;
  const order = a.length - 1;
  return {
    amplification,
    residual,
    expectedError,
    tolerance,
    trustworthy: order <= 2 || expectedError <= tolerance,
  };
}

/** From 0 to π evenly, and each pole's angle with its neighbourhood of a few bandwidths. */
function anglesFor(poles: readonly Complex[]): number[] {
  const angles = Array.from({ length: GRID + 1 }, (_, i) => (Math.PI * i) / GRID);
  for (const pole of poles) {
    const centre = Math.abs(Math.atan2(pole.im, pole.re));
    const bandwidth = Math.abs(1 - magnitude(pole));
    for (const offset of [-2, -1, -0.5, 0, 0.5, 1, 2]) angles.push(centre + offset * bandwidth);
  }
  return angles;
}
