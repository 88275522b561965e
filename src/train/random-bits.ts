/**
 * Random bits by counter: a function of the key and the number of the draw, so that a draw needs none before it. What
 * a step drew can be drawn again after a restart, for one item alone, or in any order.
 *
 * The key is folded from the parts by MurmurHash3's rounds (Appleby, public domain); a draw is its finaliser over the
 * counter, twice, with both words of the key. For masks and noise, not for cryptography.
 */
export interface RandomBits {
  /** 32 random bits. */
  at(index: number): number;
}

/** @param parts whole numbers and texts that tell this sequence of draws from others. */
export function randomBits(...parts: readonly (number | string)[]): RandomBits {
  let [a, b] = [0x9747b28c, 0x3c6ef372];
  const fold = (word: number): void => {
    a = mixed(a ^ Math.imul(word, 0xcc9e2d51)) + Math.imul(b, 5);
    b = mixed(b ^ Math.imul(word ^ 0x5bd1e995, 0x1b873593)) + Math.imul(a, 9);
  };
  for (const part of parts) {
    if (typeof part === 'number') {
      // Both halves: counters are exact beyond 2^32.
      fold(part >>> 0);
      fold(Math.floor(part / 2 ** 32) >>> 0);
    } else {
      for (let i = 0; i < part.length; i++) fold(part.charCodeAt(i));
      fold(part.length);
    }
  }
  return {
    at: (index) => mixed(mixed((index ^ a) + 0x9e3779b9) ^ b ^ Math.floor(index / 2 ** 32)) >>> 0,
  };
}

/** MurmurHash3's `fmix32`: every bit of the input reaches every bit of the output. */
function mixed(word: number): number {
  let h = word;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
