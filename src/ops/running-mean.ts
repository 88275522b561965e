import type { Op, Signal } from '../signal/index.ts';
import { sizeOf } from '../signal/index.ts';

/**
 * y[k] = (x[0] + … + x[k]) / (k + 1). The mean itself is kept, in float64, so that nothing grows:
 * m[k] = m[k−1] + (x[k] − m[k−1]) / (k + 1).
 */
const runningMeanOp: Op<null> = {
  name: 'running-mean',
  shape: (_attributes, [x]) => x!.shape,
  state: (_attributes, [x]) => ({ mean: { shape: x!.shape, type: 'float64' } }),
  step({ types, inputs, output, state, firing }) {
    const x = inputs[0]!;
    const mean = state['mean']!;
    const width = sizeOf(types[0]!.shape);
    for (let i = 0; i < width; i++) {
      mean[i]! += (x.data[x.at + i]! - mean[i]!) / (firing + 1);
      output.data[output.at + i] = mean[i]!;
    }
  },
  adjoint({ dOutput, dInputs, firings }) {
    const dx = dInputs[0];
    if (!dx) return;
    for (let i = 0; i < dx.width; i++) {
      for (let k = firings - 1, later = 0; k >= 0; k--) {
        later += dOutput.data[dOutput.origin + k * dx.width + i]! / (k + 1);
        dx.data[dx.origin + k * dx.width + i]! += later;
      }
    }
  },
};

/** The mean over all frames so far: a running decision on a stream. */
export const runningMean = (x: Signal): Signal => x.trace.apply(runningMeanOp, null, [x]);
