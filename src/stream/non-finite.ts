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
  // A sum is finite only if all its terms are: four of them tell a clean block apart without a branch a value. A sum
  // that overflows is looked at closely, and found clean.
  let [a, b, c, d] = [0, 0, 0, 0];
  let i = from;
  for (; i + 8 <= to; i += 8) {
    a += data[i]! + data[i + 1]!;
    b += data[i + 2]! + data[i + 3]!;
    c += data[i + 4]! + data[i + 5]!;
    d += data[i + 6]! + data[i + 7]!;
  }
  for (; i < to; i++) a += data[i]!;
  if (Number.isFinite(a + b + c + d)) return -1;
  for (let at = from; at < to; at++) if (!Number.isFinite(data[at]!)) return at;
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
