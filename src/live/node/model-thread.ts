import { Worker } from 'node:worker_threads';
import * as errors from '../../errors.ts';
import { fileOf } from './file-of.ts';
import type { FromModel, ModelInfo, ModelJob, ModelRings } from './model-messages.ts';

/** A model in a thread of its own. */
export interface ModelThread {
  readonly info: ModelInfo;
  /** Takes frames from now on, until the input ring is closed; settles when the rest has gone out. */
  run(rings: ModelRings): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the thread and builds the model there.
 *
 * @throws what the model's factory or `compile` throw there, with its class.
 */
export async function startModelThread(job: ModelJob): Promise<ModelThread> {
  const worker = new Worker(fileOf('./model-worker'), { workerData: job });
  const ready = Promise.withResolvers<ModelInfo>();
  const done = Promise.withResolvers<void>();
  done.promise.catch(() => {});
  const fail = (error: Error): void => {
    ready.reject(error);
    done.reject(error);
  };
  worker.on('message', (message: FromModel) => {
    if (message.kind === 'ready') ready.resolve(message.info);
    else if (message.kind === 'done') done.resolve();
    else fail(revived(message));
  });
  worker.on('error', fail);
  worker.on('exit', () => fail(new errors.BackendError('the thread of the model has ended; start another')));
  try {
    return {
      info: await ready.promise,
      run(rings) {
        // eslint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        worker.postMessage(rings);
        return done.promise;
      },
      close: async () => void (await worker.terminate()),
    };
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

/** An error of the thread, of the class that it had there. */
function revived({ name, message, stack }: Extract<FromModel, { kind: 'error' }>): Error {
  const known = Object.entries(errors).find(([key]) => key === name)?.[1];
  const error = new (known ?? Error)(message);
  if (known === undefined) error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
