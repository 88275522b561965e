import { zoh, type Discretization } from '../discretize/index.ts';
import { ArgumentError } from '../errors.ts';
import { diagonalScan, reshape } from '../ops/index.ts';
import { defineLayer, type Layer } from '../signal/index.ts';

/** Configuration of `leakyMemory`. */
export interface LeakyMemoryOptions {
  /** H: channels. */
  readonly features: number;
  /** τ: time constants, in seconds with a `sampleRate`, else in frames; N of them. */
  readonly timeConstants: readonly number[];
  /** Hz at which a frame lasts; makes the time constants seconds. */
  readonly sampleRate?: number;
  /** `zoh`: exact for an input that is held. */
  readonly discretization?: Discretization;
}

/**
 * What a signal was on average over about the last τ, for several τ: a diagonal state space with real poles,
 * x′ = (u − x) / τ. No parameters: the features that `onlineReadout` and the anomaly detector read.
 *
 * On a stream: causal, no latency, 8 H N bytes of state; follows another rate and irregular time. Output: (H · N), the
 * first channel's N first.
 *
 * @throws ArgumentError for a time constant that is not positive.
 * @example
 * const memory = leakyMemory({ features: 1, timeConstants: [2, 8, 32, 128] });
 */
export function leakyMemory(options: LeakyMemoryOptions): Layer {
  const { features, timeConstants, sampleRate, discretization = zoh } = options;
  const bad = timeConstants.find((value) => !(value > 0 && value < Infinity));
  if (bad !== undefined || timeConstants.length === 0) {
    throw new ArgumentError(
      `leakyMemory: the time constant ${bad ?? '(none)'} is no time; give one or more positive numbers`,
    );
  }
  return defineLayer({
    name: 'leaky-memory',
    features,
    // Without a rate of its own its clock ticks once a frame.
    sampleRate: sampleRate ?? undefined,
    apply(trace, u) {
      const states = timeConstants.length;
      const pace = timeConstants.map((value) => 1 / (value * (sampleRate ?? 1)));
      const x = diagonalScan(u, {
        a: trace.literal(
          pace.map((value) => -value),
          [1, states],
        ),
        b: trace.literal(pace, [1, states]),
        dt: trace.timeScale(),
        method: discretization.diagonal,
      });
      return reshape(x, [features * states]);
    },
  });
}
