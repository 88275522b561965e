import { random } from '../../../src/init/index.ts';
import type { BatchSource } from '../../../src/train/data/source.ts';
import type { Batch } from '../../../src/train/session.ts';

export interface MadeOptions {
  readonly seed: number;
  readonly items: number;
  readonly frames: number;
  readonly batchesPerEpoch: number;
  /** Channels in. */
  readonly channels?: number;
  /** One sequence's target from its input; for `labels` give another name. */
  readonly target: (input: Float32Array, draw: ReturnType<typeof random>) => Float32Array;
  readonly name?: string;
}

/** Batches of seeded noise and what is to be made of it: a function of seed, epoch and number alone. */
export function madeSource(options: MadeOptions): BatchSource {
  const { seed, items, frames, batchesPerEpoch, channels = 1, target, name = 'output' } = options;
  const batch = (epoch: number, number: number): Batch => {
    const draw = random(seed + 1000 * epoch + number);
    const inputs: number[] = [];
    const targets: number[] = [];
    for (let item = 0; item < items; item++) {
      const input = Float32Array.from({ length: frames * channels }, () => draw.normal());
      // It may write the input as well.
      targets.push(...target(input, draw));
      inputs.push(...input);
    }
    return {
      items,
      frames,
      lengths: Array.from({ length: items }, () => frames),
      inputs: { input: Float32Array.from(inputs) },
      targets: { [name]: Float32Array.from(targets) },
    };
  };
  return {
    targets: [name],
    batchesPerEpoch,
    *batches(epoch, from) {
      for (let number = from; number < batchesPerEpoch; number++) yield batch(epoch, number);
    },
  };
}
