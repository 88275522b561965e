import type { CompileOptions } from '../stream/index.ts';
import type { StateStore } from '../stores/index.ts';
import type { TimelineNote, TimelineOptions } from './policies.ts';

/** How records are read, and where their states live. */
export interface KeyedOptions<R> extends TimelineOptions, Pick<CompileOptions, 'precision' | 'backend'> {
  /** The numbers of a record: as many as the model takes a frame. By default its `value`. */
  readonly value?: (record: R) => number | ArrayLike<number>;
  /**
   * When they were taken, in `timeUnit`. With it a record is a frame with the time since the one before of its key, and
   * the policies of `irregular` hold; without it a record is simply the next frame.
   */
  readonly time?: (record: R) => number;
  /** Hz of the model's own step, for a model that names none; 1: a step of 1 is a second. */
  readonly sampleRate?: number;
  /** Where states wait while their keys are quiet. Without one all of them stay in memory. */
  readonly store?: StateStore;
  /** Keys in memory at most, where there is a store; 100,000. */
  readonly resident?: number;
  /** Seconds without a record after which a key's state leaves for the store, if there is room or not; never. */
  readonly idle?: number;
  /** Told of every record that was late, double, or not a number, once it has been dealt with. */
  readonly onNote?: (note: KeyedNote) => void;
}

export interface KeyedNote extends TimelineNote {
  readonly key: string;
}

/** What a record brought. */
export interface Keyed<R> {
  readonly key: string;
  /** Undefined where the record waited for its order in a run before this one (`reorder`). */
  readonly record: R | undefined;
  /** NaN where records have no time. */
  readonly time: number;
  /** A number where the record had one and the model gives one; else frames × channels. */
  readonly value: number | Float32Array | Float64Array;
}
