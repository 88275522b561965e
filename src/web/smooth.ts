import { lti } from '../layers/lti.ts';
import { add, sub } from '../ops/index.ts';
import type { Signal } from '../signal/index.ts';

export interface SmoothOptions {
  /** What the control is before the first frame. */
  readonly initial: number;
  /** Seconds after which half of a step has been gone, about; 0.01. */
  readonly seconds?: number;
}

/**
 * A control without corners: three equal one-pole low-passes behind each other in continuous time, so that steps of a
 * slider become curves whose slope and curvature have no jumps. What a stepped control adds to a sound falls off with
 * the fourth power of its distance in frequency then, instead of the first.
 *
 *     y = initial + h ∗ (x − initial),   H(s) = 1 / (τs + 1)³
 *
 * @param x (1), a number a frame.
 */
export function smooth(x: Signal, { initial, seconds = 0.01 }: SmoothOptions): Signal {
  // Half of a step of three poles takes 2.674 τ.
  const tau = seconds / 2.674;
  const lag = lti({ b: [1], a: [tau ** 3, 3 * tau ** 2, 3 * tau, 1] }, { domain: 'continuous' });
  return add(lag.apply(x.trace, sub(x, initial)), initial);
}
