import type { Keyed, KeyedStreams } from '../keyed/index.ts';
import type { Job } from './job.ts';

export interface KeyedJobOptions<Input, R> {
  /** The record in a line or a message; undefined for one that has none (a heading, a comment). */
  readonly read: (input: Input) => R | undefined;
  /** The line of a result, without its end; undefined for a result that has none. */
  readonly write: (result: Keyed<R>) => string | undefined;
  /** Tells apart jobs of one model that read or write otherwise. */
  readonly name?: string;
}

/**
 * Keyed streams as a job that a crash costs nothing. With a store, that has to be one that can go back
 * (`openFileStore`), and it belongs to this job alone: a job without a checkpoint begins with an empty one.
 *
 * @example
 * const streams = new KeyedStreams((row: Row) => row.sensor, model, parameters, { store: await openFileStore('states') });
 * const job = keyedJob(streams, { read: JSON.parse, write: ({ key, value }) => `${key},${value}` });
 * await runDurably(job, { input: 'rows.jsonl', output: 'scores.csv', checkpoint: 'scores.state', every: 10_000 });
 */
export function keyedJob<Input, R>(
  streams: KeyedStreams<R>,
  { read, write, name = '' }: KeyedJobOptions<Input, R>,
): Job<Input> {
  const text = (results: readonly Keyed<R>[]): string =>
    results
      .map((result) => {
        const line = write(result);
        return line === undefined ? '' : `${line}\n`;
      })
      .join('');
  return {
    identity: `${name} ${streams.identity} ${streams.backend}`.trim(),
    take(input) {
      const record = read(input);
      if (record === undefined) return '';
      const results = streams.processNow([record]);
      return results ? text(results) : streams.process([record]).then(text);
    },
    end: () => text(streams.endNow()),
    snapshot: () => streams.snapshot(),
    restore: (state) => streams.restore(state),
    begin: () => streams.clear(),
  };
}
