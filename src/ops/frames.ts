import type { Op, Signal } from '../signal/index.ts';
import { defineOp, formatShape, sizeOf } from '../signal/index.ts';

/** Memory order is the same on both sides: `factor` frames of one width are one frame of `factor` widths. */
function regroup(
  name: string,
  framesIn: (factor: number) => number,
  framesOut: (factor: number) => number,
): Op<{ factor: number }> {
  return defineOp({
    name,
    shape({ factor }, [x], reject) {
      if (!(Number.isSafeInteger(factor) && factor >= 1))
        reject(`a factor of ${factor}; give a whole number of at least 1`);
      const [channels, ...rest] = x!.shape;
      if (channels === undefined) reject('a single number has no channels; reshape it to (1)');
      const wide = channels! * framesIn(factor);
      if (wide % framesOut(factor) !== 0) {
        reject(`the ${channels} channels of ${formatShape(x!.shape)} do not divide into ${factor} frames`);
      }
      return [wide / framesOut(factor), ...rest];
    },
    timing: ({ factor }) => ({
      windows: [{ size: framesIn(factor), left: 0, right: 0 }],
      stride: framesIn(factor),
      emit: framesOut(factor),
    }),
    step({ attributes: { factor }, types, inputs, output }) {
      const x = inputs[0]!;
      const size = sizeOf(types[0]!.shape) * framesIn(factor);
      for (let i = 0; i < size; i++) output.data[output.at + i] = x.data[x.at + i]!;
    },
    adjoint({ attributes: { factor }, types, dOutput, dInputs, firings }) {
      const dx = dInputs[0];
      if (!dx) return;
      const size = sizeOf(types[0]!.shape) * framesIn(factor) * firings;
      for (let i = 0; i < size; i++) dx.data[dx.origin + i]! += dOutput.data[dOutput.origin + i]!;
    },
  });
}

const gatherOp = regroup(
  'frames-to-channels',
  (factor) => factor,
  () => 1,
);
const scatterOp = regroup(
  'channels-to-frames',
  () => 1,
  (factor) => factor,
);

/**
 * `factor` frames become one of `factor` times the channels, the oldest frame's channels first; the rate
 * falls by `factor`. Frames left over at the end that fill no group are dropped.
 */
export const framesToChannels = (x: Signal, factor: number): Signal =>
  x.trace.apply(gatherOp, { factor }, [x]);

/** The reverse: one frame becomes `factor` frames of a `factor`-th of the channels; the rate rises. */
export const channelsToFrames = (x: Signal, factor: number): Signal =>
  x.trace.apply(scatterOp, { factor }, [x]);
