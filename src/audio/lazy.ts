import { createRequire } from 'node:module';
import { BackendError } from '../errors.ts';

const load = createRequire(import.meta.url);

/**
 * A package that only some jobs need, loaded when the first of them runs: whoever streams WAV files loads
 * none. Synchronous, because the functions that need them are.
 */
export function lazy<T>(name: string, job: string): () => T {
  let loaded: T | undefined;
  return () => {
    try {
      loaded ??= load(name) as T;
    } catch (cause) {
      throw new BackendError(`${job} needs the package "${name}": npm install ${name}`, { cause });
    }
    return loaded;
  };
}
