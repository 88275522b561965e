import { Worker } from 'node:worker_threads';
import { findBuild } from '../../backends/wasm/train/module.ts';
import { SequenceProgram } from '../../backends/wasm/train/program.ts';
import * as errors from '../../errors.ts';
import { packGraph, type Graph } from '../../signal/index.ts';
import type { Loss, LossOutput } from '../loss.ts';
import { itemLoss, runShare, type ItemLoss, type Share, type ShareResult } from './items.ts';
import { lossByKind } from './loss-by-kind.ts';
import type { FromWorker, ToWorker, WorkerJob } from './worker.ts';

/** Who runs shares of a batch. Results come in the order of the shares. */
export interface Runner {
  readonly threads: number;
  readonly fallbacks: readonly string[];
  readonly kernels: string;
  /** Ops whose past can't be carried on from batch to batch. */
  readonly notCarried: readonly string[];
  run(shares: readonly Share[]): Promise<ShareResult[]>;
  close(): Promise<void>;
}

export interface RunnerOptions {
  readonly deterministic: boolean;
  readonly workers: number;
  readonly trained: ReadonlySet<number>;
  readonly loss: Loss;
}

/** In this thread for one worker, else in as many of their own. */
export function openRunner(graph: Graph, options: RunnerOptions): Runner {
  const { deterministic, workers, trained, loss } = options;
  const program = new SequenceProgram(graph, { deterministic, isTrained: ({ id }) => trained.has(id) });
  const { fallbacks, notCarried } = program;
  const kernels = program.memory.name;
  if (workers === 1) {
    return {
      threads: 1,
      fallbacks,
      notCarried,
      kernels,
      async run(shares) {
        const results: ShareResult[] = [];
        for (const share of shares) results.push(await runShare(program, share, itemLoss(loss)));
        return results;
      },
      close: () => Promise.resolve(),
    };
  }
  const known = lossByKind(loss) !== undefined;
  const job: WorkerJob = {
    graph: packGraph(graph),
    trained,
    deterministic,
    build: findBuild(deterministic),
    loss: known ? { kind: loss.kind, options: loss.options } : undefined,
  };
  const threads = Array.from({ length: workers }, () => new Thread(job, itemLoss(loss)));
  return {
    threads: workers,
    fallbacks,
    notCarried,
    kernels,
    run: (shares) => Promise.all(shares.map((share, i) => threads[i]!.run(share))),
    async close() {
      await Promise.all(threads.map((thread) => thread.close()));
    },
  };
}

/** A worker thread that runs one share at a time. It does not keep the process alive while it waits. */
class Thread {
  readonly #worker: Worker;
  readonly #loss: ItemLoss;
  #share: Share | undefined;
  #settle: { resolve(result: ShareResult): void; reject(error: Error): void } | undefined;

  constructor(job: WorkerJob, loss: ItemLoss) {
    this.#loss = loss;
    const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js';
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: job });
    this.#worker.on('message', (message: FromWorker) => void this.#receive(message));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () =>
      this.#fail(new errors.BackendError('a training thread has ended; open a new session')),
    );
    this.#worker.unref();
  }

  run(share: Share): Promise<ShareResult> {
    this.#share = share;
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      const owned = ownedShare(share);
      const buffers = owned.items.flatMap(({ inputs, targets }) => [
        ...Object.values(inputs).map(({ data }) => data.buffer as ArrayBuffer),
        ...Object.values(targets).map((data) => data.buffer as ArrayBuffer),
      ]);
      this.#send({ kind: 'run', share: owned }, buffers);
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #send(message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    this.#worker.postMessage(message, transfer);
  }

  async #receive(message: FromWorker): Promise<void> {
    switch (message.kind) {
      case 'done':
        this.#worker.unref();
        this.#settle?.resolve(message.result);
        this.#settle = undefined;
        return;
      case 'failed': {
        const known = (errors as unknown as Record<string, new (text: string) => Error>)[message.name];
        this.#fail(known ? new known(message.message) : new Error(message.message));
        return;
      }
      case 'outputs': {
        const outputs: Record<string, LossOutput> = message.outputs;
        try {
          const value = await this.#loss(outputs, this.#share!.items[message.index]!, message.index);
          this.#send({ kind: 'loss', value, outputs });
        } catch (error) {
          this.#send({ kind: 'abandon' });
          this.#fail(error as Error);
        }
      }
    }
  }

  #fail(error: Error): void {
    this.#worker.unref();
    this.#settle?.reject(error);
    this.#settle = undefined;
  }
}

/** The items' numbers alone: a view would take the whole batch with it. */
const ownedShare = (share: Share): Share => ({
  ...share,
  items: share.items.map((item) => ({
    ...item,
    inputs: Object.fromEntries(
      Object.entries(item.inputs).map(([port, input]) => [port, { ...input, data: input.data.slice() }]),
    ),
    targets: Object.fromEntries(Object.entries(item.targets).map(([name, data]) => [name, data.slice()])),
  })),
});
