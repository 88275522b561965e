import { parentPort, workerData } from 'node:worker_threads';
import type { TrainingBuild } from '../../backends/wasm/train/module.ts';
import { SequenceProgram } from '../../backends/wasm/train/program.ts';
// Every op makes itself known by its name.
import '../../ops/index.ts';
import { unpackGraph, type PackedGraph } from '../../signal/index.ts';
import type { LossOutput } from '../loss.ts';
import { itemLoss, runShare, type ItemLoss, type Share, type ShareResult } from './items.ts';
import { lossByKind, type LossDescription } from './loss-by-kind.ts';

/** What a thread is made for. */
export interface WorkerJob {
  readonly graph: PackedGraph;
  readonly trained: ReadonlySet<number>;
  readonly deterministic: boolean;
  /** The kernels as the main thread has compiled them. */
  readonly build: TrainingBuild | undefined;
  /** Undefined for a loss that only the main thread has: it is asked item by item. */
  readonly loss: LossDescription | undefined;
}

export type ToWorker =
  | { readonly kind: 'run'; readonly share: Share }
  | { readonly kind: 'loss'; readonly value: number; readonly outputs: Readonly<Record<string, LossOutput>> }
  | { readonly kind: 'abandon' };

export type FromWorker =
  | { readonly kind: 'done'; readonly result: ShareResult }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string }
  | { readonly kind: 'outputs'; readonly index: number; readonly outputs: Record<string, LossOutput> };

if (parentPort) serve(parentPort, workerData as WorkerJob);

function serve(
  port: NonNullable<typeof parentPort>,
  { graph, trained, deterministic, build, loss }: WorkerJob,
): void {
  let program: SequenceProgram | undefined;
  let answer: ((message: ToWorker) => void) | undefined;
  const send = (message: FromWorker): void => port.postMessage(message);
  const own = loss && lossByKind(loss);

  const asked: ItemLoss = (outputs, _item, index) =>
    new Promise((resolve, reject) => {
      answer = (message) => {
        if (message.kind !== 'loss') {
          reject(new Error('the loss was abandoned'));
          return;
        }
        for (const [name, { gradient }] of Object.entries(message.outputs)) {
          if (gradient) outputs[name]!.gradient!.set(gradient);
        }
        resolve(message.value);
      };
      // The data are a view of the whole memory: a copy travels.
      const copies = Object.entries(outputs).map(([name, output]) => [
        name,
        { ...output, data: output.data.slice() },
      ]);
      send({ kind: 'outputs', index, outputs: Object.fromEntries(copies) as Record<string, LossOutput> });
    });

  port.on('message', (message: ToWorker) => {
    if (message.kind !== 'run') {
      answer?.(message);
      return;
    }
    const work = async (): Promise<void> => {
      program ??= new SequenceProgram(unpackGraph(graph), {
        deterministic,
        build,
        isTrained: ({ id }) => trained.has(id),
      });
      send({ kind: 'done', result: await runShare(program, message.share, own ? itemLoss(own) : asked) });
    };
    work().catch((error: Error) => {
      send({ kind: 'failed', name: error.constructor.name, message: error.message });
    });
  });
}
