import { ArgumentError } from '../errors.ts';

export interface EmaOptions {
  /** d: weight of what the mean was; 0.999. */
  readonly decay?: number | undefined;
  /** Steps from one update to the next; 1. More where taking the weights off a device costs time. */
  readonly every?: number | undefined;
}

/** A moving mean of the weights, in float64: a small share of a step must not be rounded away. */
export type MeanWeights = ReadonlyMap<string, Float64Array>;

export function checkEma({
  decay = 0.999,
  every = 1,
}: EmaOptions): Required<EmaOptions> & { decay: number; every: number } {
  if (!(decay >= 0 && decay < 1))
    throw new ArgumentError(`ema: decay is ${decay}; give a number from 0 to below 1`);
  if (!(Number.isSafeInteger(every) && every >= 1))
    throw new ArgumentError(`ema: every is ${every}; give a whole number of steps, 1 or more`);
  return { decay, every };
}

/**
 * mean ← mean + (1 − d) (weights − mean), in place. At the beginning d is smaller, min(d, (1 + n) / (10 + n)) after n
 * updates, so that a short run isn't mostly its initial weights.
 */
export function updateEma(
  mean: MeanWeights,
  weights: ReadonlyMap<string, Float32Array>,
  decay: number,
  updates: number,
): void {
  const share = 1 - Math.min(decay, (1 + updates) / (10 + updates));
  for (const [name, values] of mean) {
    const now = weights.get(name)!;
    for (let i = 0; i < values.length; i++) values[i]! += share * (now[i]! - values[i]!);
  }
}

export const rounded = (mean: MeanWeights): Map<string, Float32Array> =>
  new Map([...mean].map(([name, values]) => [name, Float32Array.from(values)]));
