import { GraphError } from '../errors.ts';
import { realDft, type RealDft } from '../math/real-dft.ts';
import type { Signal } from '../signal/index.ts';
import { defineOp, formatShape } from '../signal/index.ts';
import { skip } from './skip.ts';
import { stftFrames, windowOf, type StftFrames, type StftOptions } from './stft-options.ts';

/**
 * The signal of short-time spectra, by overlap and add, as torch `istft`:
 *
 *     y[t] = Σⱼ w[t − j·hop] · s_j[t − j·hop] / Σⱼ w²[t − j·hop],   s_j = inverse DFT of X[j]
 *
 * over the spectra j that there are. Which there are, the op sees from a second input that is 1 for each
 * spectrum: before the first and behind the last stand zeros, so that both ends divide by what really overlaps.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | X | input | (2 × bins), or (C × 2 × bins) |
 * | | present | (1): 1 |
 * | w | window | (N) |
 * | | overlap | (C × (N − hop)): sums that later spectra add to, state, float64 |
 * | y | output | (C), `hop` frames a spectrum |
 */
interface Prepared {
  readonly dft: RealDft;
  readonly window: Float64Array; // (N)
  readonly scale: Float64Array; // (bins): what a bin and its conjugate weigh in the inverse
  readonly frame: Float64Array; // (N), scratch
  readonly re: Float64Array; // (bins), scratch
  readonly im: Float64Array;
  readonly weight: Float64Array; // (hop), scratch
}

/** Spectra before the current one that reach into its hop. */
const pastOf = ({ size, hop }: StftFrames): number => Math.ceil(size / hop) - 1;

/** Samples cut from the start and from the end of the overlapped sum. */
function cutOf({ size, hop, padding }: StftFrames): { start: number; end: number } {
  if (padding === 'centre') return { start: Math.floor(size / 2), end: Math.floor(size / 2) };
  if (padding === 'causal') return { start: size - hop, end: size - hop };
  return { start: 0, end: 0 };
}

const channelsOf = (shape: readonly number[]): number => (shape.length === 3 ? shape[0]! : 1);

const inverseStftOp = defineOp<StftFrames, Prepared>({
  name: 'inverse-stft',
  shape({ size }, [X], reject) {
    const bins = Math.floor(size / 2) + 1;
    const [planes, count] = X!.shape.slice(-2);
    if (![2, 3].includes(X!.shape.length) || planes !== 2 || count !== bins) {
      reject(
        `a frame of ${formatShape(X!.shape)} is no spectrum of ${size} samples; give (2 × ${bins}) or (channels × 2 × ${bins})`,
      );
    }
    return [channelsOf(X!.shape)];
  },
  timing(frames) {
    const past = pastOf(frames);
    // A causal sum ends where the next spectrum would have to come.
    const right = frames.padding === 'causal' ? 0 : past;
    return {
      windows: [
        { size: 1, left: 0, right },
        { size: past + 1, left: past, right },
      ],
      stride: 1,
      emit: frames.hop,
      surplus: right === 0 ? 0 : (past + 1) * frames.hop - frames.size + cutOf(frames).end,
    };
  },
  state: ({ size, hop }, [X]) =>
    size === hop ? {} : { overlap: { shape: [channelsOf(X!.shape), size - hop], type: 'float64' } },
  prepare({ attributes }) {
    const { size, hop } = attributes;
    const dft = realDft(size);
    const alone = (k: number): boolean => k === 0 || 2 * k === size;
    return {
      dft,
      window: windowOf(attributes),
      scale: Float64Array.from({ length: dft.bins }, (_, k) => (alone(k) ? 1 : 2) / size),
      frame: new Float64Array(size),
      re: new Float64Array(dft.bins),
      im: new Float64Array(dft.bins),
      weight: new Float64Array(hop),
    };
  },
  step({ attributes, types, inputs, output, state, prepared }) {
    const { size, hop } = attributes;
    const { dft, window, scale, frame, re, im, weight } = prepared;
    const [X, present] = inputs;
    const past = pastOf(attributes);
    const channels = channelsOf(types[0]!.shape);
    const kept = size - hop;
    overlapWeight(weight, window, hop, (m) => present!.data[present!.at + past - m]!);
    for (let c = 0; c < channels; c++) {
      const at = X!.at + c * 2 * dft.bins;
      for (let k = 0; k < dft.bins; k++) {
        re[k] = scale[k]! * X!.data[at + k]!;
        im[k] = scale[k]! * X!.data[at + dft.bins + k]!;
      }
      dft.transpose(re, im, frame);
      for (let n = 0; n < size; n++) frame[n]! *= window[n]!;
      const overlap = state['overlap'];
      const base = c * kept;
      for (let n = 0; n < hop; n++) {
        const sum = n < kept ? overlap![base + n]! + frame[n]! : frame[n]!;
        output.data[output.at + n * channels + c] = weight[n] === 0 ? 0 : sum / weight[n]!;
      }
      for (let n = 0; n < kept; n++) {
        const older = n + hop < kept ? overlap![base + n + hop]! : 0;
        overlap![base + n] = older + frame[n + hop]!;
      }
    }
  },
  adjoint({ attributes, types, dOutput, dInputs, firings, frames, prepared }) {
    const dX = dInputs[0];
    if (!dX) return;
    const { size, hop } = attributes;
    const { dft, window, scale, frame, re, im, weight } = prepared;
    const channels = channelsOf(types[0]!.shape);
    const count = frames[0]!;
    // dy over the weight it was divided by.
    const slopes = new Float64Array(firings * hop * channels);
    for (let j = 0; j < firings; j++) {
      overlapWeight(weight, window, hop, (m) => (j - m >= 0 && j - m < count ? 1 : 0));
      for (let i = 0; i < hop * channels; i++) {
        const at = j * hop * channels + i;
        const w = weight[Math.floor(i / channels)]!;
        slopes[at] = w === 0 ? 0 : dOutput.data[dOutput.origin + at]! / w;
      }
    }
    for (let j = 0; j < count; j++) {
      for (let c = 0; c < channels; c++) {
        for (let n = 0; n < size; n++) {
          frame[n] = window[n]! * (slopes[(j * hop + n) * channels + c] ?? 0);
        }
        dft.forward(frame, re, im);
        const at = dX.origin + (j * channels + c) * 2 * dft.bins;
        for (let k = 0; k < dft.bins; k++) {
          dX.data[at + k]! += scale[k]! * re[k]!;
          dX.data[at + dft.bins + k]! += scale[k]! * im[k]!;
        }
      }
    }
  },
});

/** Σₘ present(m) · w²[n + m·hop] for each n of a hop; m counts spectra back from the current one. */
function overlapWeight(
  into: Float64Array,
  window: Float64Array,
  hop: number,
  present: (m: number) => number,
): void {
  into.fill(0);
  for (let m = 0, n = 0; n < window.length; m++) {
    const is = present(m);
    for (let i = 0; i < hop && n < window.length; i++, n++) into[i]! += is * window[n]! * window[n]!;
  }
}

/** 1 at every frame of a signal. */
const presentOp = defineOp<null>({
  name: 'present',
  shape: () => [1],
  step({ output }) {
    output.data[output.at] = 1;
  },
  adjoint() {
    // It does not depend on what the frames hold.
  },
});

/** As torch: below this the windows do not overlap enough to divide by. */
const LEAST_OVERLAP = 1e-11;

/**
 * The signal of short-time spectra: (2 × bins) → (1), (C × 2 × bins) → (C), `hop` frames a spectrum. With the
 * options of the `stft` that made them it gives the signal back, wherever the windows overlap; sample t is t again.
 *
 * | padding | what comes out of F spectra |
 * | --- | --- |
 * | `causal` | F·hop − (size − hop) samples: those that all their windows have reached. A hop in, the hop before the last size − hop samples out: nothing is faded or divided by less than the full sum |
 * | `centre` | (F − 1)·hop samples for an even size, as torch `istft(center=True)`: half a window is cut from both ends |
 * | `valid` | (F − 1)·hop + size samples, as torch `istft(center=False)`: both ends are divided by the few windows there, so the window must not vanish at its edges |
 *
 * To get a file's last samples out of `causal`, let the model append size − hop zeros (its `endPadding`).
 *
 * @throws GraphError where the windows leave a sample that nothing can be divided out of (NOLA), or the frame is no
 *   spectrum of `size`.
 * @example
 * const y = inverseStft(mul(stft(x, frames), mask), frames);
 */
export function inverseStft(X: Signal, options: StftOptions): Signal {
  const frames = stftFrames(options, `inverseStft of ${X.node.path}`);
  refuseGaps(frames, X.node.path);
  const present = X.trace.apply(presentOp, null, [X]);
  return skip(X.trace.apply(inverseStftOp, frames, [X, present]), cutOf(frames).start);
}

function refuseGaps(frames: StftFrames, path: string): void {
  const { size, hop, padding, window } = frames;
  const refuse = (message: string): never => {
    throw new GraphError(`inverseStft of ${path}: ${message}`);
  };
  if (hop > size)
    refuse(`a hop of ${hop} leaves gaps between spectra of ${size} samples; use a hop of at most ${size}`);
  const { start, end } = cutOf(frames);
  if (padding === 'centre' && hop > size - end) {
    refuse(
      `a hop of ${hop} with centred spectra of ${size} samples; use a hop of at most ${size - end}, or padding causal`,
    );
  }
  const w = windowOf(frames);
  for (let t = start; t < start + size + hop; t++) {
    // The fewest spectra of which sample t comes out.
    const count = Math.max(1, Math.floor((t - size + end) / hop) + 2);
    let sum = 0;
    for (let j = Math.max(0, Math.ceil((t - size + 1) / hop)); j < count && j * hop <= t; j++)
      sum += w[t - j * hop]! ** 2;
    if (sum > LEAST_OVERLAP) continue;
    const name = typeof window === 'string' ? `the ${window} window` : 'the window';
    refuse(
      padding === 'valid' && t < size
        ? `${name} vanishes at its edge, where sample ${t} has no other spectrum (NOLA); use padding causal or centre, or a window such as hamming`
        : `${name} of ${size} samples with a hop of ${hop} leaves nothing of sample ${t} (NOLA); use a shorter hop or another window`,
    );
  }
}
