import { defineOp, type Signal, sizeOf } from '../signal/index.ts';

interface ClampAttributes {
  readonly low: number;
  readonly high: number;
}

/** y = min(max(x, low), high). The slope is 1 from bound to bound, the bounds included, as in torch. */
const clampOp = defineOp<ClampAttributes>({
  name: 'clamp',
  shape: ({ low, high }, [x], reject) =>
    low <= high ? x!.shape : reject(`the bounds are ${low} and ${high}; give a lower and an upper one`),
  step({ attributes: { low, high }, types, inputs, output }) {
    const x = inputs[0]!;
    const width = sizeOf(types[0]!.shape);
    for (let i = 0; i < width; i++) {
      output.data[output.at + i] = Math.min(Math.max(x.data[x.at + i]!, low), high);
    }
  },
  adjoint({ attributes: { low, high }, inputs, dOutput, dInputs, firings }) {
    const x = inputs[0]!;
    const dx = dInputs[0];
    if (!dx) return;
    for (let i = 0; i < firings * x.width; i++) {
      const value = x.data[x.origin + i]!;
      if (value >= low && value <= high) dx.data[dx.origin + i]! += dOutput.data[dOutput.origin + i]!;
    }
  },
});

/**
 * x held between two bounds, either of which may be infinite.
 *
 * @throws GraphError unless low ≤ high.
 * @example
 * const positive = clamp(x, 1e-4, Infinity);
 */
export const clamp = (x: Signal, low: number, high: number): Signal =>
  low === -Infinity && high === Infinity ? x : x.trace.apply(clampOp, { low, high }, [x]);
