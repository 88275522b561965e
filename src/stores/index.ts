/** Where states of quiet sensors wait. */
export { openFileStore, type FileStore, type FileStoreOptions } from './file-store.ts';
export { memoryStore } from './memory-store.ts';
export { revertible } from './revertible.ts';
export { isRevertible, type RevertibleStore, type StateStore } from './store.ts';
