import type { Signal } from '../signal/index.ts';
import { defineOp, sizeOf } from '../signal/index.ts';

/** The last frame, once the input has ended. */
const lastOp = defineOp<null>({
  name: 'last',
  shape: (_attributes, [x]) => x!.shape,
  timing: () => ({ windows: [{ size: 1, left: 0, right: 0 }], stride: 1, emit: 1, atEnd: true }),
  time: () => 'free',
  step({ types, inputs, output }) {
    const x = inputs[0]!;
    const width = sizeOf(types[0]!.shape);
    for (let i = 0; i < width; i++) output.data[output.at + i] = x.data[x.at + i]!;
  },
  adjoint({ dOutput, dInputs, firings, frames }) {
    const dx = dInputs[0];
    if (!dx || firings === 0) return;
    const at = dx.origin + (frames[0]! - 1) * dx.width;
    for (let i = 0; i < dx.width; i++) dx.data[at + i]! += dOutput.data[dOutput.origin + i]!;
  },
});

/**
 * One value a sequence: the last frame, when the stream ends. Behind `runningMean` that is the mean over the
 * whole sequence, as a classifier pools it; without `last`, the same model decides at every frame.
 */
export const last = (x: Signal): Signal => x.trace.apply(lastOp, null, [x]);
