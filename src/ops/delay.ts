import type { Signal } from '../signal/index.ts';
import { defineOp, sizeOf } from '../signal/index.ts';

/** y[k] = x[k − frames]: into the past when positive, a look-ahead when negative; zero beyond the ends. */
interface ShiftAttributes {
  readonly frames: number;
  /** The neighbour, however long ago it was: part of a rule of integration rather than a time. */
  readonly neighbour?: boolean;
}

const shiftOp = defineOp<ShiftAttributes>({
  name: 'shift',
  shape: ({ frames }, [x], reject) =>
    Number.isSafeInteger(frames) ? x!.shape : reject(`a shift by ${frames} frames; give a whole number`),
  timing: ({ frames }) => ({
    windows: [
      frames >= 0
        ? { size: frames + 1, left: frames, right: 0 }
        : { size: 1 - frames, left: 0, right: -frames },
    ],
    stride: 1,
    emit: 1,
  }),
  time: ({ frames, neighbour = false }) => (frames === 0 || neighbour ? 'free' : []),
  step({ attributes: { frames }, types, inputs, output }) {
    const x = inputs[0]!;
    const width = sizeOf(types[0]!.shape);
    const from = x.at + (frames >= 0 ? 0 : -frames * width);
    for (let i = 0; i < width; i++) output.data[output.at + i] = x.data[from + i]!;
  },
  adjoint({ attributes: { frames }, dOutput, dInputs, firings }) {
    const dx = dInputs[0];
    if (!dx) return;
    const start = dx.origin - frames * dx.width;
    for (let i = 0; i < firings * dx.width; i++) dx.data[start + i]! += dOutput.data[dOutput.origin + i]!;
  },
});

/**
 * The signal as it was `frames` frames ago; zero before the start. Frame k comes out with frame k of the input,
 * never sooner: a delay behind a look-ahead wins no latency back, so put it on the other branch.
 */
export const delay = (x: Signal, frames: number): Signal => x.trace.apply(shiftOp, { frames }, [x], 'delay');

/** The signal as it will be in `frames` frames: a look-ahead, so the output waits; zero behind the end. */
export const advance = (x: Signal, frames: number): Signal =>
  x.trace.apply(shiftOp, { frames: -frames }, [x], 'advance');

/**
 * The frame before, however long ago that was; zero at the start. For rules of integration that look at both ends of
 * a step (the trapezoidal rule), which hold at any sample rate, where `delay(x, 1)` is a time.
 */
export const previous = (x: Signal): Signal =>
  x.trace.apply(shiftOp, { frames: 1, neighbour: true }, [x], 'previous');
