/*
 * x       one channel                                    frames
 * block   frames that a level is taken over              20 ms
 */
import { rms } from '../../../audio/level.ts';

/** Blocks this far below the loudest are pauses. */
const PAUSE = 10 ** (-30 / 20);
/** Below −90 dBFS there is nothing that a level could be asked of. */
const SILENCE = 10 ** (-90 / 20);

/**
 * The level of what is active in a signal: root mean square over the 20 ms blocks that are at most 30 dB below the
 * loudest one, so that pauses neither of speech nor of noise count. 0 where all is below −90 dBFS.
 */
export function activeLevel(x: Float32Array, sampleRate: number): number {
  const size = Math.max(1, Math.round(0.02 * sampleRate));
  const levels: number[] = [];
  for (let at = 0; at < x.length; at += size) levels.push(rms(x.subarray(at, at + size)));
  const loudest = Math.max(0, ...levels);
  if (loudest < SILENCE) return 0;
  let energy = 0;
  let count = 0;
  for (const level of levels) {
    if (level < loudest * PAUSE) continue;
    energy += level * level;
    count++;
  }
  return Math.sqrt(energy / count);
}

/** Multiplies in place. */
export function scale(x: Float32Array, factor: number): Float32Array {
  for (let i = 0; i < x.length; i++) x[i] = x[i]! * factor;
  return x;
}

/** sum += factor · x, in place. */
export function addScaled(sum: Float32Array, x: Float32Array, factor: number): Float32Array {
  for (let i = 0; i < sum.length; i++) sum[i] = sum[i]! + factor * x[i]!;
  return sum;
}
