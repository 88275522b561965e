import { realDft } from '../../math/real-dft.ts';
import { periodicWindow, windowNames, type WindowName } from '../../math/window.ts';
import { ArgumentError } from '../../errors.ts';
import type { FloatArray } from '../../signal/index.ts';

/** One way of cutting a signal into spectra. */
export interface Resolution {
  /** N: samples of a spectrum, torch's `n_fft`. */
  readonly size: number;
  readonly hop: number;
  /** Samples of the window, centred within the N; N. */
  readonly windowLength?: number | undefined;
  /** `hann`. */
  readonly window?: WindowName | undefined;
}

/** Spectra of one channel: spectra × bins. */
export interface Spectra {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/**
 * Short-time spectra of a whole signal, centred on every hop-th sample with zeros around the signal (torch `stft`,
 * `center=True`, `pad_mode='constant'`), and the transpose of that, for gradients.
 *
 * | symbol | name | |
 * | --- | --- | --- |
 * | N | size | |
 * | J | spectra | ⌊frames / hop⌋ + 1 |
 * | K | bins | ⌊N/2⌋ + 1 |
 */
export interface ShortTime {
  readonly bins: number;
  spectraOf(frames: number): number;
  /** A channel of `frames` frames → (J × K). */
  forward(data: FloatArray, channel: number, channels: number, frames: number): Spectra;
  /** ∂/∂spectra → added to ∂/∂data. */
  backward(slope: Spectra, gradient: Float64Array, channel: number, channels: number, frames: number): void;
}

/** @throws ArgumentError naming what of the resolution is wrong. */
export function shortTime(
  place: string,
  { size, hop, windowLength = size, window = 'hann' }: Resolution,
): ShortTime {
  for (const [name, value, most] of [
    ['size', size, Infinity],
    ['hop', hop, Infinity],
    ['windowLength', windowLength, size],
  ] as const) {
    if (!(Number.isSafeInteger(value) && value >= 1 && value <= most))
      throw new ArgumentError(
        `${place}: ${name} is ${value}; give a whole number of samples from 1${most === Infinity ? '' : ` to the size, ${most}`}`,
      );
  }
  if (!windowNames.includes(window))
    throw new ArgumentError(
      `${place}: window is ${JSON.stringify(window)}; use one of ${windowNames.join(', ')}`,
    );
  const dft = realDft(size);
  const { bins } = dft;
  const weights = new Float64Array(size);
  weights.set(periodicWindow(window, windowLength), Math.floor((size - windowLength) / 2));
  const frame = new Float64Array(size);
  const left = Math.floor(size / 2);
  const spectraOf = (frames: number): number => Math.floor(frames / hop) + 1;
  /** Samples of spectrum j that are inside the signal. */
  const inside = (j: number, frames: number): readonly [first: number, last: number] => {
    const start = j * hop - left;
    return [Math.max(0, -start), Math.min(size, frames - start)];
  };
  return {
    bins,
    spectraOf,
    forward(data, channel, channels, frames) {
      const count = spectraOf(frames);
      const re = new Float64Array(count * bins);
      const im = new Float64Array(count * bins);
      for (let j = 0; j < count; j++) {
        const [first, last] = inside(j, frames);
        frame.fill(0);
        for (let n = first, i = (j * hop - left + first) * channels + channel; n < last; n++, i += channels)
          frame[n] = weights[n]! * data[i]!;
        dft.forward(frame, re.subarray(j * bins, (j + 1) * bins), im.subarray(j * bins, (j + 1) * bins));
      }
      return { re, im };
    },
    backward({ re, im }, gradient, channel, channels, frames) {
      const count = spectraOf(frames);
      for (let j = 0; j < count; j++) {
        const [first, last] = inside(j, frames);
        dft.transpose(re.subarray(j * bins, (j + 1) * bins), im.subarray(j * bins, (j + 1) * bins), frame);
        for (let n = first, i = (j * hop - left + first) * channels + channel; n < last; n++, i += channels)
          gradient[i]! += weights[n]! * frame[n]!;
      }
    },
  };
}
