/**
 * Sensors on an MQTT broker, each through a model of its own: what is unusual goes to a page as it happens.
 *
 *     node examples/sensors-mqtt.ts [mqtt://localhost [topic filter]]
 *     node examples/sensors-mqtt.ts mqtt://localhost --simulate      with twenty pumps of its own
 *
 * Payloads are numbers, or JSON { "time": seconds, "value": number }; the topic is the sensor. Listen with
 * `curl -N http://127.0.0.1:8600/`, or `new EventSource(…)` in a page.
 */
import { filter, map } from 'rxjs';
import { anomalyDetector } from 'statewave/models';
import { fromMqtt, keyed, toServerSentEvents } from 'statewave/operators';

interface Reading {
  readonly sensor: string;
  readonly value: number;
}

const [url = 'mqtt://localhost', topics = 'sensors/#'] = process.argv.slice(2);
const isSimulated = topics === '--simulate';
if (isSimulated) await simulate(url);

const text = new TextDecoder();
const sensorOf = (reading: Reading): string => reading.sensor;

fromMqtt({ url, topics: isSimulated ? 'sensors/#' : topics, clientId: 'anomalies', session: 3600 })
  .pipe(
    map(({ topic, payload }): Reading => {
      const content: unknown = JSON.parse(text.decode(payload));
      const value = typeof content === 'number' ? content : (content as { value?: unknown } | null)?.value;
      // What is no number is left to the policy.
      return { sensor: topic, value: typeof value === 'number' ? value : Number.NaN };
    }),
    keyed(
      sensorOf,
      anomalyDetector(),
      {},
      {
        precision: 'float64',
        missing: 'skip',
        diagnostics: { next: ({ key, dropped }) => console.log(`${key}: not a number (${dropped} so far)`) },
      },
    ),
    filter(({ value }) => (value as number) > 0.04),
    map(({ key, record, value }) => ({ sensor: key, value: record!.value, score: value })),
    toServerSentEvents({
      port: 8600,
      slow: 'drop-oldest',
      onListening: (page) => console.log(`what is unusual: curl -N ${page}`),
    }),
  )
  .subscribe({
    error(error: Error) {
      console.error(error.message);
      process.exitCode = 1;
    },
  });

/** Twenty pumps with a rhythm of their own; now and then one of them jumps. */
async function simulate(broker: string): Promise<void> {
  const { connectAsync } = await import('mqtt');
  const client = await connectAsync(broker);
  let k = 0;
  setInterval(() => {
    k++;
    for (let pump = 0; pump < 20; pump++) {
      const jump = (k + 97 * pump) % 2000 === 1999 ? 3 : 0;
      const value = Math.sin(k / (20 + pump)) + 0.1 * Math.random() + jump;
      client.publish(`sensors/pump-${pump}`, String(value), { qos: 1 });
    }
  }, 10);
}
