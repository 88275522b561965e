/**
 * Seeded random numbers that are the same on every platform.
 *
 * The generator is xoshiro128** 1.1 (Blackman & Vigna, "Scrambled linear pseudorandom number generators", ACM Trans.
 * Math. Softw. 47, 2021), 128 bits of state, period 2^128 − 1, seeded by SplitMix64. Everything derived from it uses
 * only operations that IEEE 754 rounds exactly (+ − × ÷ √); the logarithm behind the normal distribution is computed
 * here, since `Math.log` is left to the engine.
 *
 * One draw of `uniform` takes two words; `normal` takes pairs of uniforms by Marsaglia's polar method and keeps no
 * spare, so the four words of `save()` are the whole state.
 */
import { ArgumentError } from '../errors.ts';

/** A stream of random numbers. Not for cryptography. */
export interface Random {
  /** An integer, uniform in 0 … 2^32 − 1. */
  uint32(): number;
  /** Uniform in [low, high), 53 bits; by default [0, 1). */
  uniform(low?: number, high?: number): number;
  /** An integer, uniform in 0 … below − 1, without bias. `below` is at most 2^32. */
  integer(below: number): number;
  /** Normal; by default mean 0, standard deviation 1. */
  normal(mean?: number, std?: number): number;
  /** Standard normal, cut off at ±limit by rejection; its variance is smaller than 1. */
  truncatedNormal(limit: number): number;
  /** Complex normal [re, im] with E|z|² = 1, as torch.randn draws complex numbers. */
  complexNormal(): [re: number, im: number];
  /** Shuffles in place (Fisher–Yates) and returns the same array. */
  shuffle<T extends { readonly length: number; [index: number]: unknown }>(array: T): T;
  /** The state: 4 words. */
  save(): Uint32Array;
  /** Goes on from a saved state. */
  restore(state: Uint32Array): void;
}

/**
 * A stream of random numbers from a seed.
 *
 * ```ts
 * const rng = random(7);
 * const weights = Float32Array.from({ length: 16 }, () => rng.normal(0, 0.02));
 * const saved = rng.save();
 * const again = random(0);
 * again.restore(saved); // both go on alike
 * ```
 *
 * @param seed an integer, 0 … 2^53 − 1
 * @throws {ArgumentError} for any other seed
 */
export function random(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new ArgumentError(`random: the seed is ${seed}; give an integer between 0 and 2^53 − 1`);
  return new Xoshiro128(splitMix64(BigInt(seed)));
}

/** Two outputs of SplitMix64 as four words: neighbouring seeds give unrelated states, and never all zeros. */
function splitMix64(seed: bigint): Uint32Array {
  const mask = (1n << 64n) - 1n;
  const words = new Uint32Array(4);
  let state = seed;
  for (let i = 0; i < 2; i++) {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let z = state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask;
    z ^= z >> 31n;
    words[2 * i] = Number(z & 0xffffffffn);
    words[2 * i + 1] = Number(z >> 32n);
  }
  return words;
}

class Xoshiro128 implements Random {
  readonly #s: Uint32Array;

  constructor(state: Uint32Array) {
    this.#s = state;
  }

  uint32(): number {
    const s = this.#s;
    const result = Math.imul(rotateLeft(Math.imul(s[1], 5), 7), 9) >>> 0;
    const t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotateLeft(s[3], 11);
    return result;
  }

  uniform(low = 0, high = 1): number {
    // 27 bits and 26 bits: every multiple of 2^-53 in [0, 1) is as likely as any other.
    const fraction = ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
    const value = low + (high - low) * fraction;
    // low + (high − low)·fraction may round up to high.
    return value < high ? value : low;
  }

  integer(below: number): number {
    if (!Number.isInteger(below) || below < 1 || below > 2 ** 32)
      throw new ArgumentError(`random.integer: the bound is ${below}; give an integer between 1 and 2^32`);
    const limit = 2 ** 32 - (2 ** 32 % below);
    let value = this.uint32();
    while (value >= limit) value = this.uint32();
    return value % below;
  }

  normal(mean = 0, std = 1): number {
    const [x] = this.#polar();
    return mean + std * x;
  }

  truncatedNormal(limit: number): number {
    if (!(limit > 0))
      throw new ArgumentError(`random.truncatedNormal: the limit is ${limit}; it has to be above 0`);
    let x = this.normal();
    while (Math.abs(x) > limit) x = this.normal();
    return x;
  }

  complexNormal(): [re: number, im: number] {
    const [x, y] = this.#polar();
    return [x * Math.SQRT1_2, y * Math.SQRT1_2];
  }

  shuffle<T extends { readonly length: number; [index: number]: unknown }>(array: T): T {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const held = array[i];
      array[i] = array[j];
      array[j] = held;
    }
    return array;
  }

  save(): Uint32Array {
    return this.#s.slice();
  }

  restore(state: Uint32Array): void {
    if (state.length !== 4 || state.every((word) => word === 0))
      throw new ArgumentError(
        `random.restore: the state is [${state.join(', ')}]; give the 4 words of save(), not all of them 0`,
      );
    this.#s.set(state);
  }

  /** Two independent standard normals. */
  #polar(): [number, number] {
    for (;;) {
      const x = this.uniform(-1, 1);
      const y = this.uniform(-1, 1);
      const square = x * x + y * y;
      if (square >= 1 || square === 0) continue;
      const factor = Math.sqrt((-2 * portableLog(square)) / square);
      return [x * factor, y * factor];
    }
  }
}

function rotateLeft(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

const bits = new DataView(new ArrayBuffer(8));

/**
 * ln x of a positive normal number by exactly rounded operations alone: x = m·2^k, m in [√½, √2), and
 * ln m = 2 artanh((m − 1)/(m + 1)) by its series, whose argument is below 0.172.
 */
function portableLog(x: number): number {
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  let exponent = ((high >>> 20) & 0x7ff) - 1023;
  bits.setUint32(0, (high & 0xfffff) | (1023 << 20));
  let mantissa = bits.getFloat64(0);
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let sum = 0;
  for (let k = 23; k >= 1; k -= 2) sum = sum * square + 1 / k;
  return exponent * Math.LN2 + 2 * s * sum;
}
