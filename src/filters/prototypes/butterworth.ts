import { requireOrder } from '../validate.ts';
import type { Complex, ZerosPolesGain } from '../types.ts';

/**
 * Butterworth's analog lowpass, -3 dB at 1 rad/s, no zeros: |H(jω)|² = 1 / (1 + ω^2N)
 * (Butterworth, Experimental Wireless 7, 1930). Poles on the left half of the unit circle.
 *
 * @example butterworth(2).poles // (-1 ± i)/√2
 */
export function butterworth(order: number): ZerosPolesGain {
  requireOrder(order, 'butterworth');
  return { zeros: [], poles: leftHalfCircle(order), gain: 1 };
}

/** -exp(iθ), θ = mπ/2N for m = 1-N, 3-N, … N-1: exact conjugates, the one for m = 0 exactly -1. */
export function leftHalfCircle(order: number): Complex[] {
  const poles: Complex[] = [];
  for (let m = 1 - order; m < order; m += 2) {
    const angle = (Math.PI * m) / (2 * order);
    poles.push({ re: -Math.cos(angle), im: m === 0 ? 0 : -Math.sin(angle) });
  }
  return poles;
}
