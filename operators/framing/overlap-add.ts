import type { MonoTypeOperatorFunction } from 'rxjs';
import { ArgumentError, StreamError } from '../../src/errors.ts';
import type { FloatArray } from '../../src/signal/index.ts';
import { checkFrames, wholeNumber } from '../core/format.ts';
import { operate } from '../core/operate.ts';
import { like } from './fifo.ts';
import { windowWeights, type Window } from './window.ts';

export interface OverlapAddOptions {
  /** The window that `frame` multiplied with; none by default. */
  readonly analysis?: Window;
  /** 1 by default; frames carry none. */
  readonly channels?: number;
}

/** Below this, of the largest sum of weights, a sample is as good as lost. */
const GAP = 1e-9;

/**
 * Puts overlapping frames (size × channels) together again, `hop` samples apart:
 *
 *     y[t] = Σ_m w[t − m·hop] frame_m[t − m·hop]  /  Σ_m w[t − m·hop] a[t − m·hop]
 *
 * w is `window`, a the `analysis` window that the frames went through. Divided by the sum that each sample
 * really got, so every window that leaves no gap reconstructs perfectly, also at both ends:
 * `frame(size, hop, { end: 'keep' })` and `overlapAdd(size, hop)` give the input back. (With `end: 'pad'` the
 * zeros of the last frame follow.) Blocks of `hop` samples come out as soon as no later frame reaches them;
 * the rest at the end.
 *
 *     source   -a---b---|               overlapAdd(4, 2)
 *     result   -A---B---(C|)            A = samples 0 1, B = 2 3, C = 4 5
 *
 * @throws ArgumentError where windows and hop leave samples without any weight; StreamError, as the error of
 *   the stream, for a frame that is not size × channels (only the last may be shorter).
 * @example
 * frames.pipe(map(denoised), overlapAdd(512, 128, 'sine', { analysis: 'sine' }));
 */
export function overlapAdd<A extends FloatArray>(
  size: number,
  hop: number,
  window: Window = 'hann',
  options: OverlapAddOptions = {},
): MonoTypeOperatorFunction<A> {
  const { analysis = 'rectangular', channels = 1 } = options;
  wholeNumber('overlapAdd', 'size', size);
  wholeNumber('overlapAdd', 'hop', hop);
  wholeNumber('overlapAdd', 'channels', channels);
  const w = windowWeights('overlapAdd', window, size);
  const both = windowWeights('overlapAdd', analysis, size).map((weight, n) => weight * w[n]!);
  refuseGaps(both, hop);
  return operate(() => {
    const sum = new Float64Array(size * channels);
    const weight = new Float64Array(size);
    /** Samples at the front of `sum` that some frame has reached. */
    let reached = 0;
    let short = false;
    const give = (samples: number, of: FloatArray): A => {
      const block = like(of, samples * channels);
      for (let k = 0, i = 0; k < samples; k++) {
        for (let channel = 0; channel < channels; channel++, i++) {
          block[i] = weight[k] === 0 ? 0 : sum[i]! / weight[k]!;
        }
      }
      sum.copyWithin(0, samples * channels).fill(0, (size - samples) * channels);
      weight.copyWithin(0, samples).fill(0, size - samples);
      reached -= samples;
      return block as A;
    };
    let last: FloatArray = new Float32Array(0);
    return {
      next(frame, emit) {
        const length = checkFrames('overlapAdd', frame, channels);
        if (length > size || length === 0 || short) {
          throw new StreamError(
            short
              ? 'overlapAdd: a frame behind a shorter one; only the last may be shorter'
              : `overlapAdd: a frame of ${length} samples; give ${size}, as frame(${size}, ${hop}) does`,
          );
        }
        for (let k = 0, i = 0; k < length; k++) {
          for (let channel = 0; channel < channels; channel++, i++) sum[i]! += w[k]! * frame[i]!;
          weight[k]! += both[k]!;
        }
        reached = Math.max(reached, length);
        short = length < size;
        last = frame;
        if (!short) emit(give(hop, frame));
      },
      end(emit) {
        if (reached > 0) emit(give(reached, last));
      },
    };
  });
}

/** In the steady state sample k of a hop gets the weights k, k + hop, k + 2 hop, … */
function refuseGaps(weights: Float64Array, hop: number): void {
  if (hop > weights.length) {
    throw new ArgumentError(
      `overlapAdd: a hop of ${hop} skips samples between frames of ${weights.length}; give at most ${weights.length}`,
    );
  }
  const sums = new Float64Array(hop);
  weights.forEach((weight, n) => (sums[n % hop]! += weight));
  const most = sums.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  const gap = sums.findIndex((sum) => !(Math.abs(sum) > GAP * most));
  if (gap >= 0) {
    throw new ArgumentError(
      `overlapAdd: the windows give sample ${gap} of every hop of ${hop} no weight; ` +
        'let frames overlap more, or take a window without zeros',
    );
  }
}
