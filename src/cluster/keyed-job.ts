import { StreamError } from '../errors.ts';
import type { Keyed, KeyedStreams } from '../keyed/index.ts';
import type { PartitionJob } from './job.ts';

export interface KeyedPartitionOptions<R> {
  /** The record in a reading; its key has to be the sensor. Undefined for a reading that has none. */
  readonly read: (sensor: string, reading: Uint8Array) => R | undefined;
  /** The bytes of a result. */
  readonly write: (result: Keyed<R>) => Uint8Array;
}

/**
 * Keyed streams as the job of a partition. All states of a partition are in memory and in its record, so the streams
 * have no store: partitions are what divides them.
 *
 * @throws StreamError for streams with a store.
 * @example
 * const job = () => keyedPartitionJob(new KeyedStreams((r: Reading) => r.sensor, model, parameters), { read, write });
 * await startWorker({ topology, job });
 */
export function keyedPartitionJob<R>(
  streams: KeyedStreams<R>,
  { read, write }: KeyedPartitionOptions<R>,
): PartitionJob {
  if (streams.hasStore)
    throw new StreamError("keyed: a partition's states are in its record; give its streams no store");
  return {
    identity: `${streams.identity} ${streams.backend}`,
    take(sensor, reading) {
      const record = read(sensor, reading);
      if (record === undefined) return [];
      // Without a store there is nothing to wait for.
      return streams.processNow([record])!.map((result) => ({ sensor: result.key, data: write(result) }));
    },
    snapshot: () => streams.snapshotNow(),
    restore: (state) => streams.restoreNow(state),
  };
}
