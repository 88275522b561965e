import { createResampler } from '../../audio/resample.ts';
import { ArgumentError } from '../../errors.ts';
import type { Random } from '../../init/random.ts';

/** Random changes to a recording that leave what it is. */
export interface Augmentation {
  /** dB, lowest and highest. */
  readonly gain?: readonly [number, number] | undefined;
  /** Speeds of playing, pitch included, each as likely as the others: 0.9, 1, 1.1 … Two decimals count. */
  readonly speeds?: readonly number[] | undefined;
  /** Shares of the band that a line leaves, each as likely as the others: 0.5 keeps the lower half. Two decimals count. */
  readonly bands?: readonly number[] | undefined;
  /** White noise this many dB below the recording's own level, lowest and highest. */
  readonly noise?: readonly [number, number] | undefined;
  /** Up to so many frames of silence in front. */
  readonly delay?: number | undefined;
}

/**
 * Plays faster (speed > 1: shorter and higher) or slower, by resampling.
 *
 * @param samples frames × channels
 * @param speed its hundredths count.
 */
export function atSpeed(samples: Float32Array, channels: number, speed: number): Float32Array {
  const hundredths = Math.round(speed * 100);
  if (hundredths === 100) return samples;
  if (!(hundredths >= 10 && hundredths <= 1000)) {
    throw new ArgumentError(`speed: ${speed}; give a number between 0.1 and 10`);
  }
  const resampler = createResampler({ from: hundredths, to: 100, channels, quality: 'fast' });
  return joined([resampler.process(samples), resampler.end()]);
}

/**
 * What a line of a lower rate leaves of a signal, of the same length.
 *
 * @param samples frames × channels
 * @param from Hz, the rate of the signal; only the ratio of the two counts.
 * @param to Hz, the rate of the line; at `from` and above nothing changes.
 */
export function throughRate(samples: Float32Array, channels: number, from: number, to: number): Float32Array {
  if (to >= from) return samples;
  const resample = (input: Float32Array, from: number, to: number): Float32Array => {
    const resampler = createResampler({ from, to, channels, quality: 'fast' });
    return joined([resampler.process(input), resampler.end()]);
  };
  return joined([resample(resample(samples, from, to), to, from)], samples.length);
}

/** Pieces one behind the other, cut or filled with zeros to `length`. */
function joined(pieces: readonly Float32Array[], length?: number): Float32Array {
  const out = new Float32Array(length ?? pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece.subarray(0, out.length - at), at);
    at += Math.min(piece.length, out.length - at);
  }
  return out;
}

/** The most frames that `augment` makes of so many. */
export const mostFrames = (frames: number, { speeds = [1], delay = 0 }: Augmentation): number =>
  Math.ceil(frames / Math.min(...speeds.map((speed) => Math.round(speed * 100) / 100))) + delay;

/**
 * @param samples frames × channels; may be changed in place.
 * @returns the result, perhaps of another length.
 */
export function augment(
  samples: Float32Array,
  channels: number,
  { gain, speeds, bands, noise, delay = 0 }: Augmentation,
  draws: Random,
): Float32Array {
  let out = samples;
  if (speeds !== undefined) out = atSpeed(out, channels, speeds[draws.integer(speeds.length)]!);
  if (bands !== undefined) {
    const hundredths = Math.round(bands[draws.integer(bands.length)]! * 100);
    if (!(hundredths >= 1 && hundredths <= 100)) {
      throw new ArgumentError(`bands: ${hundredths / 100}; give shares of the band, 0.01 to 1`);
    }
    out = throughRate(out, channels, 100, hundredths);
  }
  if (delay > 0) {
    const moved = new Float32Array(out.length + draws.integer(delay + 1) * channels);
    moved.set(out, moved.length - out.length);
    out = moved;
  }
  if (noise !== undefined) {
    let energy = 0;
    for (let i = 0; i < out.length; i++) energy += out[i]! * out[i]!;
    const level = Math.sqrt(energy / Math.max(1, out.length)) * 10 ** (-draws.uniform(...noise) / 20);
    for (let i = 0; i < out.length; i++) out[i] = out[i]! + draws.normal(0, level);
  }
  if (gain !== undefined) {
    const factor = 10 ** (draws.uniform(...gain) / 20);
    for (let i = 0; i < out.length; i++) out[i] = out[i]! * factor;
  }
  return out;
}
