import type { Discretization, StateSpace } from '../discretize/index.ts';
import { ArgumentError } from '../errors.ts';
import {
  biquad,
  designFilter,
  designSections,
  zpkToSs,
  type BiquadSpec,
  type FilterSpec,
} from '../filters/index.ts';
import { defineLayer, type Layer } from '../signal/index.ts';
import { fromSiso, runChain, sectionChain } from './lti.ts';

/** How a filter is put on a stream. */
export interface FilterPlacement {
  /** Signals of so many channels, each with a filter of its own; 1 by default. */
  readonly channels?: number;
  /**
   * How the continuous filter becomes a discrete one. Absent: the bilinear transform with its edges prewarped, as
   * scipy designs digital filters; a method: the analog filter discretised by it, unwarped.
   */
  readonly discretization?: Discretization;
}

/**
 * A classical filter (Butterworth, Chebyshev, elliptic, Bessel), designed at the rate of the stream it runs on:
 * edges are in hertz and stay there at any rate. Runs as second-order sections in float64.
 *
 * On a stream: causal, no latency, two numbers of state a section; follows another rate. A Web Audio biquad is
 * `biquadFilter`.
 *
 * @throws ArgumentError for an edge beyond half the rate, a missing ripple, …; without a sampleRate.
 * @example
 * const band = filter({ family: 'butterworth', order: 4, type: 'bandpass', cutoff: [300, 3400] });
 * const stream = compile(band, {}, { sampleRate: 16_000 });
 */
export function filter(spec: FilterSpec, placement: FilterPlacement = {}): Layer {
  const { discretization } = placement;
  return designed('filter', placement.channels, Math.max(...[spec.cutoff].flat()), (sampleRate) =>
    discretization
      ? [discretization.dense(fromSiso(zpkToSs(designFilter({ ...spec, analog: true }))), 1 / sampleRate)]
      : sectionChain(designSections({ ...spec, sampleRate })),
  );
}

/**
 * The biquads of the Web Audio API (Audio EQ Cookbook): low-pass, high-pass, band-pass, notch, all-pass, peaking,
 * low and high shelf, at the rate of the stream they run on. Several run one behind the other.
 *
 * @example
 * const dehum = biquadFilter([50, 150, 250].map((frequency) => ({ type: 'notch', frequency, Q: 30 })));
 */
export function biquadFilter(
  specs: readonly Omit<BiquadSpec, 'sampleRate'>[],
  placement: Pick<FilterPlacement, 'channels'> = {},
): Layer {
  if (specs.length === 0) throw new ArgumentError('biquadFilter: no biquads; give at least one');
  const highest = Math.max(
    ...specs.map(({ frequency = 350, detune = 0 }) => frequency * 2 ** (detune / 1200)),
  );
  return designed('biquad-filter', placement.channels, highest, (sampleRate) =>
    sectionChain(specs.map((spec) => biquad({ ...spec, sampleRate }))),
  );
}

/** The chain is designed once at a rate far above its edges, to learn its shapes, and then at the stream's. */
function designed(
  name: string,
  channels: number | undefined,
  highest: number,
  design: (sampleRate: number) => StateSpace[],
): Layer {
  const shapes = design(16 * highest);
  return defineLayer({
    name,
    features: channels ?? 1,
    apply: (trace, u) =>
      runChain(
        trace,
        u,
        {
          shapes,
          systems: (period) => {
            if (Number.isNaN(period)) {
              throw new ArgumentError(`${name}: its frequencies are in hertz; compile it with a sampleRate`);
            }
            return design(1 / period);
          },
        },
        { channels: channels ?? 1, arithmetic: 'float64' },
      ),
  });
}
