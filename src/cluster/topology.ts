import type { NatsConnection } from '@nats-io/transport-node';
import type { KV } from '@nats-io/kv';
import { ArgumentError } from '../errors.ts';
import { loadNats } from './nats.ts';
import { crc32 } from 'node:zlib';

/**
 * Where things stand on the server. Readings of a sensor go through `<name>.in.<partition>.<sensor>`, its results
 * through `<name>.out.<partition>.<sensor>`.
 *
 * | on the server | holds |
 * | --- | --- |
 * | stream `<name>-in` | readings, until their worker has saved what follows from them |
 * | stream `<name>-out` | results; drops those with an id that it has seen within `duplicates` |
 * | bucket `<name>-state` | a record a partition: state of its sensors, last reading, model |
 * | bucket `<name>-owners` | who owns which partition, and which workers live |
 */
export interface Topology {
  /** Letters, digits and hyphens. */
  readonly name: string;
  /** Pieces that the sensors are divided into; a worker owns any number of them. Fixed for the life of the streams. */
  readonly partitions: number;
  /** Seconds within which a result that is sent twice is dropped; 600. */
  readonly duplicates?: number;
  /** Where the server keeps it all; `file`. */
  readonly storage?: 'file' | 'memory';
  /** Servers that hold a copy each; 1. */
  readonly replicas?: number;
}

export interface Buckets {
  readonly state: KV;
  readonly owners: KV;
}

export const inputOf = ({ name }: Topology): string => `${name}-in`;
export const outputOf = ({ name }: Topology): string => `${name}-out`;

/** The partition of a sensor: the same for every sender and worker. */
export const partitionOf = (sensor: string, partitions: number): number => crc32(sensor) % partitions;

/** @throws ArgumentError for a sensor whose name can't be part of a subject. */
export function subjectOf(topology: Topology, way: 'in' | 'out', sensor: string): string {
  if (!/^[^\s.*>]+$/.test(sensor)) {
    throw new ArgumentError(
      `sensor ${JSON.stringify(sensor)} can't be part of a subject; give it a name without spaces, dots, * and >`,
    );
  }
  return `${topology.name}.${way}.${partitionOf(sensor, topology.partitions)}.${sensor}`;
}

/** The sensor in a subject. */
export const sensorOf = (subject: string): string => subject.slice(subject.lastIndexOf('.') + 1);

/** Makes the streams and buckets that are not there yet. */
export async function createTopology(connection: NatsConnection, topology: Topology): Promise<Buckets> {
  check(topology);
  const { jetstreamManager, Kvm, RetentionPolicy, nanos } = await loadNats();
  const { name, duplicates = 600, storage = 'file', replicas = 1 } = topology;
  const manager = await jetstreamManager(connection);
  const common = { storage, num_replicas: replicas } as const;
  const ensure = async (stream: string, config: object): Promise<void> => {
    try {
      await manager.streams.info(stream);
    } catch {
      await manager.streams.add({ name: stream, ...common, ...config });
    }
  };
  const duplicate_window = nanos(duplicates * 1000);
  // A work queue: what has been acknowledged is gone.
  await ensure(inputOf(topology), {
    subjects: [`${name}.in.*.*`],
    retention: RetentionPolicy.Workqueue,
    duplicate_window,
  });
  await ensure(outputOf(topology), { subjects: [`${name}.out.*.*`], duplicate_window });
  const buckets = new Kvm(connection);
  const bucket = (key: string): Promise<KV> =>
    buckets.create(`${name}-${key}`, { storage, replicas, history: 1 });
  return { state: await bucket('state'), owners: await bucket('owners') };
}

function check({ name, partitions, duplicates = 600 }: Topology): void {
  if (!/^[A-Za-z0-9-]+$/.test(name))
    throw new ArgumentError(`the name is ${JSON.stringify(name)}; give letters, digits and hyphens`);
  if (!(Number.isSafeInteger(partitions) && partitions >= 1))
    throw new ArgumentError(`partitions is ${partitions}; give a whole number of at least 1`);
  if (!(duplicates > 0)) throw new ArgumentError(`duplicates is ${duplicates}; give seconds above 0`);
}
