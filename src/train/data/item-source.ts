import { ArgumentError } from '../../errors.ts';
import type { Random } from '../../init/random.ts';
import type { Batch } from '../session.ts';
import type { DataSource, SourceFacts } from './described.ts';
import { drawsAt, Purpose } from './draws.ts';
import { checkOrder, planner, type OrderOptions } from './order.ts';

/** What one sequence brings to a batch. */
export interface Item {
  /** Frames that count. */
  readonly frames: number;
  /** frames × channels by input port. */
  readonly inputs: Readonly<Record<string, Float32Array>>;
  /** frames × channels, or whatever one item's target has, by name. */
  readonly targets: Readonly<Record<string, Float32Array>>;
}

export interface ItemsOptions extends OrderOptions {
  /** For every sequence, the frames that it is padded to. */
  readonly buckets: ArrayLike<number>;
  /** Channels by input port. */
  readonly inputs: Readonly<Record<string, number>>;
  /** Numbers of a frame by target; `perItem` for those that belong to the whole sequence. */
  readonly targets: Readonly<Record<string, { readonly width: number; readonly perItem?: boolean }>>;
  /** A sequence; what is random in it comes from `draws` alone. */
  load(item: number, draws: Random): Item | Promise<Item>;
  readonly facts?: SourceFacts | undefined;
  close?(): Promise<void> | void;
}

/**
 * A source of finitely many sequences, each once an epoch: order, crops and whatever else is random are functions of
 * (seed, epoch, number).
 */
export function itemSource(options: ItemsOptions): DataSource {
  checkOrder(options);
  const { buckets, seed = 0, facts = {} } = options;
  const planOf = planner(buckets, options);
  const batchesPerEpoch = planOf(0).length;
  if (batchesPerEpoch === 0) {
    throw new ArgumentError(
      `batch: ${buckets.length} sequences make no batch of ${options.batch} (last: '${options.last ?? 'keep'}'); make the batch smaller, or last: 'fill'`,
    );
  }
  return {
    targets: Object.keys(options.targets),
    batchesPerEpoch,
    facts: { items: buckets.length, ...facts },
    async *batches(epoch, from) {
      const plan = planOf(epoch);
      for (let number = from; number < plan.length; number++) {
        const { items, frames } = plan[number]!;
        const loaded: Item[] = [];
        for (const [place, item] of items.entries()) {
          loaded.push(await options.load(item, drawsAt(seed, Purpose.item, epoch, number, place)));
        }
        yield packBatch(loaded, frames, options);
      }
    },
    async close() {
      await options.close?.();
    },
  };
}

/** Items side by side, padded with zeros behind their ends. */
export function packBatch(
  items: readonly Item[],
  frames: number,
  { inputs, targets }: Pick<ItemsOptions, 'inputs' | 'targets'>,
): Batch {
  const side = (values: readonly Float32Array[], stride: number): Float32Array => {
    const out = new Float32Array(items.length * stride);
    values.forEach((value, i) => {
      if (value.length > stride) {
        throw new ArgumentError(`item ${i} has ${value.length} numbers where ${stride} find room`);
      }
      out.set(value, i * stride);
    });
    return out;
  };
  return {
    items: items.length,
    frames,
    lengths: items.map((item) => item.frames),
    inputs: Object.fromEntries(
      Object.entries(inputs).map(([port, width]) => [
        port,
        side(
          items.map((item) => item.inputs[port]!),
          frames * width,
        ),
      ]),
    ),
    targets: Object.fromEntries(
      Object.entries(targets).map(([name, { width, perItem = false }]) => [
        name,
        side(
          items.map((item) => item.targets[name]!),
          perItem ? width : frames * width,
        ),
      ]),
    ),
  };
}
