import type { Batch } from '../session.ts';

/**
 * Where `fit` takes its batches from. A batch is a function of (seed, epoch, number in the epoch) alone, so that the
 * place in a run is two counters: a run that is resumed at batch 17 of epoch 3 gets what an unbroken one got there.
 * Whatever is random (order, crops, mixing) is drawn from a generator seeded by those three, never from one that
 * runs on from batch to batch.
 *
 * @example
 * // The same 8 sequences in every epoch, 2 batches of 4.
 * const source: BatchSource = { targets: ['output'], batchesPerEpoch: 2, batches: (_epoch, from) => both.slice(from) };
 */
export interface BatchSource {
  /** Names of the targets that every batch brings: what a loss can compare with. */
  readonly targets: readonly string[];
  /** Batches in every epoch, at least 1. */
  readonly batchesPerEpoch: number;
  /**
   * The batches of one epoch in their order, from number `from` (0 is the first) to the last. `fit` may stop
   * iterating at any time (`return` of the iterator is called), and iterates one epoch after the other.
   *
   * Where batches carry on one another (`carried`), the first of an epoch does not.
   */
  batches(epoch: number, from: number): AsyncIterable<Batch> | Iterable<Batch>;
}
