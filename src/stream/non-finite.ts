import type { FloatArray } from '../signal/index.ts';

/**
 * What happens to NaN and infinities in the input: refuse the block (nothing of it is consumed), repeat the
 * channel's last finite value, put zero, or put zero and forget all state. None ever enters the model.
 */
export type NonFinitePolicy = 'throw' | 'hold' | 'zero' | 'reset';

/** What the stream has to say beside its output. */
export interface Diagnostic {
  readonly kind: 'non-finite';
  readonly port: string;
  /** Input frame of the first one in the block, counted from the stream's start. */
  readonly frame: number;
  readonly channel: number;
  /** Values replaced in the block. */
  readonly count: number;
  readonly action: Exclude<NonFinitePolicy, 'throw'>;
}

/** Index of the first value that is not finite, or -1. */
export function firstNonFinite(data: FloatArray, from: number, to: number): number {
  // A sum is finite only if all its terms are: one of eight tells a clean stretch apart without a branch a value. A sum
  // that overflows is looked at closely, and found clean. Nothing is carried along, so that nothing becomes garbage.
  let i = from;
  for (; i + 8 <= to; i += 8) {
    const low = data[i]! + data[i + 1]! + (data[i + 2]! + data[i + 3]!);
    const high = data[i + 4]! + data[i + 5]! + (data[i + 6]! + data[i + 7]!);
    if (!Number.isFinite(low + high)) {
      const bad = firstOf(data, i, i + 8);
      if (bad >= 0) return bad;
    }
  }
  return firstOf(data, i, to);
}

function firstOf(data: FloatArray, from: number, to: number): number {
  for (let i = from; i < to; i++) if (!Number.isFinite(data[i]!)) return i;
  return -1;
}

/**
 * Replaces what is not finite among `frames` frames at `at`, by the channel's last finite value (`held`, which
 * is kept up to date) or by zero. Returns how many values were replaced.
 */
export function mendNonFinite(
  data: FloatArray,
  at: number,
  frames: number,
  held: Float64Array,
  hold: boolean,
): number {
  const width = held.length;
  let count = 0;
  for (let k = 0, i = at; k < frames; k++) {
    for (let channel = 0; channel < width; channel++, i++) {
      if (Number.isFinite(data[i]!)) {
        held[channel] = data[i]!;
      } else {
        data[i] = hold ? held[channel]! : 0;
        count++;
      }
    }
  }
  return count;
}
