/** What the consumer that is killed does with readings, and what undisturbed streams make of the same. */
import { keyedJob, type Job, type Message } from '../../src/durable/index.ts';
import { KeyedStreams, type Keyed, type StateStore } from '../../src/keyed/index.ts';
import { initialise, s5 } from '../../src/layers/index.ts';

export interface Row {
  readonly sensor: string;
  readonly number: number;
  readonly time: number;
  readonly value: number;
}

const model = s5({ features: 1, states: 16 });

export const streamsOf = (store?: StateStore): KeyedStreams<Row> =>
  new KeyedStreams((row) => row.sensor, model, initialise(model, 1), {
    time: (row) => row.time,
    ...(store ? { store, resident: 8 } : {}),
  });

export const lineOf = ({ key, time, value }: Keyed<Row>): string => `${key} ${time} ${String(value)}`;

export const rowOf = ({ payload }: Message): Row => JSON.parse(new TextDecoder().decode(payload)) as Row;

export const jobOf = (store?: StateStore): Job<Message> =>
  keyedJob(streamsOf(store), { read: rowOf, write: lineOf });

export const sequence = (message: Message): { sender: string; number: number } => {
  const { sensor, number } = rowOf(message);
  return { sender: sensor, number };
};
