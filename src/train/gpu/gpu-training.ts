import type { GpuMode } from '../../backends/gpu/index.ts';
import { lackingFor, openTrainingDevice, type TrainingDevice } from '../../backends/gpu/training/index.ts';
import { BackendError } from '../../errors.ts';
import type { TrainingBackend, TrainingJob } from '../session.ts';
import { GpuSession } from './session.ts';

export interface GpuTrainingOptions {
  /**
   * `webgpu`: the GPU. `webasm` and `cpu`: the same kernels on the processor, slowly, to test with. `auto`, the default:
   * the first of these that is there; `note` says why it is not the first.
   */
  readonly mode?: GpuMode | 'auto' | undefined;
}

export interface GpuTraining extends TrainingBackend {
  readonly mode: GpuMode;
  /** The adapter, as its driver describes it. */
  readonly adapter: string;
  /** Why a mode that `auto` prefers is not used; empty otherwise. */
  readonly note: string;
  open(job: TrainingJob): Promise<GpuSession>;
  /** Frees the device, after the sessions have been closed. */
  destroy(): Promise<void>;
}

/**
 * Training on a GPU through gpu.js: a whole step (forward, loss, adjoints, clipping, AdamW) is one pipeline of kernels.
 * Weights, moments and everything in between stay on the device; batches go up, losses come down.
 *
 * @throws BackendError where the mode is missing here; the message names the cure.
 * @example
 * const backend = await gpuTraining();          // backend.name: 'gpu.js webgpu (NVIDIA H200 …)'
 * const session = await backend.open({ graph, loss: mse(), optimizer: adamw(), parameters });
 */
export async function gpuTraining({ mode = 'auto' }: GpuTrainingOptions = {}): Promise<GpuTraining> {
  const missing: string[] = [];
  for (const one of mode === 'auto' ? (['webgpu', 'webasm', 'cpu'] as const) : [mode]) {
    try {
      return backendOn(await openTrainingDevice(one), missing.join('; '));
    } catch (error) {
      if (mode !== 'auto' || one === 'cpu' || !(error instanceof BackendError)) throw error;
      missing.push(`${one} is not available: ${error.message}`);
    }
  }
  throw new BackendError(missing.join('; '));
}

function backendOn(device: TrainingDevice, note: string): GpuTraining {
  const { mode, adapter } = device;
  const name = `gpu.js ${mode} (${adapter})`;
  return {
    name,
    mode,
    adapter,
    note,
    open(job) {
      return new Promise((resolve) => {
        const lacking = new Set(job.graph.nodes.flatMap((node) => lackingFor(node) ?? []));
        if (lacking.size > 0) {
          throw new BackendError(
            `the GPU backend can't train ${[...lacking].join(', ')}, of ${job.graph.name}; train it on the CPU backend`,
          );
        }
        resolve(new GpuSession(device, name, job));
      });
    },
    destroy: () => device.close(),
  };
}
