/** Which keys are in memory, in which place, and who may leave. Places are small whole numbers. */
export class Residents {
  readonly #places = new Map<string, number>();
  readonly #keys: (string | undefined)[] = [];
  /** By place: whether it has changed since it was last stored, the round that needed it last, and when that was. */
  #dirty = new Uint8Array(64);
  #round = new Float64Array(64);
  #used = new Float64Array(64);
  /** Not asked for since the hand came by last. */
  #quiet = new Uint8Array(64);
  #hand = 0;

  get size(): number {
    return this.#places.size;
  }

  /** In the order in which their keys came. */
  places(): number[] {
    return [...this.#places.values()];
  }

  placeOf(key: string): number | undefined {
    return this.#places.get(key);
  }

  keyOf(place: number): string | undefined {
    return this.#keys[place];
  }

  add(key: string, place: number): void {
    this.#places.set(key, place);
    while (this.#keys.length <= place) this.#keys.push(undefined);
    this.#keys[place] = key;
    if (place >= this.#dirty.length) this.#grow(place + 1);
    this.#dirty[place] = 0;
  }

  remove(place: number): void {
    this.#places.delete(this.#keys[place]!);
    this.#keys[place] = undefined;
  }

  /** It is needed in this round, and may not leave during it. */
  need(place: number, round: number, now: number): void {
    this.#round[place] = round;
    this.#used[place] = now;
    this.#quiet[place] = 0;
  }

  touch(place: number): void {
    this.#dirty[place] = 1;
  }

  clean(place: number): void {
    this.#dirty[place] = 0;
  }

  isDirty(place: number): boolean {
    return this.#dirty[place] === 1;
  }

  /** Places that nobody has needed since `since`. */
  idle(since: number): number[] {
    return this.places().filter((place) => this.#used[place]! < since);
  }

  /**
   * `count` places whose keys have not been needed for long: the clock algorithm (Corbató 1968), which spares whatever
   * was needed since its hand came by last. None of `round`.
   */
  leastNeeded(count: number, round: number): number[] {
    const chosen = new Set<number>();
    const most = 2 * this.#keys.length;
    for (let steps = 0; chosen.size < count && steps <= most; steps++) {
      const place = this.#hand;
      this.#hand = (this.#hand + 1) % this.#keys.length;
      if (this.#keys[place] === undefined || this.#round[place] === round || chosen.has(place)) continue;
      if (this.#quiet[place] === 1) chosen.add(place);
      else this.#quiet[place] = 1;
    }
    return [...chosen];
  }

  #grow(least: number): void {
    const room = Math.max(least, 2 * this.#dirty.length);
    const larger = <A extends Uint8Array | Float64Array>(to: A, from: A): A => {
      to.set(from);
      return to;
    };
    this.#dirty = larger(new Uint8Array(room), this.#dirty);
    this.#quiet = larger(new Uint8Array(room), this.#quiet);
    this.#round = larger(new Float64Array(room), this.#round);
    this.#used = larger(new Float64Array(room), this.#used);
  }
}
