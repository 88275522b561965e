import { ArgumentError } from '../errors.ts';
import type { Signal } from '../signal/index.ts';
import { defineOp, sizeOf } from '../signal/index.ts';

export interface DropoutOptions {
  /** Share of the numbers that are dropped, from 0 to below 1. */
  readonly rate: number;
  /**
   * One draw for the whole sequence (`tie` of state-spaces/s4's `DropoutNd`, which its layers use): a channel is there
   * or it is not, so that a recurrence never sees an input that flickers. Otherwise a draw for every frame; false.
   */
  readonly tied?: boolean | undefined;
}

/** y = x: what a model that runs does. `forTraining` puts a product with a mask in its place. */
export const dropoutOp = defineOp<{ readonly rate: number; readonly tied: boolean }>({
  name: 'dropout',
  trainingOnly: true,
  shape: (_attributes, [x]) => x!.shape,
  step({ types, inputs, output }) {
    const x = inputs[0]!;
    const width = sizeOf(types[0]!.shape);
    for (let i = 0; i < width; i++) output.data[output.at + i] = x.data[x.at + i]!;
  },
  adjoint({ types, dOutput, dInputs, firings }) {
    const dx = dInputs[0];
    if (!dx) return;
    const count = firings * sizeOf(types[0]!.shape);
    for (let i = 0; i < count; i++) dx.data[dx.origin + i]! += dOutput.data[dOutput.origin + i]!;
  },
});

/**
 * Drops numbers at random in training and scales the others by 1/(1 − rate) (Srivastava et al., 2014, inverted as in
 * torch). A stream runs without it, at no cost. Not for constants: parameters are not dropped.
 *
 * @throws ArgumentError for a rate that is not from 0 to below 1.
 * @example
 * const y = dropout(x, { rate: 0.1, tied: true });
 */
export function dropout(x: Signal, { rate, tied = false }: DropoutOptions): Signal {
  if (!(rate >= 0 && rate < 1))
    throw new ArgumentError(`dropout: the rate is ${rate}; give a number from 0 to below 1`);
  return rate === 0 || x.rate === 'constant' ? x : x.trace.apply(dropoutOp, { rate, tied }, [x]);
}
