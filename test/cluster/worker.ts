/** A worker to be killed and cut off: `node worker.ts port topology`. */
import { startWorker, type Topology } from '../../src/cluster/index.ts';
import { sensorsJob } from './job.ts';

const [port, text] = process.argv.slice(2) as [string, string];
const worker = await startWorker({
  topology: JSON.parse(text) as Topology,
  connection: { servers: `127.0.0.1:${port}` },
  job: sensorsJob,
  heartbeat: 200,
  expiry: 1200,
  saveEvery: 100,
  saveAfter: 500,
  onEvent: ({ kind, partition, error }) =>
    console.log(kind, partition, error === undefined ? '' : String(error)),
});
process.on('SIGTERM', () => void worker.stop());
await worker.closed.catch((error: unknown) => console.log('left', String(error)));
