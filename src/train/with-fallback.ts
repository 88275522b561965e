import { BackendError } from '../errors.ts';
import type { TrainingBackend } from './session.ts';

/**
 * A backend, or another where that is missing here or refuses a model. Who runs in the end, the session's name says.
 *
 * @param preferred its promise may be rejected with a BackendError, as `gpuTraining()` is without a GPU.
 * @param note told in one sentence why the other one runs.
 * @example
 * const backend = await withFallback(gpuTraining({ mode: 'webgpu' }), cpu(), console.warn);
 */
export async function withFallback(
  preferred: Promise<TrainingBackend> | TrainingBackend,
  other: TrainingBackend,
  note: (message: string) => void,
): Promise<TrainingBackend> {
  const because = (error: unknown): TrainingBackend => {
    if (!(error instanceof BackendError)) throw error;
    note(`training on ${other.name} instead: ${error.message}`);
    return other;
  };
  try {
    const backend = await preferred;
    return {
      name: backend.name,
      open: (job) => backend.open(job).catch((error: unknown) => because(error).open(job)),
    };
  } catch (error) {
    return because(error);
  }
}
