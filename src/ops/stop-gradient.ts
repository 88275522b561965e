import type { Signal } from '../signal/index.ts';
import { defineOp, sizeOf } from '../signal/index.ts';

/** y = x, and no slope: the only op whose adjoint is not the derivative, which is what it is for. */
const stopGradientOp = defineOp<null>({
  name: 'stop-gradient',
  shape: (_attributes, [x]) => x!.shape,
  step({ types, inputs, output }) {
    const x = inputs[0]!;
    const width = sizeOf(types[0]!.shape);
    for (let i = 0; i < width; i++) output.data[output.at + i] = x.data[x.at + i]!;
  },
  adjoint() {},
});

/** The same values, held for constants by gradients (torch `detach`). */
export const stopGradient = (x: Signal): Signal => x.trace.apply(stopGradientOp, null, [x]);
