import type { Signal } from '../signal/index.ts';
import { select } from './structure.ts';
import { defineOp, sizeOf } from '../signal/index.ts';

/** The place of the largest of `size` numbers from `at` on; the first of equals. */
function argmax(data: ArrayLike<number>, at: number, size: number): number {
  let best = at;
  for (let i = at + 1; i < at + size; i++) if (data[i]! > data[best]!) best = i;
  return best;
}

const maximumOp = defineOp<null>({
  name: 'maximum',
  shape: (_attributes, [x], reject) =>
    (x!.shape.at(-1) ?? 0) > 0
      ? [...x!.shape.slice(0, -1), 1]
      : reject('a single number has no last axis; reshape it to (1)'),
  step({ types, inputs, output }) {
    const x = inputs[0]!;
    const { shape } = types[0]!;
    const size = shape.at(-1)!;
    const rows = sizeOf(shape) / size;
    for (let r = 0; r < rows; r++)
      output.data[output.at + r] = x.data[argmax(x.data, x.at + r * size, size)]!;
  },
  adjoint({ types, inputs, dOutput, dInputs, firings }) {
    const x = inputs[0]!;
    const dx = dInputs[0];
    if (!dx) return;
    const size = types[0]!.shape.at(-1)!;
    for (let r = 0; r < (firings * x.width) / size; r++) {
      const place = argmax(x.data, x.origin + r * size, size) - x.origin;
      dx.data[dx.origin + place]! += dOutput.data[dOutput.origin + r]!;
    }
  },
});

/** The largest number along the last axis, which becomes 1. */
export const maximum = (x: Signal): Signal => x.trace.apply(maximumOp, null, [x]);

/**
 * m[k] = max(m[k−1], x[k]), and by how much it rose: m[k] − m[k−1], 0 at the first frame. Output (2 × …).
 */
const runningMaximumOp = defineOp<null>({
  name: 'running-maximum',
  shape: (_attributes, [x]) => [2, ...x!.shape],
  time: () => 'free',
  state: (_attributes, [x]) => ({ max: { shape: x!.shape, type: 'float64', initial: -Infinity } }),
  step({ types, inputs, output, state }) {
    const x = inputs[0]!;
    const max = state['max']!;
    const width = sizeOf(types[0]!.shape);
    for (let i = 0; i < width; i++) {
      const before = max[i]!;
      const now = Math.max(before, x.data[x.at + i]!);
      max[i] = now;
      output.data[output.at + i] = now;
      output.data[output.at + width + i] = before === -Infinity ? 0 : now - before;
    }
  },
  // A frame that sets a new maximum answers for all frames until the next: λ gathers what they ask for.
  adjoint({ inputs, dOutput, dInputs, firings }) {
    const x = inputs[0]!;
    const dx = dInputs[0];
    if (!dx) return;
    const { width } = x;
    for (let i = 0; i < width; i++) {
      const value = (k: number): number => x.data[x.origin + k * width + i]!;
      const slope = (k: number, part: 0 | 1): number =>
        dOutput.data[dOutput.origin + (2 * k + part) * width + i]!;
      const setters: number[] = [];
      for (let k = 0; k < firings; k++) {
        if (setters.length === 0 || value(k) > value(setters.at(-1)!)) setters.push(k);
      }
      let lambda = 0;
      for (let k = firings - 1; k >= 0; k--) {
        lambda += slope(k, 0);
        if (k !== setters.at(-1)) continue;
        setters.pop();
        const rise = k > 0 ? slope(k, 1) : 0;
        dx.data[dx.origin + k * width + i]! += lambda + rise;
        lambda = -rise;
      }
    }
  },
});

/**
 * The largest value so far, and how far it rose at this frame, each element by itself: what an exponential sum
 * on a stream is kept relative to, so that it never overflows. `S ← e^{−rise} S + e^{x − max}`.
 */
export function runningMaximum(x: Signal): { readonly max: Signal; readonly rise: Signal } {
  const both = x.trace.apply(runningMaximumOp, null, [x]);
  return { max: select(both, 0, 0), rise: select(both, 1, 0) };
}
