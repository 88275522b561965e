import { excessPower } from '../decibel.ts';
import { requireDecibels, requireOrder } from '../validate.ts';
import type { ZerosPolesGain } from '../types.ts';
import { leftHalfCircle } from './butterworth.ts';

/**
 * Chebyshev's analog lowpass of the first kind: |H(jω)|² = 1 / (1 + ε² T_N(ω)²), ripple in the passband, which ends
 * at 1 rad/s (Parks and Burrus, Digital Filter Design, 1987, §7.2).
 *
 * @param ripple the passband's peak-to-peak ripple, dB; ε² = 10^(ripple/10) - 1
 * @example chebyshev1(4, 1)
 */
export function chebyshev1(order: number, ripple: number): ZerosPolesGain {
  requireOrder(order, 'chebyshev1');
  requireDecibels(ripple, 'ripple', 'chebyshev1');
  const epsilon = Math.sqrt(excessPower(ripple));
  const mu = Math.asinh(1 / epsilon) / order;
  const poles = leftHalfCircle(order).map(({ re, im }) => ({
    re: re * Math.sinh(mu),
    im: im * Math.cosh(mu),
  }));
  // ε T_N has the leading coefficient ε 2^(N-1).
  return { zeros: [], poles, gain: 1 / (epsilon * 2 ** (order - 1)) };
}
