import { Observable } from 'rxjs';
import type { MqttDelivery, MqttOptions } from '../../src/mqtt/index.ts';
import { deliver } from '../core/pace.ts';

export type { MqttOptions };

/** A message of a broker. */
export type MqttMessage = Omit<MqttDelivery, 'acknowledge'>;

/**
 * Messages of MQTT topics. Each is acknowledged once it has been delivered and whatever its sinks asked to wait for
 * (`hold`) has settled: a consumer that is slow keeps the broker from sending more than `window`, and what it had not
 * taken when it ended comes again to the next one of the same session (`clientId`, `session`). So with QoS 1 nothing is
 * lost, and after a failure a message may come twice (`duplicate`). `consumeDurably` takes each once.
 *
 * Reconnects by itself. Cold: each subscription is a connection; unsubscribing closes it.
 *
 * @throws BackendError, as the error of the stream, without the package `mqtt`, where the broker can't be reached at
 *   first, or refuses; ArgumentError for an option out of range.
 * @example
 * fromMqtt({ url: 'mqtt://localhost', topics: 'pumps/+/pressure' })
 *   .pipe(map(({ topic, payload }) => ({ pump: topic.split('/')[1]!, value: Number(text.decode(payload)) })))
 */
export const fromMqtt = (options: MqttOptions): Observable<MqttMessage> =>
  new Observable((subscriber) => {
    const run = async (): Promise<void> => {
      // Loaded when used: the other operators run without it.
      const { openMqtt } = await import('../../src/mqtt/index.ts');
      if (subscriber.closed) return;
      const consumer = await openMqtt(options);
      subscriber.add(() => void consumer.close().catch(() => {}));
      if (subscriber.closed) return;
      for await (const { acknowledge, ...message } of consumer) {
        await deliver(() => subscriber.next(message));
        if (subscriber.closed) return;
        acknowledge();
      }
      subscriber.complete();
    };
    run().catch((error: unknown) => subscriber.error(error));
  });
