import type { StateStore } from '../stores/index.ts';
import type { Codec } from './codec.ts';
import type { SnapshotForm } from './packed-snapshot.ts';
import type { Residents } from './residents.ts';

/** States on their way at once, at most. */
const AT_ONCE = 4096;

/** Keys of a store that begin so are not a sensor's: forms of snapshots are there, and what a store needs itself. */
export const OWN = '\u0000';
const FORM = `${OWN}form/`;

/** The way of states between memory and a store. */
export class Depot {
  readonly store: StateStore;
  readonly #codec: Codec;
  readonly #residents: Residents;
  /** Whether the store has the form by which states are packed. */
  #formIsStored = false;

  constructor(store: StateStore, codec: Codec, residents: Residents) {
    this.store = store;
    this.#codec = codec;
    this.#residents = residents;
  }

  /** What is known about the store's content holds no more. */
  changed(): void {
    this.#formIsStored = false;
  }

  /** States of these keys, in their order; undefined for a key that has none. */
  async load(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const states = await all(keys.map((key) => this.store.get(key)));
    for (const [i, state] of states.entries()) {
      const form = state && this.#codec.unknownForm(keys[i]!, state);
      if (form === undefined) continue;
      const bytes = await this.store.get(FORM + form.toString(16));
      if (bytes) this.#codec.learn(JSON.parse(new TextDecoder().decode(bytes)) as SnapshotForm);
    }
    return states;
  }

  /** Those of these places that have changed go to the store. They stay in memory, the same as there. */
  async save(places: readonly number[]): Promise<void> {
    const dirty = places.filter((place) => this.#residents.isDirty(place));
    if (dirty.length === 0) return;
    if (!this.#formIsStored) {
      const { form } = this.#codec;
      const key = FORM + this.#codec.learn(form).toString(16);
      await this.store.set(key, new TextEncoder().encode(JSON.stringify(form)));
      this.#formIsStored = true;
    }
    for (let from = 0; from < dirty.length; from += AT_ONCE) {
      await all(
        dirty.slice(from, from + AT_ONCE).map(async (place) => {
          await this.store.set(this.#residents.keyOf(place)!, this.#codec.pack(place));
          this.#residents.clean(place);
        }),
      );
    }
  }
}

/** `Promise.all` that waits for every one before it tells of an error. */
export async function all<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
