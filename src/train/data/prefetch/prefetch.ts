import { Worker } from 'node:worker_threads';
import { ArgumentError, BackendError } from '../../../errors.ts';
import type { Batch } from '../../session.ts';
import type { DataSource, SourceDescription } from '../described.ts';
import type { Description } from '../kinds.ts';
import { unpackError, type Reply, type Request } from './messages.ts';

export interface PrefetchOptions {
  /** Batches that are ready, or being made, before they are asked for; 4 by default. */
  readonly batches?: number | undefined;
  /** Threads; 1 by default. Each opens the source for itself: let it keep decoded recordings in a `cache` on disk. */
  readonly workers?: number | undefined;
}

/**
 * A source in threads of its own, so that reading and mixing go on while a training step runs. The batches are those
 * of the source itself, whatever the number of threads: each is made from (seed, epoch, number).
 *
 * @throws ArgumentError for options that cannot be, and whatever the source throws when it is opened. An error while a
 *   batch is made comes where that batch is asked for.
 * @example
 * const source = await prefetch({ kind: 'denoise', speech, speaker, noise, frames, batch, batchesPerEpoch }, { batches: 4 });
 * try {
 *   await fit(model, source);
 * } finally {
 *   await source.close();
 * }
 */
export async function prefetch(
  description: Description | SourceDescription,
  { batches: ahead = 4, workers: count = 1 }: PrefetchOptions = {},
): Promise<DataSource> {
  for (const [name, value] of Object.entries({ batches: ahead, workers: count })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new ArgumentError(`prefetch: ${name} is ${value}; give a whole number of at least 1`);
    }
  }
  const threads: Thread[] = [];
  try {
    // The first one alone: what it decodes into a cache, the others find there.
    threads.push(new Thread(description));
    const opened = await threads[0]!.opened;
    while (threads.length < count) threads.push(new Thread(description));
    await Promise.all(threads.map((thread) => thread.opened));
    return new Prefetched(threads, Math.max(ahead, count), opened);
  } catch (error) {
    await Promise.all(threads.map((thread) => thread.close()));
    throw error;
  }
}

type Opened = Extract<Reply, { kind: 'open' }>;

class Prefetched implements DataSource {
  readonly targets: readonly string[];
  readonly batchesPerEpoch: number;
  readonly facts: DataSource['facts'];
  readonly #threads: readonly Thread[];
  readonly #ahead: number;

  constructor(
    threads: readonly Thread[],
    ahead: number,
    { targets, batchesPerEpoch, facts }: Pick<Opened, 'targets' | 'batchesPerEpoch' | 'facts'>,
  ) {
    this.#threads = threads;
    this.#ahead = ahead;
    this.targets = targets;
    this.batchesPerEpoch = batchesPerEpoch;
    this.facts = facts;
  }

  async *batches(epoch: number, from: number): AsyncGenerator<Batch, void, void> {
    const coming: Promise<Batch>[] = [];
    let next = from;
    for (let number = from; number < this.batchesPerEpoch; number++) {
      while (next < this.batchesPerEpoch && coming.length < this.#ahead) {
        const batch = this.#threads[next % this.#threads.length]!.ask(epoch, next);
        // Whoever stops early leaves it unread: its failure is then nobody's business.
        batch.catch(() => {});
        coming.push(batch);
        next++;
      }
      yield await coming.shift()!;
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

interface Waiting<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

class Thread {
  readonly opened: Promise<Opened>;
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting<Batch>>();
  #id = 0;
  #gone: Error | undefined;
  #closing = false;

  constructor(description: SourceDescription | Description) {
    this.#worker = new Worker(workerFile(), { workerData: description });
    const opening = Promise.withResolvers<Opened>();
    this.opened = opening.promise;
    this.opened.catch(() => {});
    this.#worker.on('message', (reply: Reply) => {
      if (reply.kind === 'open') opening.resolve(reply);
      else if (reply.kind === 'batch') this.#take(reply.id)?.resolve(reply.batch);
      else if (reply.id === undefined) opening.reject(unpackError(reply.error));
      else this.#take(reply.id)?.reject(unpackError(reply.error));
      // A program that is done otherwise need not wait for its threads.
      if (this.#waiting.size === 0 && !this.#closing) this.#worker.unref();
    });
    const end = (error: Error): void => {
      this.#gone ??= error;
      opening.reject(error);
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
    };
    this.#worker.on('error', end);
    this.#worker.on('exit', () =>
      end(new BackendError('prefetch: the source was closed, or its thread has ended')),
    );
  }

  ask(epoch: number, number: number): Promise<Batch> {
    if (this.#gone !== undefined) return Promise.reject(this.#gone);
    const id = this.#id++;
    const { promise, resolve, reject } = Promise.withResolvers<Batch>();
    this.#waiting.set(id, { resolve, reject });
    this.#worker.ref();
    this.#worker.postMessage({ id, epoch, number } satisfies Request, []);
    return promise;
  }

  async close(): Promise<void> {
    // Who waits for the end does wait: Node would go before it, for a thread that it need not wait for.
    this.#closing = true;
    this.#worker.ref();
    await this.#worker.terminate();
  }

  #take(id: number): Waiting<Batch> | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }
}

/** The worker beside this file, compiled or not. */
const workerFile = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js', import.meta.url);
