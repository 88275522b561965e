import type { Signal } from '../signal/index.ts';
import { defineOp, isConstant } from '../signal/index.ts';

/** y[k] = c at every frame of x, whose values do not matter. */
const everyFrameOp = defineOp<null>({
  name: 'every-frame',
  shape(_attributes, [x, constant], reject) {
    if (isConstant(x!)) reject('what gives the frames is a constant; give a signal');
    if (!isConstant(constant!)) reject('the values vary already; leave everyFrame out');
    return constant!.shape;
  },
  step({ inputs, output, types }) {
    const c = inputs[1]!;
    const width = types[1]!.shape.reduce((a, b) => a * b, 1);
    for (let i = 0; i < width; i++) output.data[output.at + i] = c.data[c.at + i]!;
  },
  adjoint({ output, dOutput, dInputs, firings }) {
    const dc = dInputs[1];
    if (!dc) return;
    for (let k = 0; k < firings; k++) {
      for (let i = 0; i < output.width; i++)
        dc.data[dc.origin + i]! += dOutput.data[dOutput.origin + k * output.width + i]!;
    }
  },
});

/**
 * A constant as a signal, one copy for each frame of `x`: what an op takes that wants an input that varies.
 *
 * @example
 * const framesSoFar = diagonalScan(everyFrame(x, t.literal([1])), { a: t.literal([1]), method: given });
 */
export const everyFrame = (x: Signal, constant: Signal): Signal =>
  x.trace.apply(everyFrameOp, null, [x, constant]);
