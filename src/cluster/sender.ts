import type { NatsConnection } from '@nats-io/transport-node';
import { loadNats } from './nats.ts';
import { createTopology, subjectOf, type Topology } from './topology.ts';

/** Sends readings to where their workers find them. */
export interface Sender {
  /**
   * One reading; settles once the server has it on its disk or in its memory.
   *
   * @param id of the reading, such as the sensor's own counter: sent again under the same id within the topology's
   *   `duplicates`, it counts once. Without one, a repetition after an error may count twice.
   */
  send(sensor: string, reading: Uint8Array, id?: string): Promise<void>;
}

/**
 * @throws ArgumentError for a topology or a sensor's name that can't be.
 * @example
 * const sender = await createSender(connection, { name: 'pumps', partitions: 64 });
 * await sender.send('pump-17', Float32Array.of(3.2).…, '17/40213');
 */
export async function createSender(connection: NatsConnection, topology: Topology): Promise<Sender> {
  const { jetstream } = await loadNats();
  await createTopology(connection, topology);
  const client = jetstream(connection);
  return {
    async send(sensor, reading, id) {
      await client.publish(
        subjectOf(topology, 'in', sensor),
        reading,
        id === undefined ? {} : { msgID: `${sensor}/${id}` },
      );
    },
  };
}
