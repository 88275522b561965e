import type { Signal } from '../signal/index.ts';
import { defineOp } from '../signal/index.ts';

/** y[k] = x[L − 1 − k] over a sequence of L frames: needs the last frame before it can give the first. */
const reverseOp = defineOp<null>({
  name: 'reverse',
  whole: true,
  shape: (_attributes, [x]) => x!.shape,
  step() {
    throw new Error('a reversal of time has no step; compile refuses it before this can be reached');
  },
  long({ inputs, output, firings }) {
    const x = inputs[0]!;
    for (let k = 0; k < firings; k++) {
      for (let i = 0; i < x.width; i++) {
        output.data[output.origin + k * x.width + i] = x.data[x.origin + (firings - 1 - k) * x.width + i]!;
      }
    }
    return true;
  },
  adjoint({ dOutput, dInputs, firings }) {
    const dx = dInputs[0];
    if (!dx) return;
    for (let k = 0; k < firings; k++) {
      for (let i = 0; i < dx.width; i++) {
        dx.data[dx.origin + (firings - 1 - k) * dx.width + i]! +=
          dOutput.data[dOutput.origin + k * dx.width + i]!;
      }
    }
  },
});

/** The sequence backwards in time, for bidirectional layers: offline only, refused on a stream. */
export const reverse = (x: Signal): Signal => x.trace.apply(reverseOp, null, [x]);
