/**
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | ω | radians a frame | (frequencies) |
 * | P_m | Σ k^m p_k e^{-jωk}: a polynomial's m-th moment | complex |
 */
import { divide, magnitude, multiply, ONE } from './complex.ts';
import { requireSections } from './sections.ts';
import { normalizeTf } from './transfer-function.ts';
import type { Complex, Section, TransferFunction } from './types.ts';
import { requireFinite, requirePositive } from './validate.ts';

export interface FrequencyResponse {
  /** |H|, linear (frequencies) */
  magnitude: Float64Array;
  /** arg H in (-π, π], radians (frequencies) */
  phase: Float64Array;
  /** -d arg H/dω, in frames (frequencies); divide by the sample rate for seconds */
  groupDelay: Float64Array;
}

/** Relative to Σ|p_k|, below this a polynomial on the unit circle counts as 0. */
const VANISHING = 1e-13;

/**
 * The response of a digital filter at given frequencies. Sections are evaluated one by one, so that high orders stay
 * exact. At a zero on the unit circle the group delay is its limit from either side.
 *
 * @param filter sections, or b and a in powers of z^-1
 * @param frequencies in Hz, any; the response repeats with the sample rate
 * @throws ArgumentError for rows that are no sections, degenerate b or a, or a frequency that is not finite
 * @example frequencyResponse(designSections(spec), [100, 1000], 48_000).magnitude
 */
export function frequencyResponse(
  filter: readonly Section[] | TransferFunction,
  frequencies: ArrayLike<number>,
  sampleRate: number,
): FrequencyResponse {
  requirePositive(sampleRate, 'sampleRate (Hz)', 'frequencyResponse');
  const wanted = Array.from(frequencies);
  requireFinite(wanted, 'frequencies', 'frequencyResponse');
  const factors = asFactors(filter);
  const result: FrequencyResponse = {
    magnitude: new Float64Array(wanted.length),
    phase: new Float64Array(wanted.length),
    groupDelay: new Float64Array(wanted.length),
  };
  for (const [i, frequency] of wanted.entries()) {
    const omega = (2 * Math.PI * frequency) / sampleRate;
    let response: Complex = ONE;
    let delay = 0;
    for (const { b, a } of factors) {
      response = multiply(response, divide(moment(b, omega, 0), moment(a, omega, 0)));
      delay += delayOf(b, omega) - delayOf(a, omega);
    }
    result.magnitude[i] = magnitude(response);
    result.phase[i] = Math.atan2(response.im, response.re);
    result.groupDelay[i] = delay;
  }
  return result;
}

function asFactors(filter: readonly Section[] | TransferFunction): TransferFunction[] {
  if ('b' in filter) return [normalizeTf(filter, 'frequencyResponse')];
  requireSections(filter, 'frequencyResponse');
  return filter.map((section) => ({ b: section.slice(0, 3), a: section.slice(3) }));
}

function moment(p: readonly number[], omega: number, m: number): Complex {
  let [re, im] = [0, 0];
  for (const [k, coefficient] of p.entries()) {
    const weight = coefficient * k ** m;
    re += weight * Math.cos(omega * k);
    im -= weight * Math.sin(omega * k);
  }
  return { re, im };
}

/**
 * Re(P_1/P_0), the polynomial's own delay. At a zero of multiplicity m, P_0 … P_{m-1} vanish, and what stays finite
 * of the limit is Re(P_{m+1}/P_m)/(m + 1).
 */
function delayOf(p: readonly number[], omega: number): number {
  for (let m = 0; m < p.length; m++) {
    const value = moment(p, omega, m);
    const size = p.reduce((sum, coefficient, k) => sum + Math.abs(coefficient) * k ** m, 0);
    if (magnitude(value) > VANISHING * size) return divide(moment(p, omega, m + 1), value).re / (m + 1);
  }
  return 0;
}
