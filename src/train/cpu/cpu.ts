import { availableParallelism } from 'node:os';
import { openTrainingMemory } from '../../backends/wasm/train/module.ts';
import { ArgumentError } from '../../errors.ts';
import type { TrainingBackend } from '../session.ts';
import { CpuSession } from './session.ts';

export interface CpuOptions {
  /** Threads that share a batch; as many as there are cores. 1: in the thread of the caller. */
  readonly workers?: number | undefined;
  /** Without relaxed SIMD, whose rounding is the processor's choice: the same weights on any machine. */
  readonly deterministic?: boolean | undefined;
}

/**
 * Training on the CPU, on WebAssembly SIMD. A batch is shared out among threads item by item; one number of threads
 * gives one result, bit for bit. Ops without a kernel run the reference's code: slow, and named by the session.
 *
 * @throws ArgumentError unless `workers` is a whole number of at least 1; BackendError without WebAssembly SIMD.
 * @example
 * const session = await cpu({ workers: 2 }).open({ graph, loss: mse(), optimizer: adamw(), parameters });
 */
export function cpu({
  workers = availableParallelism(),
  deterministic = false,
}: CpuOptions = {}): TrainingBackend {
  if (!(Number.isSafeInteger(workers) && workers >= 1)) {
    throw new ArgumentError(`cpu: workers is ${workers}; give a whole number of at least 1`);
  }
  const { name } = openTrainingMemory(deterministic);
  return {
    name: `${name}, ${workers} ${workers === 1 ? 'thread' : 'threads'}`,
    // An error of the job is the promise's, not the caller's line.
    open: (job) => new Promise((resolve) => resolve(new CpuSession(job, { workers, deterministic }))),
  };
}
