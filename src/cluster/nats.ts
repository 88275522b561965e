import type * as Transport from '@nats-io/transport-node';
import type * as JetStream from '@nats-io/jetstream';
import type * as KeyValue from '@nats-io/kv';
import { BackendError } from '../errors.ts';

/** The client of NATS, loaded when the first worker starts. */
export type Nats = Pick<typeof Transport, 'connect' | 'nanos'> &
  Pick<
    typeof JetStream,
    'jetstream' | 'jetstreamManager' | 'AckPolicy' | 'DeliverPolicy' | 'RetentionPolicy'
  > &
  Pick<typeof KeyValue, 'Kvm'>;

/** @throws BackendError where the packages are not installed. */
export async function loadNats(): Promise<Nats> {
  try {
    const [transport, jetstream, keyValue] = await Promise.all([
      import('@nats-io/transport-node'),
      import('@nats-io/jetstream'),
      import('@nats-io/kv'),
    ]);
    return { ...transport, ...jetstream, ...keyValue };
  } catch (cause) {
    throw new BackendError(
      'workers on JetStream need the client of NATS: npm install @nats-io/transport-node @nats-io/jetstream @nats-io/kv',
      { cause },
    );
  }
}
