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
import { requireBelowNyquist } from '../filters/validate.ts';
import { defineLayer, type ControlSpec, type Layer } from '../signal/index.ts';
import { frequencyControl } from './frequency-control.ts';
import { fromSiso, remember, runChain, type Chain } from './lti.ts';
import { digital, stateVariable, stateVariables } from './state-variable.ts';

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
 * The control `cutoff` (Hz; low and high of a band) may be set while it runs. A low-pass or high-pass ramps: its sections
 * keep their shape and move along the frequencies together, which is the filter designed anew. A band is designed anew at
 * each end of a crossfade, and so is an analog filter with a discretization of its own.
 *
 * On a stream: causal, no latency, two numbers of state a section; follows another rate. A Web Audio biquad is
 * `biquadFilter`.
 *
 * @throws ArgumentError for an edge beyond half the rate, a missing ripple, …; without a sampleRate.
 * @example
 * const band = filter({ family: 'butterworth', order: 4, type: 'bandpass', cutoff: [300, 3400] });
 * const stream = compile(band, {}, { sampleRate: 16_000 });
 */
export function filter(spec: FilterSpec, { channels, discretization }: FilterPlacement = {}): Layer {
  const edges = [spec.cutoff].flat();
  const cutoffOf = (value: Float64Array): FilterSpec['cutoff'] =>
    value.length === 1 ? value[0]! : [value[0]!, value[1]!];
  const control = frequencyControl(spec.cutoff);
  const highest = Math.max(...edges);
  if (discretization !== undefined) {
    return designed('filter', channels, highest, {
      controls: { cutoff: { ...control, continuous: false } },
      design: (sampleRate, [cutoff]) => [
        discretization.dense(
          fromSiso(zpkToSs(designFilter({ ...spec, cutoff: cutoffOf(cutoff!), analog: true }))),
          1 / sampleRate,
        ),
      ],
    });
  }
  if (edges.length > 1) {
    return designed('filter', channels, highest, {
      controls: { cutoff: { ...control, continuous: false } },
      design: (sampleRate, [cutoff]) =>
        designSections({ ...spec, cutoff: cutoffOf(cutoff!), sampleRate }).map((section) =>
          digital(stateVariable(section)),
        ),
    });
  }
  // Sections of the analog filter, which keep their shape wherever it moves. Designed anew they could pair other poles and
  // zeros than the moment before.
  const prototype = stateVariables(designFilter({ ...spec, cutoff: 1, analog: true, unit: 'rad/s' }));
  return designed('filter', channels, highest, {
    controls: { cutoff: control },
    design(sampleRate, [cutoff]) {
      const frequency = cutoff![0]!;
      requireBelowNyquist(frequency, sampleRate, 'cutoff', 'filter');
      const tangent = Math.tan((Math.PI * frequency) / sampleRate);
      return prototype.map((section) => digital(section, tangent));
    },
  });
}

/**
 * The biquads of the Web Audio API (Audio EQ Cookbook): low-pass, high-pass, band-pass, notch, all-pass, peaking,
 * low and high shelf, at the rate of the stream they run on. Several run one behind the other.
 *
 * The controls `frequency` (Hz), `detune` (cents), `Q` and `gain` (dB) ramp while it runs, without zipper noise; of
 * several biquads they are called `0.frequency`, `1.frequency`, ….
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
  const each = specs.map((spec, i) => ({ spec, prefix: specs.length === 1 ? '' : `${i}.` }));
  return designed(
    'biquad-filter',
    placement.channels,
    highest,
    ...each.map(({ spec, prefix }): Part => ({
      controls: Object.fromEntries(
        Object.entries(biquadControls(spec)).map(([name, control]) => [prefix + name, control]),
      ),
      design: (sampleRate, [frequency, detune, Q, gain]) => [
        digital(
          stateVariable(
            biquad({
              type: spec.type,
              sampleRate,
              frequency: frequency![0]!,
              detune: detune![0]!,
              Q: Q![0]!,
              gain: gain![0]!,
            }),
          ),
        ),
      ],
    })),
  );
}

/** In the order in which a design takes them. */
function biquadControls({
  type,
  frequency = 350,
  detune = 0,
  Q = 1,
  gain = 0,
}: Omit<BiquadSpec, 'sampleRate'>): Record<'frequency' | 'detune' | 'Q' | 'gain', ControlSpec> {
  const inDecibels = type === 'lowpass' || type === 'highpass';
  return {
    frequency: frequencyControl(frequency),
    detune: { value: detune, min: -153_600, max: 153_600, unit: 'cents' },
    Q: inDecibels
      ? { value: Q, min: -200, max: 200, unit: 'dB' }
      : { value: Q, min: 1e-4, max: 1e4, scale: 'logarithmic' },
    gain: { value: gain, min: -200, max: 200, unit: 'dB' },
  };
}

/** Some links of a chain, and the controls that they follow. */
interface Part {
  readonly controls: Readonly<Record<string, ControlSpec>>;
  design(sampleRate: number, values: readonly Float64Array[]): readonly StateSpace[];
}

/** Each part is designed once at a rate far above its edges, to learn its shapes, and then at the stream's. */
function designed(
  name: string,
  channels: number | undefined,
  highest: number,
  ...parts: readonly Part[]
): Layer {
  const links = parts.flatMap((part): Chain['links'] => {
    const values = Object.values(part.controls).map(({ value }) => Float64Array.from([value].flat()));
    const systems = remember((at, period) => part.design(1 / period, at));
    return part.design(16 * highest, values).map((shape, i) => ({
      shape,
      controls: Object.keys(part.controls),
      timed: true,
      system(at, period) {
        if (Number.isNaN(period)) {
          throw new ArgumentError(`${name}: its frequencies are in hertz; compile it with a sampleRate`);
        }
        return systems(at, period)[i]!;
      },
    }));
  });
  const controls = Object.assign({}, ...parts.map((part) => part.controls)) as Chain['controls'];
  return defineLayer({
    name,
    features: channels ?? 1,
    apply: (trace, u) =>
      runChain(trace, u, { links, controls }, { channels: channels ?? 1, arithmetic: 'float64' }),
  });
}
