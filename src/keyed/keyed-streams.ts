import { SnapshotError, StreamError } from '../errors.ts';
import type { Model } from '../signal/index.ts';
import { isRevertible, type RevertibleStore } from '../stores/index.ts';
import { compileBank, type Parameters, type StreamBank } from '../stream/index.ts';
import { Batch } from './batch.ts';
import { keyedChoices, type KeyedChoices } from './choices.ts';
import { Codec } from './codec.ts';
import { all, Depot, OWN } from './depot.ts';
import { packKeyed, unpackKeyed } from './keyed-snapshot.ts';
import type { Keyed, KeyedNote, KeyedOptions } from './options.ts';
import type { TimelineNote } from './policies.ts';
import { Residents } from './residents.ts';
import { Timelines } from './timelines.ts';

/** Records of one call into the bank at most. */
const PIECE = 4096;
/** Idle keys are looked for so many times in the time that makes them idle. */
const SWEEPS = 4;

/**
 * One stream of a model for each key, for thousands to millions of keys: records in, in any mixture of keys, and what
 * follows from each out, in the order of the records. Records of one call run in one call of the backend, whatever
 * their keys.
 *
 * With a store, states of keys that are quiet leave for it and come back with their key's next record; outputs are those
 * of a run in which everything fits into memory, bit for bit and in the same order. Where a state comes from elsewhere,
 * the records of the same call and those behind wait for it.
 *
 * The calls that end in `Now` answer at once; `processNow` refuses to (`undefined`) where it would have to wait.
 *
 * @example
 * const streams = new KeyedStreams((r: Row) => r.sensor, model, parameters, { value: (r) => r.celsius });
 * for (const { key, value } of await streams.process(rows)) console.log(key, value);
 */
export class KeyedStreams<R> {
  readonly #key: (record: R) => string;
  readonly #value: (record: R) => number | ArrayLike<number>;
  readonly #time: ((record: R) => number) | undefined;
  readonly #onNote: ((note: KeyedNote) => void) | undefined;
  readonly #choices: KeyedChoices;
  readonly #bank: StreamBank;
  readonly #lines: Timelines<R>;
  readonly #batch: Batch<R>;
  readonly #codec: Codec;
  readonly #depot: Depot | undefined;
  readonly #identity: string;
  readonly #residents = new Residents();
  /** Calls for records so far: tells apart what the running one needs. */
  #round = 0;
  /** When idle keys were looked for. */
  #swept = Date.now();
  /** Of the call that is running. */
  readonly #notes: KeyedNote[] = [];
  #results: Keyed<R>[] = [];
  #takesNumber = false;
  /** Calls that wait or work, one behind the other. */
  #tail: Promise<unknown> = Promise.resolve();
  #busy = 0;

  /**
   * @throws GraphError, ParameterError where model and parameters do not fit, or the model can't answer every record at
   *   once; ArgumentError for an option out of range.
   */
  constructor(
    key: (record: R) => string,
    model: Model,
    parameters: Parameters,
    options: KeyedOptions<R> = {},
  ) {
    const { time, store, sampleRate, onNote, precision, backend } = options;
    const choices = keyedChoices(model, options);
    const hasTime = time !== undefined;
    const bank = compileBank(model, parameters, {
      irregular: hasTime,
      maxLatency: 0,
      precision,
      backend,
      ...(hasTime ? {} : { sampleRate }),
    });
    this.#key = key;
    this.#value = options.value ?? ((record) => (record as { readonly value: number }).value);
    this.#time = time;
    this.#onNote = onNote;
    this.#choices = choices;
    this.#bank = bank;
    this.#batch = new Batch(bank, PIECE, hasTime);
    const steps = {
      take: (place: number, at: number, dt: number, numbers: Float64Array, record: R | undefined) => {
        if (this.#batch.isFull) this.#run();
        this.#batch.put(place, at, dt * choices.rate, numbers, record, this.#takesNumber);
        this.#residents.touch(place);
      },
      reset: (place: number) => {
        this.#run();
        bank.reset(place);
      },
      tell: (place: number, note: TimelineNote) => {
        this.#residents.touch(place);
        if (onNote) this.#notes.push({ ...note, key: this.#residents.keyOf(place)! });
      },
    };
    this.#lines = new Timelines<R>(bank.inputChannels, choices.timing, steps, this.#batch.largest);
    this.#codec = new Codec(bank, this.#lines, hasTime);
    this.#depot = store && new Depot(store, this.#codec, this.#residents);
    const { model: name, hash } = bank.identity;
    const settings = { ...choices.timing, irregular: hasTime, rate: choices.rate };
    this.#identity = `keyed ${name} ${hash} ${bank.identity.precision} ${JSON.stringify(settings)}`;
  }

  /** Names the model, its weights and the settings. */
  get identity(): string {
    return this.#identity;
  }

  /** The backend whose arithmetic the outputs have. */
  get backend(): string {
    return this.#bank.identity.backend;
  }

  /** Whether states may be elsewhere. */
  get hasStore(): boolean {
    return this.#depot !== undefined;
  }

  /** Keys in memory. */
  get resident(): number {
    return this.#residents.size;
  }

  /** Bytes of memory that one more resident key costs, its name and the tables that find it aside. */
  get bytesPerKey(): number {
    return this.#bank.bytesPerStream + 8 * (2 + this.#bank.inputChannels) + 18;
  }

  /**
   * Takes records and answers with what follows from them, in their order; or with undefined, and nothing taken, where a
   * state has to come from the store or earlier calls have not ended.
   *
   * @param results receives them; where an error comes, it has those of the records before the one that it names, which
   *   have been taken. That one and those behind it have not.
   * @throws StreamError where a policy says `error`, or a record is none.
   */
  processNow(records: readonly R[], results: Keyed<R>[] = []): Keyed<R>[] | undefined {
    if (this.#busy > 0 || this.#isSweepDue()) return undefined;
    if (this.#depot) {
      for (let i = 0; i < records.length; i++)
        if (this.#residents.placeOf(this.#keyOf(records[i]!)) === undefined) return undefined;
    }
    this.#results = results;
    for (let from = 0; from < records.length; from += PIECE)
      this.#runPiece(records, from, Math.min(records.length, from + PIECE));
    return results;
  }

  /**
   * As `processNow`, whatever it has to wait for. Calls run in the order in which they came.
   *
   * @throws what the store says, too: the records of `results` have been taken then, and no others; no state is lost.
   */
  process(records: readonly R[], results: Keyed<R>[] = []): Promise<Keyed<R>[]> {
    return this.#inTurn(async () => {
      const step = Math.min(PIECE, this.#choices.limit);
      for (let from = 0; from < records.length; from += step) {
        const to = Math.min(records.length, from + step);
        if (this.#depot) await this.#admit(this.#depot, records, from, to);
        this.#results = results;
        this.#runPiece(records, from, to);
      }
      if (this.#isSweepDue()) await this.#sweep();
      return results;
    });
  }

  /** No more records: those that wait for their order (`reorder`) are due. States stay. */
  endNow(results: Keyed<R>[] = []): Keyed<R>[] {
    this.#results = results;
    const keyOf = (place: number): string => this.#residents.keyOf(place)!;
    // By key, so that the order does not depend on who came first.
    const places = this.#residents.places().sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    this.#guarded(() => {
      for (const place of places) this.#lines.end(place);
    });
    return results;
  }

  /** Everything that is not in the store yet goes there; it stays in memory as well. */
  settle(): Promise<void> {
    return this.#inTurn(async () => this.#depot?.save(this.#residents.places()));
  }

  /** States that have been quiet for `idle` leave. Calls of `process` see to it; where none come, a timer may. */
  sweep(): Promise<void> {
    return this.#inTurn(() => this.#sweep());
  }

  /** A key is forgotten, here and in the store. */
  forget(key: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#depot?.store.delete(key);
      const place = this.#residents.placeOf(key);
      if (place !== undefined) this.#drop(place);
    });
  }

  /** Every key is forgotten. A store that can go back goes back to its beginning. */
  clear(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#depot) await this.#revertible().revert(undefined);
      this.#dropAll();
    });
  }

  /**
   * All that is remembered. Without a store it is in these bytes, and the same states give the same bytes; with one that
   * can go back, everything is brought there, and these bytes name the moment.
   *
   * @throws StreamError where the store can't go back.
   */
  snapshot(): Promise<Uint8Array> {
    return this.#inTurn(async () => {
      if (!this.#depot) return this.snapshotNow();
      const store = this.#revertible();
      await this.#depot.save(this.#residents.places());
      const mark = await store.mark();
      return packKeyed({ identity: this.#identity, mark, form: this.#codec.form, states: [] });
    });
  }

  /** As `snapshot`, without a store. */
  snapshotNow(): Uint8Array {
    if (this.#depot) throw new StreamError('keyed: with a store a snapshot takes its time; use snapshot()');
    const states = this.#residents
      .places()
      .map((place) => [this.#residents.keyOf(place)!, this.#codec.pack(place)] as const);
    return packKeyed({ identity: this.#identity, mark: null, form: this.#codec.form, states });
  }

  /**
   * Goes on from a snapshot, bit for bit; what is in memory is forgotten, and the store goes back.
   *
   * @throws SnapshotError for one that is damaged, of another model or other settings, or of another store. All is as
   *   before then.
   */
  restore(snapshot: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const { mark } = this.#open(snapshot);
      if (mark === null) {
        this.restoreNow(snapshot);
        return;
      }
      if (!this.#depot) throw new SnapshotError('the snapshot names a moment of a store; give that store');
      await this.#revertible().revert(mark);
      this.#dropAll();
    });
  }

  /** As `restore`, without a store. */
  restoreNow(snapshot: Uint8Array): void {
    const { mark, form, states } = this.#open(snapshot);
    if (mark !== null)
      throw new SnapshotError('the snapshot names a moment of a store; give that store, and use restore()');
    if (this.#depot)
      throw new SnapshotError('the snapshot was taken without a store; restore it without one');
    this.#codec.learn(form);
    const places: number[] = [];
    try {
      for (const [key, state] of states) places.push(this.#unpack(key, state));
    } catch (error) {
      for (const place of places) this.#bank.close(place);
      throw error;
    }
    this.#dropAll();
    states.forEach(([key], i) => this.#residents.add(key, places[i]!));
  }

  #open(snapshot: Uint8Array): ReturnType<typeof unpackKeyed> {
    const opened = unpackKeyed(snapshot);
    if (opened.identity !== this.#identity) {
      throw new SnapshotError(
        `the snapshot is of ${opened.identity}, these streams are ${this.#identity}: another model, other weights or other ` +
          'settings; use those of the snapshot',
      );
    }
    return opened;
  }

  #revertible(): RevertibleStore {
    const { store } = this.#depot!;
    if (isRevertible(store)) return store;
    throw new StreamError(
      "keyed: this store can't go back to a moment, so a snapshot could not say what is in it; " +
        'use openFileStore(), revertible(store), or none',
    );
  }

  #keyOf(record: R): string {
    const key = this.#key(record);
    if (typeof key !== 'string' || key.startsWith(OWN)) {
      throw new StreamError(
        `keyed: a record's key is ${typeof key === 'string' ? JSON.stringify(key) : typeof key}; give a string that does not begin with NUL`,
      );
    }
    return key;
  }

  /** Calls one behind the other; one that fails does not keep those behind it from running. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#busy++;
    const done = this.#tail.then(work).finally(() => this.#busy--);
    this.#tail = done.catch(() => {});
    return done;
  }

  /** Records whose keys are in memory, or new where there is no store. */
  #runPiece(records: readonly R[], from: number, to: number): void {
    const now = this.#choices.idle === Infinity ? 0 : Date.now();
    const round = ++this.#round;
    this.#guarded(() => {
      for (let i = from; i < to; i++) {
        const record = records[i]!;
        const key = this.#keyOf(record);
        let place = this.#residents.placeOf(key);
        if (place === undefined) {
          place = this.#fresh();
          this.#residents.add(key, place);
        }
        this.#residents.need(place, round, now);
        const value = this.#value(record);
        this.#takesNumber = typeof value === 'number';
        try {
          this.#lines.push(place, this.#time?.(record), value, record);
        } catch (error) {
          if (error instanceof StreamError) error.message = `${JSON.stringify(key)}: ${error.message}`;
          throw error;
        }
      }
    });
  }

  /** Whatever happens, what has been taken runs, and notes are told. */
  #guarded(work: () => void): void {
    try {
      work();
    } finally {
      this.#run();
      for (const note of this.#notes.splice(0)) this.#onNote!(note);
    }
  }

  /** Frames that have gathered go through the bank. */
  #run(): void {
    this.#batch.run((place) => this.#residents.keyOf(place)!, this.#results);
  }

  /** All keys of some records come into memory, and as many others leave as there is no room for. */
  async #admit(depot: Depot, records: readonly R[], from: number, to: number): Promise<void> {
    const round = ++this.#round;
    const now = Date.now();
    const missing = new Set<string>();
    for (let i = from; i < to; i++) {
      const key = this.#keyOf(records[i]!);
      const place = this.#residents.placeOf(key);
      if (place === undefined) missing.add(key);
      else this.#residents.need(place, round, now);
    }
    if (missing.size === 0) return;
    const surplus = this.#residents.size + missing.size - this.#choices.limit;
    const leaving = surplus > 0 ? this.#residents.leastNeeded(surplus, round) : [];
    const keys = [...missing];
    // Different keys: no state is written and read at once.
    const [states] = await all([depot.load(keys), depot.save(leaving).then(() => [])]);
    for (const place of leaving) this.#drop(place);
    keys.forEach((key, i) => {
      const state = states![i];
      const place = state === undefined ? this.#fresh() : this.#unpack(key, state);
      this.#residents.add(key, place);
    });
  }

  #isSweepDue(): boolean {
    return this.#choices.idle < Infinity && Date.now() - this.#swept > this.#choices.idle / SWEEPS;
  }

  async #sweep(): Promise<void> {
    this.#swept = Date.now();
    const leaving = this.#residents.idle(this.#swept - this.#choices.idle);
    await this.#depot?.save(leaving);
    for (const place of leaving) this.#drop(place);
  }

  /** The place of a stream that has taken nothing. */
  #fresh(): number {
    const place = this.#bank.open();
    this.#lines.reserve(place + 1);
    this.#lines.clear(place);
    return place;
  }

  #drop(place: number): void {
    this.#residents.remove(place);
    this.#lines.clear(place);
    this.#bank.close(place);
  }

  #dropAll(): void {
    for (const place of this.#residents.places()) this.#drop(place);
    this.#depot?.changed();
  }

  #unpack(key: string, state: Uint8Array): number {
    const place = this.#fresh();
    try {
      this.#codec.unpack(place, key, state);
    } catch (error) {
      this.#bank.close(place);
      throw error;
    }
    return place;
  }
}
