import type { StateStore } from './store.ts';

/** A store in this process's memory: states packed tightly, gone with the process. Copies what it takes and gives. */
export function memoryStore(): StateStore & { readonly size: number } {
  const states = new Map<string, Uint8Array>();
  return {
    get size() {
      return states.size;
    },
    get: async (key) => states.get(key)?.slice(),
    set: async (key, state) => void states.set(key, state.slice()),
    delete: async (key) => void states.delete(key),
  };
}
