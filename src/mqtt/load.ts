import type * as Mqtt from 'mqtt';
import { BackendError } from '../errors.ts';

/** The client, loaded with the first connection. @throws BackendError where the package is not installed. */
export async function loadMqtt(): Promise<typeof Mqtt.default> {
  try {
    return (await import('mqtt')).default;
  } catch (cause) {
    throw new BackendError('MQTT needs its client: npm install mqtt', { cause });
  }
}
