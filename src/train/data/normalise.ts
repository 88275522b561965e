import { ArgumentError } from '../../errors.ts';

/** (value − offset) / scale for each channel: what was learnt from the training part, and is needed when the model runs. */
export interface Normalisation {
  readonly offset: readonly number[];
  readonly scale: readonly number[];
}

export type NormalisationRule = 'standard' | 'range' | 'none';

/**
 * Learns a normalisation: `standard` makes mean 0 and standard deviation 1, `range` −1 … 1 of what was seen, `none`
 * changes nothing. A channel that never changes keeps its scale.
 *
 * @param sequences each frames × channels.
 */
export function learnNormalisation(
  sequences: readonly Float32Array[],
  channels: number,
  rule: NormalisationRule = 'standard',
): Normalisation {
  if (rule === 'none') return { offset: Array(channels).fill(0), scale: Array(channels).fill(1) };
  if (rule !== 'standard' && rule !== 'range') {
    throw new ArgumentError(`normalise: '${String(rule)}' is none of standard, range, none`);
  }
  const offset: number[] = [];
  const scale: number[] = [];
  for (let c = 0; c < channels; c++) {
    let [count, mean, squares] = [0, 0, 0];
    let [low, high] = [Infinity, -Infinity];
    for (const sequence of sequences) {
      for (let i = c; i < sequence.length; i += channels) {
        const value = sequence[i]!;
        // Welford's update: no cancellation far from 0 (Technometrics 4, 1962).
        count++;
        const off = value - mean;
        mean += off / count;
        squares += off * (value - mean);
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
    const spread = rule === 'standard' ? Math.sqrt(squares / count) : (high - low) / 2;
    offset.push(rule === 'standard' ? mean : (high + low) / 2);
    scale.push(spread > 0 ? spread : 1);
  }
  return { offset, scale };
}

/** Normalises in place: frames × channels. */
export function normalise(samples: Float32Array, { offset, scale }: Normalisation): Float32Array {
  const channels = offset.length;
  for (let i = 0; i < samples.length; i++) {
    samples[i] = (samples[i]! - offset[i % channels]!) / scale[i % channels]!;
  }
  return samples;
}

/** Takes `normalise` back, in place. */
export function denormalise(samples: Float32Array, { offset, scale }: Normalisation): Float32Array {
  const channels = offset.length;
  for (let i = 0; i < samples.length; i++) {
    samples[i] = samples[i]! * scale[i % channels]! + offset[i % channels]!;
  }
  return samples;
}
