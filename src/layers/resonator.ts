import { zoh, type Discretization, type StateSpace } from '../discretize/index.ts';
import { ArgumentError } from '../errors.ts';
import type { ControlSpec, Layer } from '../signal/index.ts';
import { frequencyControl } from './frequency-control.ts';
import { lti } from './lti.ts';
import { secondOrder } from './state-variable.ts';

export type ResonatorType = 'lowpass' | 'highpass' | 'bandpass' | 'notch';

/** Numerators, in s relative to the frequency; k = 2ζ. */
const numerators: Record<ResonatorType, (k: number) => readonly [number, number, number]> = {
  lowpass: () => [0, 0, 1],
  highpass: () => [1, 0, 0],
  bandpass: (k) => [0, k, 0],
  notch: () => [1, 0, 1],
};

export interface ResonatorOptions {
  /** `lowpass` by default: gain 1 far below the frequency, 1/2ζ at it. `bandpass`: gain 1 at it. */
  readonly type?: ResonatorType;
  /** Hz, of the undamped system. Control `frequency`. */
  readonly frequency: number;
  /** ζ: 1 is critical, small rings long. Control `damping`. */
  readonly damping: number;
  /** `zoh` by default. `bilinear`, unwarped, puts the resonance a little lower: (fs/π) atan(π f/fs). */
  readonly discretization?: Discretization;
  /** Signals of so many channels, each with a state of its own; 1 by default. */
  readonly channels?: number;
}

/**
 * A resonance as a physical system has it, x″ + 2ζω x′ + ω² x = ω² u, with sliders: the controls `frequency` (Hz) and
 * `damping` ramp while it runs, and it is stable at every point of every sweep. A filter with exact edges is
 * `biquadFilter`.
 *
 * On a stream: causal, no latency, two numbers of state; follows another rate.
 *
 * @throws ArgumentError without a sampleRate, or for a damping that is not positive.
 * @example
 * const stream = compile(resonator({ frequency: 800, damping: 0.05 }), {}, { sampleRate: 48_000 });
 * stream.set('frequency', 1200, { ramp: 800 });
 */
export function resonator({
  type = 'lowpass',
  frequency,
  damping,
  discretization = zoh,
  channels,
}: ResonatorOptions): Layer {
  if (!Object.hasOwn(numerators, type)) {
    throw new ArgumentError(
      `resonator: type is '${type}'; give one of ${Object.keys(numerators).join(', ')}`,
    );
  }
  return lti((at) => resonance(type, at['frequency']!, at['damping']!), {
    name: 'resonator',
    domain: 'continuous',
    discretization,
    controls: resonatorControls(frequency, damping),
    ...(channels === undefined ? {} : { channels }),
  });
}

/**
 * The system behind `resonator`, for `lti` and, at a `dt` a frame, `continuousLti`.
 *
 * @param frequency Hz
 * @param damping ζ, positive
 * @example
 * const slow = continuousLti((at) => resonance('lowpass', at['frequency']!, at['damping']!), {
 *   controls: resonatorControls(0.1, 0.7),
 * });
 */
export const resonance = (type: ResonatorType, frequency: number, damping: number): StateSpace =>
  secondOrder(2 * Math.PI * frequency, 2 * damping, numerators[type](2 * damping));

/** The controls `frequency` and `damping`, standing there at first. */
export const resonatorControls = (
  frequency: number,
  damping: number,
): { frequency: ControlSpec; damping: ControlSpec } => ({
  frequency: frequencyControl(frequency),
  damping: { value: damping, min: 1e-4, max: 100, scale: 'logarithmic' },
});
