import type { StreamBackend } from '../../backends/backend.ts';
import { reference } from '../../backends/reference/index.ts';
import type { ModelOptions, RunOptions } from './options.ts';

/**
 * The backend that was asked for; otherwise the fastest that runs here, for models, and for filters, which have no
 * kernels elsewhere, the reference. WebAssembly is loaded only where it is used.
 *
 * @throws BackendError where WebAssembly was asked for and does not run here.
 */
export async function chooseBackend({ backend, model }: RunOptions & ModelOptions): Promise<StreamBackend> {
  if (backend === 'reference' || (backend === undefined && model === undefined)) return reference;
  const { defaultBackend, wasm } = await import('../../backends/wasm/index.ts');
  return backend === 'wasm' ? wasm() : defaultBackend();
}
