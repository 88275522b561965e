import { createResampler } from '../../audio/resample.ts';
import { ArgumentError } from '../../errors.ts';
import type { Random } from '../../init/random.ts';

/** Random changes to a recording that leave what it is. */
export interface Augmentation {
  /** dB, lowest and highest. */
  readonly gain?: readonly [number, number] | undefined;
  /** Speeds of playing, pitch included, each as likely as the others: 0.9, 1, 1.1 … Two decimals count. */
  readonly speeds?: readonly number[] | undefined;
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
  const body = resampler.process(samples);
  const rest = resampler.end();
  const out = new Float32Array(body.length + rest.length);
  out.set(body);
  out.set(rest, body.length);
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
  { gain, speeds, noise, delay = 0 }: Augmentation,
  draws: Random,
): Float32Array {
  let out = samples;
  if (speeds !== undefined) out = atSpeed(out, channels, speeds[draws.integer(speeds.length)]!);
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
