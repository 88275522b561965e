/** To be killed: `node consumer.ts url output checkpoint every [store]`. */
import { consumeDurably } from '../../src/durable/index.ts';
import { openFileStore } from '../../src/keyed/index.ts';
import { openMqtt } from '../../src/mqtt/index.ts';
import { jobOf, sequence } from './job.ts';

const [url, output, checkpoint, every, path] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string?,
];
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());
const job = jobOf(path === undefined ? undefined : await openFileStore(path));
const broker = await openMqtt({ url, topics: 'sensors/#', clientId: 'consumer', session: 3600, window: 200 });
console.log('here');
const { signal } = stop;
await consumeDurably(job, broker, { output, checkpoint, every: Number(every), within: 20, sequence, signal });
process.exit(0);
