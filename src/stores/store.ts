/**
 * Where states of sensors wait while their sensors are quiet. Bytes by key; a key is any string.
 *
 * Calls for one key come one after the other; those for different keys may overlap.
 */
export interface StateStore {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, state: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
}

/**
 * A store that can go back to a moment, for jobs that a crash costs nothing: what a checkpoint says about the input and
 * what the store holds have to be of the same moment.
 */
export interface RevertibleStore extends StateStore {
  /**
   * All that has been set is safe when this settles. Returns what names the moment, to be saved in a checkpoint. The mark
   * before this one has to be safe in a checkpoint by then: it is the oldest that `revert` is sure to reach.
   */
  mark(): Promise<string>;
  /**
   * Back to a moment: what was set since is forgotten. Without a mark back to the beginning: all is forgotten.
   *
   * @throws SnapshotError where the store knows no such moment: it is another store, or an older copy.
   */
  revert(mark: string | undefined): Promise<void>;
}

export const isRevertible = (store: StateStore): store is RevertibleStore =>
  'mark' in store && 'revert' in store;
