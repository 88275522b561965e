import { random, type Random } from '../../init/random.ts';

/**
 * Random numbers for one place in a run: a fresh generator that depends on the seed and the counters alone, so that
 * batch 17 of epoch 3 is the same whether the run reached it or was resumed there, and whoever computes it.
 *
 * @param seed an integer, 0 … 2^53 − 1; @param counters integers: what is drawn, epoch, number …
 * @example
 * const draws = drawsAt(7, ORDER, epoch);
 * draws.shuffle(order);
 */
export function drawsAt(seed: number, ...counters: readonly number[]): Random {
  let high = 0x9e37_79b9;
  let low = 0x85eb_ca6b;
  for (const counter of [seed, ...counters]) {
    low = mix(low ^ (counter >>> 0));
    high = mix((high + low) ^ Math.floor(counter / 2 ** 32));
    low = (low + Math.imul(high, 5)) | 0;
  }
  return random((high >>> 11) * 2 ** 32 + (low >>> 0));
}

/** A bijection of 32 bits in which every bit depends on every other: the finaliser of MurmurHash3 (A. Appleby, public domain). */
function mix(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return h ^ (h >>> 16);
}

/** What is drawn, so that no two uses share a generator. */
export const Purpose = { order: 1, item: 2, lanes: 3, split: 4, signal: 5, room: 6 } as const;
