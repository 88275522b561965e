import { ArgumentError } from '../../errors.ts';
import { drawsAt, Purpose } from './draws.ts';

export interface OrderOptions {
  /** Sequences of a batch. */
  readonly batch: number;
  readonly seed?: number | undefined;
  /** A new order in every epoch; true by default. */
  readonly shuffle?: boolean | undefined;
  /**
   * What becomes of the last sequences of a bucket where they make no whole batch: `keep` them as a smaller batch
   * (default), `drop` them, or `fill` the batch up with others of the bucket (all batches have one shape then).
   */
  readonly last?: 'keep' | 'drop' | 'fill' | undefined;
}

/** Sequences of one batch: their numbers, and the frames that all are padded to. */
export interface PlannedBatch {
  readonly items: readonly number[];
  readonly frames: number;
}

/**
 * Which sequences come together in which order in an epoch: a function of (seed, epoch) alone. Sequences of one bucket
 * come together, buckets come mixed; the number of batches is the same in every epoch.
 *
 * @param buckets for every sequence, the frames that it is padded to.
 */
export function planEpoch(
  buckets: ArrayLike<number>,
  { batch, seed = 0, shuffle = true, last = 'keep' }: OrderOptions,
  epoch: number,
): PlannedBatch[] {
  const draws = drawsAt(seed, Purpose.order, epoch);
  const order = Uint32Array.from({ length: buckets.length }, (_, i) => i);
  if (shuffle) draws.shuffle(order);
  const members = new Map<number, number[]>();
  for (const item of order) {
    const bucket = members.get(buckets[item]!);
    if (bucket === undefined) members.set(buckets[item]!, [item]);
    else bucket.push(item);
  }
  const plan: PlannedBatch[] = [];
  // By length, not by who came first: the plan of an epoch without shuffling is the same for every order of files.
  for (const [frames, items] of [...members].sort(([a], [b]) => a - b)) {
    for (let at = 0; at < items.length; at += batch) {
      const some = items.slice(at, at + batch);
      const missing = batch - some.length;
      if (missing > 0 && last === 'drop') continue;
      if (last === 'fill') for (let i = 0; i < missing; i++) some.push(items[draws.integer(items.length)]!);
      plan.push({ items: some, frames });
    }
  }
  if (shuffle) draws.shuffle(plan);
  return plan;
}

/** `planEpoch`, of which the last epoch is remembered: who asks for single batches asks for many of one epoch. */
export function planner(
  buckets: ArrayLike<number>,
  options: OrderOptions,
): (epoch: number) => readonly PlannedBatch[] {
  let last: { readonly epoch: number; readonly plan: readonly PlannedBatch[] } | undefined;
  return (epoch) => {
    if (last?.epoch !== epoch) last = { epoch, plan: planEpoch(buckets, options, epoch) };
    return last.plan;
  };
}

/** @throws ArgumentError for options that make no batch. */
export function checkOrder({ batch, seed = 0, last = 'keep' }: OrderOptions): void {
  if (!Number.isSafeInteger(batch) || batch < 1) {
    throw new ArgumentError(`batch: ${batch}; give the sequences of a batch, a whole number of at least 1`);
  }
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new ArgumentError(`seed: ${seed}; give an integer between 0 and 2^53 − 1`);
  }
  if (!['keep', 'drop', 'fill'].includes(last)) {
    throw new ArgumentError(`last: '${last}' is none of keep, drop, fill`);
  }
}
