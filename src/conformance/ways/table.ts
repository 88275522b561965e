import type { Way } from '../case.ts';
import { deviation, worst } from '../compare.ts';
import type { Golden } from '../golden.ts';

/** An official tensor and what stands against it. */
export interface Entry {
  readonly tensor: string;
  /** Ours, in the official order. */
  values(): ArrayLike<number>;
  /** The official one after something was done to it, such as taking the modulus. */
  official?(values: Float64Array): ArrayLike<number>;
  /** `absolute` for tensors whose peak means nothing. */
  readonly scale?: 'peak' | 'absolute';
}

/** Numbers against numbers, element by element. */
export const table = (golden: Golden, entries: readonly Entry[]): Way => ({
  tensors: entries.map(({ tensor }) => tensor),
  measure: () =>
    worst(
      entries.map((entry) => {
        const { values } = golden.tensor(entry.tensor);
        const official = entry.official?.(values) ?? values;
        return deviation(entry.values(), official, entry.tensor, entry.scale);
      }),
    ),
});
