import { divide, ONE, product, scale } from '../complex.ts';
import { excessPower } from '../decibel.ts';
import { requireDecibels, requireOrder } from '../validate.ts';
import type { Complex, ZerosPolesGain } from '../types.ts';
import { leftHalfCircle } from './butterworth.ts';

/**
 * Chebyshev's analog lowpass of the second kind: flat passband, equal ripple in the stopband, which begins at
 * 1 rad/s (Parks and Burrus, Digital Filter Design, 1987, §7.2.4).
 *
 * @param attenuation of the stopband, dB
 * @example chebyshev2(5, 40)
 */
export function chebyshev2(order: number, attenuation: number): ZerosPolesGain {
  requireOrder(order, 'chebyshev2');
  requireDecibels(attenuation, 'attenuation', 'chebyshev2');
  const mu = Math.asinh(Math.sqrt(excessPower(attenuation))) / order;
  const poles = leftHalfCircle(order).map(({ re, im }) =>
    divide(ONE, { re: re * Math.sinh(mu), im: im * Math.cosh(mu) }),
  );
  const zeros: Complex[] = [];
  for (let m = 1 - order; m < order; m += 2) {
    // The zero of an odd order's middle is at infinity.
    if (m !== 0) zeros.push({ re: 0, im: 1 / Math.sin((Math.PI * m) / (2 * order)) });
  }
  const negated = (roots: Complex[]) => roots.map((root) => scale(root, -1));
  return { zeros, poles, gain: product(negated(poles)).re / product(negated(zeros)).re };
}
