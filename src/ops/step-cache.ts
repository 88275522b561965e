import type { FloatArray } from '../signal/index.ts';

/** How many time steps are remembered: clocks jitter between a few values, and gaps are rare. */
const SLOTS = 8;

/**
 * Coefficients by time step, for steps that come by frame and repeat. The key is exact: the same numbers give the
 * coefficients that they gave before, bit for bit, so that streams may share a cache. It holds `SLOTS` entries, the
 * oldest of which makes room; nothing is allocated once all are in use.
 *
 * @example
 * let found = cache.find(dt.data, dt.at);
 * if (found === undefined) compute((found = cache.claim(dt.data, dt.at)));
 */
export class StepCache<Coefficients> {
  readonly #keys: readonly Float64Array[];
  readonly #values: Coefficients[] = [];
  readonly #make: () => Coefficients;
  #next = 0;
  #latest = 0;

  /** @param width numbers that make a key; @param make memory for one entry. */
  constructor(width: number, make: () => Coefficients) {
    this.#keys = Array.from({ length: SLOTS }, () => new Float64Array(width).fill(Number.NaN));
    this.#make = make;
  }

  /** The coefficients of the key that stands at `at`, or undefined. */
  find(data: FloatArray, at: number): Coefficients | undefined {
    // The step before is the likeliest.
    for (let i = 0; i < SLOTS; i++) {
      const slot = (this.#latest + i) % SLOTS;
      if (!this.#holds(slot, data, at)) continue;
      this.#latest = slot;
      return this.#values[slot];
    }
    return undefined;
  }

  /** Memory for the coefficients of a key that is not there; the caller fills it at once. */
  claim(data: FloatArray, at: number): Coefficients {
    const slot = this.#next;
    const key = this.#keys[slot]!;
    for (let i = 0; i < key.length; i++) key[i] = data[at + i]!;
    this.#latest = slot;
    this.#next = (slot + 1) % SLOTS;
    return (this.#values[slot] ??= this.#make());
  }

  #holds(slot: number, data: FloatArray, at: number): boolean {
    const key = this.#keys[slot]!;
    for (let i = 0; i < key.length; i++) if (key[i] !== data[at + i]) return false;
    return true;
  }
}
