import type { StreamBackend } from '../backends/backend.ts';
import { reference } from '../backends/reference/index.ts';
import { ArgumentError, BackendError } from '../errors.ts';

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
};

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
