import { GraphError } from '../errors.ts';
import type { Signal } from '../signal/index.ts';
import { defineOp, sizeOf } from '../signal/index.ts';

/** y[k] = x[k + frames]: a window that begins before the stream's start leaves the first frames out. */
const skipOp = defineOp<{ readonly frames: number }>({
  name: 'skip',
  shape: (_attributes, [x]) => x!.shape,
  timing: ({ frames }) => ({ windows: [{ size: 1, left: -frames, right: 0 }], stride: 1, emit: 1 }),
  step({ types, inputs, output }) {
    const x = inputs[0]!;
    const width = sizeOf(types[0]!.shape);
    for (let i = 0; i < width; i++) output.data[output.at + i] = x.data[x.at + i]!;
  },
  adjoint({ attributes: { frames }, dOutput, dInputs, firings }) {
    const dx = dInputs[0];
    if (!dx) return;
    const start = dx.origin + frames * dx.width;
    for (let i = 0; i < firings * dx.width; i++) dx.data[start + i]! += dOutput.data[dOutput.origin + i]!;
  },
});

/**
 * The signal without its first frames, and so that much shorter. What comes out is earlier by as many: a
 * look-ahead. (`advance` keeps the length, with zeros behind the end.)
 */
export function skip(x: Signal, frames: number): Signal {
  if (!(Number.isSafeInteger(frames) && frames >= 0)) {
    throw new GraphError(`skip of ${x.node.path}: ${frames} frames; give a whole number, 0 or more`);
  }
  return frames === 0 ? x : x.trace.apply(skipOp, { frames }, [x]);
}
