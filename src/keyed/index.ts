/** One state a key, for thousands to millions of keys. */
export { KeyedStreams } from './keyed-streams.ts';
export type { Keyed, KeyedNote, KeyedOptions } from './options.ts';
export type {
  DuplicatePolicy,
  LatePolicy,
  MissingPolicy,
  TimelineNote,
  TimelineOptions,
} from './policies.ts';
export {
  memoryStore,
  openFileStore,
  revertible,
  type FileStore,
  type FileStoreOptions,
  type RevertibleStore,
  type StateStore,
} from '../stores/index.ts';
