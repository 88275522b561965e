import type { Signal } from '../signal/index.ts';
import { defineOp, sizeOf } from '../signal/index.ts';

interface PoolAttributes {
  readonly kind: 'average' | 'max';
  readonly size: number;
  readonly stride: number;
}

/** One frame of every `stride`, from windows of `size` frames without padding. */
const poolOp = defineOp<PoolAttributes>({
  name: 'pool',
  shape({ size, stride }, [x], reject) {
    for (const [name, value] of [
      ['size', size],
      ['stride', stride],
    ] as const) {
      if (!(Number.isSafeInteger(value) && value >= 1))
        reject(`${name} is ${value}; give a whole number of at least 1`);
    }
    return x!.shape;
  },
  timing: ({ size, stride }) => ({ windows: [{ size, left: 0, right: 0 }], stride, emit: 1 }),
  step({ attributes: { kind, size }, types, inputs, output }) {
    const x = inputs[0]!;
    const width = sizeOf(types[0]!.shape);
    for (let i = 0; i < width; i++) {
      let result = kind === 'max' ? Number.NEGATIVE_INFINITY : 0;
      for (let k = 0; k < size; k++) {
        const value = x.data[x.at + k * width + i]!;
        result = kind === 'max' ? Math.max(result, value) : result + value;
      }
      output.data[output.at + i] = kind === 'max' ? result : result / size;
    }
  },
  adjoint({ attributes: { kind, size, stride }, inputs, dOutput, dInputs, firings }) {
    const x = inputs[0]!;
    const dx = dInputs[0];
    if (!dx) return;
    for (let j = 0; j < firings; j++) {
      for (let i = 0; i < x.width; i++) {
        const dy = dOutput.data[dOutput.origin + j * x.width + i]!;
        const at = (k: number): number => (j * stride + k) * x.width + i;
        if (kind === 'average') {
          for (let k = 0; k < size; k++) dx.data[dx.origin + at(k)]! += dy / size;
          continue;
        }
        let largest = 0;
        for (let k = 1; k < size; k++) {
          if (x.data[x.origin + at(k)]! > x.data[x.origin + at(largest)]!) largest = k;
        }
        dx.data[dx.origin + at(largest)]! += dy;
      }
    }
  },
});

/** The mean of every `size` frames, every `stride` frames (`size` by default); the rate falls by `stride`. */
export const averagePool = (x: Signal, size: number, stride = size): Signal =>
  x.trace.apply(poolOp, { kind: 'average', size, stride }, [x], 'average-pool');

/** The largest of every `size` frames, channel by channel. */
export const maxPool = (x: Signal, size: number, stride = size): Signal =>
  x.trace.apply(poolOp, { kind: 'max', size, stride }, [x], 'max-pool');
