import type { Signal } from '../signal/index.ts';
import { defineOp, isConstant, sizeOf } from '../signal/index.ts';

interface RunningMeanAttributes {
  /** N: frames after which the past is forgotten at an even pace; Infinity for the mean of all frames. */
  readonly memory: number;
  /** What is believed before the first frame, and how many frames that counts for. */
  readonly prior: { readonly value: number; readonly frames: number };
}

/** N and n₀ in frames of the rate that it runs at. */
interface Counts {
  readonly memory: number;
  readonly prior: number;
}

/**
 * m[k] = m[k−1] + (x[k] − m[k−1]) / min(k + 1 + n₀, N), from m[−1] = the prior's value and n₀ its frames: the plain
 * mean at first, an exponential one once N frames have been seen. The mean itself is kept, in float64, so that
 * nothing grows. N and n₀ are divided by the time scale, where there is one: as long as they were at another rate.
 */
const runningMeanOp = defineOp<RunningMeanAttributes, Counts>({
  name: 'running-mean',
  shape({ memory, prior }, [x], reject) {
    if (!(memory >= 1)) reject(`memory is ${memory} frames; give 1 or more, or Infinity`);
    if (!(prior.frames >= 0 && Number.isFinite(prior.frames) && Number.isFinite(prior.value))) {
      reject(
        `the prior counts for ${prior.frames} frames of ${prior.value}; give finite numbers, frames 0 or more`,
      );
    }
    return x!.shape;
  },
  // The mean of all frames is the same at any rate; a memory in frames is not, and does not stretch within a stream.
  time: ({ memory, prior }, [, scale]) => {
    if (memory === Infinity && prior.frames === 0) return 'free';
    return scale && isConstant(scale) ? [1] : [];
  },
  prepare({ attributes: { memory, prior }, constants: [, scale] }) {
    const frame = scale?.[0] ?? 1;
    return { memory: Math.max(1, memory / frame), prior: prior.frames / frame };
  },
  state: ({ prior }, [x]) => ({ mean: { shape: x!.shape, type: 'float64', initial: prior.value } }),
  step({ prepared: { memory, prior }, types, inputs, output, state, firing }) {
    const x = inputs[0]!;
    const mean = state['mean']!;
    const width = sizeOf(types[0]!.shape);
    const share = 1 / Math.min(firing + 1 + prior, memory);
    for (let i = 0; i < width; i++) {
      mean[i]! += (x.data[x.at + i]! - mean[i]!) * share;
      output.data[output.at + i] = mean[i]!;
    }
  },
  adjoint({ prepared: { memory, prior }, dOutput, dInputs, firings }) {
    const dx = dInputs[0];
    if (!dx) return;
    for (let i = 0; i < dx.width; i++) {
      for (let k = firings - 1, later = 0; k >= 0; k--) {
        const share = 1 / Math.min(k + 1 + prior, memory);
        later += dOutput.data[dOutput.origin + k * dx.width + i]!;
        dx.data[dx.origin + k * dx.width + i]! += share * later;
        later *= 1 - share;
      }
    }
  },
});

export interface RunningMeanOptions {
  /** Frames of memory; all of them by default. */
  readonly memory?: number;
  /** What is believed at the start, and how many frames that counts for; nothing by default. */
  readonly prior?: { readonly value: number; readonly frames: number };
  /**
   * `trace.timeScale()`: memory and prior are frames of the model's own rate, and stay as long in seconds at another.
   * Without it such a mean counts frames, and its model runs at one rate alone.
   */
  readonly scale?: Signal | undefined;
}

/** The mean over all frames so far, or over about the last `memory`: a running decision, a running level. */
export const runningMean = (
  x: Signal,
  { memory = Infinity, prior = { value: 0, frames: 0 }, scale }: RunningMeanOptions = {},
): Signal => x.trace.apply(runningMeanOp, { memory, prior }, scale ? [x, scale] : [x]);
