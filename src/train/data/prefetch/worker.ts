/** A thread that makes batches: opens the source that it is told, and answers requests in their order. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Batch } from '../../session.ts';
import type { DataSource, SourceDescription } from '../described.ts';
import { openSource } from '../kinds.ts';
import { memoryOf, packError, type Reply, type Request } from './messages.ts';

const port = parentPort!;
const say = (reply: Reply, memory: ArrayBuffer[] = []): void => port.postMessage(reply, memory);

const opening = openSource(workerData as SourceDescription);
opening.then(
  ({ targets, batchesPerEpoch, facts }) => say({ kind: 'open', targets, batchesPerEpoch, facts }),
  (error: unknown) => say({ kind: 'error', id: undefined, error: packError(error) }),
);

let before = Promise.resolve();
port.on('message', (request: Request) => {
  before = before.then(() => answer(request));
});

async function answer({ id, epoch, number }: Request): Promise<void> {
  try {
    const batch = await one(await opening, epoch, number);
    say({ kind: 'batch', id, batch }, memoryOf(batch));
  } catch (error) {
    say({ kind: 'error', id, error: packError(error) });
  }
}

async function one(source: DataSource, epoch: number, number: number): Promise<Batch> {
  for await (const batch of source.batches(epoch, number)) return batch;
  throw new Error(`the source has no batch ${number} in epoch ${epoch}`);
}
