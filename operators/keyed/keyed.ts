import { concat, defer, from, map, mergeMap, Observable, Subject, throwError, type Observer } from 'rxjs';
import { StreamError } from '../../src/errors.ts';
import { KeyedStreams, type Keyed, type KeyedNote, type KeyedOptions } from '../../src/keyed/index.ts';
import type { Model } from '../../src/signal/index.ts';
import type { Parameters } from '../../src/stream/index.ts';
import { operate } from '../core/operate.ts';
import { mapAsync } from '../pull/map-async.ts';
import { collect } from './collect.ts';

export interface KeyedOperatorOptions<R> extends Omit<KeyedOptions<R>, 'onNote'> {
  /** Lone records gather, so many or for so many milliseconds, whichever is first, and run in one call. */
  readonly batch?: { readonly records: number; readonly ms: number };
  /** Where to go on from: what `snapshot()` of the running streams gave. */
  readonly snapshot?: Uint8Array;
  /** Called with each subscription's streams when they are born. */
  readonly onStreams?: (streams: KeyedStreams<R>) => void;
  /** Told of every record that was late, double, or not a number. Never completed, never told of errors. */
  readonly diagnostics?: Pick<Observer<KeyedNote>, 'next'>;
  /** Values that may wait for states from the store where the source can't be asked to pause; 64. */
  readonly maxPending?: number;
}

/** Records give results one by one, arrays of records arrays of results. */
export type KeyedOperator<R> = <T extends R | readonly R[]>(
  source: Observable<T>,
) => Observable<T extends readonly unknown[] ? Keyed<R>[] : Keyed<R>>;

/**
 * One state a key: records of thousands to millions of sensors in one stream, each through a stream of the model that
 * belongs to its key. Results come in the order of the records.
 *
 *     source   -a1-b1-a2-(b2 a3)-|           a and b are keys
 *     result   -A1-B1-A2-(B2 A3)-|
 *
 * An array of records is one call of the backend, whatever their keys; lone records gather where `batch` says so. With
 * `time` a record is a frame with the time since the one before of its key, by the policies of `irregular`.
 *
 * With a `store`, states of quiet keys leave memory and come back with their key's next record; nothing is lost or
 * overtaken meanwhile, a source that can wait does, and behind others at most `maxPending` values wait. A subscription
 * starts from what is in the store, and when the source completes, everything is there. Without one every subscription
 * starts afresh.
 *
 * @throws GraphError, ParameterError where model and parameters do not fit, or the model can't answer every record at
 *   once; ArgumentError for an option out of range. StreamError, as the error of the stream, where a policy says `error`.
 * @example
 * const id = (row: Row) => row.sensor; // says what the records are
 * rows.pipe(keyed(id, model, parameters, { value: (row) => row.celsius, time: (row) => row.seconds }))
 *   .subscribe(({ key, time, value }) => plot(key, time, value));
 */
export function keyed<R>(
  key: (record: R) => string,
  model: Model,
  parameters: Parameters,
  options: KeyedOperatorOptions<R> = {},
): KeyedOperator<R> {
  const { batch, snapshot, onStreams, diagnostics, maxPending, ...rest } = options;
  const notes = new Subject<KeyedNote>();
  // Through a Subject, so that what the observer throws cannot end the stream.
  if (diagnostics) notes.subscribe((note) => diagnostics.next(note));
  const born = (): KeyedStreams<R> =>
    new KeyedStreams(key, model, parameters, { ...rest, onNote: (note) => notes.next(note) });
  // At once, so that a mistake shows where it is made; the first subscription takes these.
  let first: KeyedStreams<R> | undefined = born();
  const gather = batch && collect<R>(batch);
  const run = (source: Observable<R | readonly R[]>): Observable<Keyed<R> | Keyed<R>[]> =>
    defer(() => {
      const streams = first ?? born();
      first = undefined;
      onStreams?.(streams);
      const values = gather ? source.pipe(map(lone), gather) : source;
      const results = rest.store
        ? throughStore(values, streams, snapshot, maxPending)
        : inMemory(values, streams, snapshot);
      return gather ? results.pipe(mergeMap((result) => (isBatch(result) ? result : [result]))) : results;
    });
  return run as KeyedOperator<R>;
}

const isBatch = <T>(value: T | readonly T[]): value is readonly T[] => Array.isArray(value);

function lone<R>(value: R | readonly R[]): R {
  if (!isBatch(value)) return value;
  throw new StreamError('keyed: `batch` gathers lone records, but an array came; leave it out');
}

/** Everything at once. */
const inMemory = <R>(
  source: Observable<R | readonly R[]>,
  streams: KeyedStreams<R>,
  snapshot: Uint8Array | undefined,
): Observable<Keyed<R> | Keyed<R>[]> =>
  source.pipe(
    operate<R | readonly R[], Keyed<R> | Keyed<R>[]>(() => {
      if (snapshot) streams.restoreNow(snapshot);
      let batches = false;
      const hand = (results: Keyed<R>[], emit: (value: Keyed<R> | Keyed<R>[]) => void): void => {
        if (batches && results.length > 0) emit(results);
        if (!batches) for (const result of results) emit(result);
      };
      return {
        next(value, emit) {
          batches = isBatch(value);
          const results: Keyed<R>[] = [];
          try {
            streams.processNow(isBatch(value) ? value : [value], results);
          } finally {
            hand(results, emit);
          }
        },
        end: (emit) => hand(streams.endNow(), emit),
      };
    }),
  );

/** One value after the other, since states may have to come from elsewhere. */
function throughStore<R>(
  source: Observable<R | readonly R[]>,
  streams: KeyedStreams<R>,
  snapshot: Uint8Array | undefined,
  maxPending: number | undefined,
): Observable<Keyed<R> | Keyed<R>[]> {
  // In front of the first records; its failure is theirs.
  const ready = snapshot ? streams.restore(snapshot) : undefined;
  ready?.catch(() => {});
  const answers = source.pipe(
    mapAsync(
      async (value) => {
        const results: Keyed<R>[] = [];
        try {
          await ready;
          const records = isBatch(value) ? value : [value];
          if (!streams.processNow(records, results)) await streams.process(records, results);
        } catch (error) {
          return { value, results, failure: { error } };
        }
        return { value, results };
      },
      maxPending === undefined ? {} : { maxPending },
    ),
    // What has been taken comes before the error.
    mergeMap(({ value, results, failure }): Observable<Keyed<R> | Keyed<R>[]> => {
      const taken = from(isBatch(value) ? (results.length > 0 ? [results] : []) : results);
      return failure
        ? concat(
            taken,
            throwError(() => failure.error),
          )
        : taken;
    }),
  );
  const settled = new Observable<never>((subscriber) => {
    streams.settle().then(
      () => subscriber.complete(),
      (error: unknown) => subscriber.error(error),
    );
  });
  return concat(answers, settled);
}
