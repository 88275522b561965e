import { realDft, type RealDft } from '../math/real-dft.ts';
import type { Signal } from '../signal/index.ts';
import { defineOp, formatShape } from '../signal/index.ts';
import { stftFrames, windowOf, type StftFrames, type StftOptions } from './stft-options.ts';

/**
 * Short-time spectra of a signal, as torch `stft` (onesided, not normalised):
 *
 *     X[j][k] = Σₙ w[n] · x[j·hop − left + n] · e^(−2πikn/N),   k = 0 … ⌊N/2⌋
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | x | input | (C) channels |
 * | w | window | (N) |
 * | X | output | (2 × bins), or (C × 2 × bins): all real parts, then all imaginary ones |
 */
interface Prepared {
  readonly dft: RealDft;
  readonly window: Float64Array; // (N)
  readonly frame: Float64Array; // (N), scratch
  readonly re: Float64Array; // (bins), scratch
  readonly im: Float64Array;
}

/** Zero samples before the first; fewer than none where a hop is longer than a window. */
const leftOf = ({ size, hop, padding }: StftFrames): number =>
  padding === 'causal' ? size - hop : padding === 'centre' ? Math.floor(size / 2) : 0;

const stftOp = defineOp<StftFrames, Prepared>({
  name: 'stft',
  shape({ size }, [x], reject) {
    const [channels] = x!.shape;
    if (x!.shape.length !== 1)
      reject(`a frame of ${formatShape(x!.shape)} is no row of channels; reshape it`);
    const bins = Math.floor(size / 2) + 1;
    return channels === 1 ? [2, bins] : [channels!, 2, bins];
  },
  timing: (frames) => ({
    windows: [
      { size: frames.size, left: leftOf(frames), right: frames.padding === 'centre' ? leftOf(frames) : 0 },
    ],
    stride: frames.hop,
    emit: 1,
  }),
  prepare({ attributes }) {
    const dft = realDft(attributes.size);
    return {
      dft,
      window: windowOf(attributes),
      frame: new Float64Array(dft.size),
      re: new Float64Array(dft.bins),
      im: new Float64Array(dft.bins),
    };
  },
  step({ types, inputs, output, prepared: { dft, window, frame, re, im } }) {
    const x = inputs[0]!;
    const channels = types[0]!.shape[0]!;
    for (let c = 0; c < channels; c++) {
      for (let n = 0; n < dft.size; n++) frame[n] = window[n]! * x.data[x.at + n * channels + c]!;
      dft.forward(frame, re, im);
      const at = output.at + c * 2 * dft.bins;
      for (let k = 0; k < dft.bins; k++) {
        output.data[at + k] = re[k]!;
        output.data[at + dft.bins + k] = im[k]!;
      }
    }
  },
  adjoint({ attributes, types, dOutput, dInputs, firings, prepared: { dft, window, frame } }) {
    const dx = dInputs[0];
    if (!dx) return;
    const channels = types[0]!.shape[0]!;
    for (let j = 0; j < firings; j++) {
      for (let c = 0; c < channels; c++) {
        const at = dOutput.origin + (j * channels + c) * 2 * dft.bins;
        dft.transpose(
          dOutput.data.subarray(at, at + dft.bins),
          dOutput.data.subarray(at + dft.bins, at + 2 * dft.bins),
          frame,
        );
        const from = dx.origin + (j * attributes.hop - leftOf(attributes)) * channels + c;
        for (let n = 0; n < dft.size; n++) dx.data[from + n * channels]! += window[n]! * frame[n]!;
      }
    }
  },
});

/**
 * Short-time spectra, one every `hop` frames: (1) → (2 × bins), (C) → (C × 2 × bins); a plane of real parts, then
 * one of imaginary parts, bins = ⌊size/2⌋ + 1. Conventions of torch `stft`; computed in float64.
 *
 * On a stream: `causal` and `valid` spectra come with the last sample they are made of.
 *
 * @throws GraphError for a size, hop or window that does not fit.
 * @example
 * const X = stft(x, { size: 512, hop: 128 }); // (2 × 257), 128 times slower
 */
export const stft = (x: Signal, options: StftOptions): Signal =>
  x.trace.apply(stftOp, stftFrames(options, `stft of ${x.node.path}`), [x]);
