import type { StreamBackend } from '../backends/backend.ts';
import { reference } from '../backends/reference/index.ts';
import type { GpuMode } from '../backends/gpu/index.ts';
import { ArgumentError, BackendError } from '../errors.ts';
import { cpuGradient } from '../train/cpu/gradient.ts';
import { gpuGradients, type GpuGradients } from '../train/gpu/gradient.ts';
import { gradient } from '../train/index.ts';

/** Where the cases can run, by name; loaded when asked for. */
const backends: Readonly<Record<string, () => Promise<StreamBackend>>> = {
  reference: () => Promise.resolve(reference),
  wasm: async () => {
    const module = await import('../backends/wasm/index.ts').catch((cause: Error) => {
      throw new BackendError(`the wasm backend can't be loaded (${cause.message}); run npm run build first`, {
        cause,
      });
    });
    return module.wasm();
  },
  gpu: () => onGpu('webgpu'),
  'gpu-webasm': () => onGpu('webasm'),
  'gpu-cpu': () => onGpu('cpu'),
};

type Gradient = typeof gradient | GpuGradients['gradient'];

/** Who computes gradients where streams run on a backend; the kernels that train on the CPU unless said here. */
const gradients = new WeakMap<StreamBackend, Gradient>([[reference, gradient]]);

export const gradientOn = (backend: StreamBackend): Gradient => gradients.get(backend) ?? cpuGradient;

/** A GPU trains and does not stream: gradients are its own, streams the reference's. */
async function onGpu(mode: GpuMode): Promise<StreamBackend> {
  const device = await gpuGradients(mode);
  const backend = { ...reference, name: `${device.name}; streams on the reference` };
  gradients.set(backend, device.gradient.bind(device));
  return backend;
}

/** The names that `--backend` takes. */
export const backendNames = Object.keys(backends);

/**
 * The backend of a name.
 *
 * @throws ArgumentError for an unknown name, BackendError for a backend that does not run here.
 */
export async function backendByName(name: string): Promise<StreamBackend> {
  if (!Object.hasOwn(backends, name))
    throw new ArgumentError(`backend "${name}" is unknown; use one of ${backendNames.join(', ')}`);
  return backends[name]();
}
