import { ArgumentError } from '../errors.ts';
import type { Signal } from '../signal/index.ts';
import { add } from './arithmetic.ts';
import { dense } from './dense.ts';
import { sqrt, square } from './pointwise.ts';
import { stft } from './stft.ts';
import type { StftOptions } from './stft-options.ts';
import { select } from './structure.ts';

/** A scale of pitch: from hertz and back. */
interface MelScale {
  readonly fromHertz: (f: number) => number;
  readonly toHertz: (mel: number) => number;
}

/** Slaney's scale is linear up to 1000 Hz, 15 mel; above, a mel is the 27th root of 6.4. */
const SLANEY_MEL = 200 / 3;
const SLANEY_STEP = Math.log(6.4) / 27;

const scales = {
  /** m = 2595 log₁₀(1 + f/700), of the Hidden Markov Model Toolkit. */
  htk: {
    fromHertz: (f) => 2595 * Math.log10(1 + f / 700),
    toHertz: (mel) => 700 * (10 ** (mel / 2595) - 1),
  },
  /** Slaney's Auditory Toolbox (1998): m = 3f/200 below 1000 Hz, 15 + 27 ln(f/1000)/ln 6.4 above. */
  slaney: {
    fromHertz: (f) => (f < 1000 ? f / SLANEY_MEL : 15 + Math.log(f / 1000) / SLANEY_STEP),
    toHertz: (mel) => (mel < 15 ? mel * SLANEY_MEL : 1000 * Math.exp((mel - 15) * SLANEY_STEP)),
  },
} as const satisfies Record<string, MelScale>;

export interface MelOptions {
  /** Number of filters. */
  readonly mels: number;
  /** Hz. */
  readonly sampleRate: number;
  /** Hz where the first filter begins; 0 by default. */
  readonly low?: number;
  /** Hz where the last filter ends; half the sample rate by default. */
  readonly high?: number;
  /** `htk` (default, as torchaudio) or `slaney` (librosa's default). */
  readonly scale?: keyof typeof scales;
  /** `peak` (default, as torchaudio): each filter's peak is 1. `area` (librosa's `norm='slaney'`): each filter's area in Hz is 1. */
  readonly norm?: 'peak' | 'area';
}

/**
 * Triangular filters, equally wide on a mel scale, that neighbour each other: with corners c[0] … c[mels + 1] in Hz,
 * equally spaced in mel from `low` to `high`, and f[k] = k · sampleRate/2 / (bins − 1),
 *
 *     filter[i][k] = max(0, min((f[k] − c[i]) / (c[i+1] − c[i]), (c[i+2] − f[k]) / (c[i+2] − c[i+1])))
 *
 * times 2 / (c[i+2] − c[i]) where `norm` is `area`. As torchaudio `melscale_fbanks` and librosa `filters.mel`. A filter
 * narrower than the distance of two bins may hold none and is 0 everywhere, as there: fewer mels or a longer
 * spectrum help.
 *
 * @param bins ⌊size/2⌋ + 1 of an even size.
 * @returns (mels × bins), row-major: a weight for `dense`.
 * @throws ArgumentError naming the option, its value and the cure.
 * @example
 * const bank = melFilterBank(257, { mels: 40, sampleRate: 16_000 });
 */
export function melFilterBank(bins: number, options: MelOptions): Float64Array {
  const { mels, sampleRate, low = 0, high = sampleRate / 2, scale = 'htk', norm = 'peak' } = options;
  const refuse = (message: string): never => {
    throw new ArgumentError(`mel filter bank: ${message}`);
  };
  if (!(Number.isSafeInteger(bins) && bins >= 2)) refuse(`bins is ${bins}; give a whole number, 2 or more`);
  if (!(Number.isSafeInteger(mels) && mels >= 1)) refuse(`mels is ${mels}; give a whole number, 1 or more`);
  if (!(sampleRate > 0 && sampleRate < Infinity)) refuse(`sampleRate is ${sampleRate}; give it in hertz`);
  if (!(low >= 0 && low < high && high <= sampleRate / 2))
    refuse(
      `filters from ${low} to ${high} Hz; give 0 ≤ low < high ≤ ${sampleRate / 2}, half the sample rate`,
    );
  if (!Object.hasOwn(scales, scale)) refuse(`scale "${scale}" is unknown; use htk or slaney`);
  if (norm !== 'peak' && norm !== 'area') refuse(`norm "${String(norm)}" is unknown; use peak or area`);

  const { fromHertz, toHertz } = scales[scale];
  const [first, last] = [fromHertz(low), fromHertz(high)];
  const corners = Array.from({ length: mels + 2 }, (_, i) =>
    toHertz(first + ((last - first) * i) / (mels + 1)),
  );
  const bank = new Float64Array(mels * bins);
  for (let i = 0; i < mels; i++) {
    const [left, peak, right] = corners.slice(i, i + 3) as [number, number, number];
    const gain = norm === 'area' ? 2 / (right - left) : 1;
    for (let k = 0; k < bins; k++) {
      const f = (k * sampleRate) / 2 / (bins - 1);
      bank[i * bins + k] =
        gain * Math.max(0, Math.min((f - left) / (peak - left), (right - f) / (right - peak)));
    }
  }
  return bank;
}

/** Mel bands of a spectrum's magnitudes or powers: (… × bins) → (… × mels). */
export function mel(spectrum: Signal, options: MelOptions): Signal {
  const bins = spectrum.shape.at(-1) ?? 1;
  return dense(spectrum, spectrum.trace.literal(melFilterBank(bins, options), [options.mels, bins]));
}

export interface MelSpectrogramOptions extends StftOptions, MelOptions {
  /** 2 (default): bands of the power; 1: of the magnitude. */
  readonly power?: 1 | 2;
}

/**
 * Mel bands of short-time spectra, one frame every `hop`: (1) → (mels), (C) → (C × mels). As torchaudio
 * `MelSpectrogram` (with `pad_mode='constant'` where `padding` is `centre`); the logarithm is outside.
 *
 * @throws GraphError, ArgumentError as `stft` and `melFilterBank`.
 * @example
 * const bands = log(add(melSpectrogram(x, { size: 400, hop: 160, mels: 40, sampleRate: 16_000 }), 1e-6));
 */
export function melSpectrogram(x: Signal, options: MelSpectrogramOptions): Signal {
  const { power = 2, size } = options;
  if (power !== 1 && power !== 2)
    throw new ArgumentError(
      `melSpectrogram of ${x.node.path}: power is ${String(power)}; use 2, or 1 for magnitudes`,
    );
  if (size % 2 !== 0)
    throw new ArgumentError(
      `melSpectrogram of ${x.node.path}: size is ${size}; give an even one, whose last bin is half the sample rate`,
    );
  const X = stft(x, options);
  const powers = add(square(select(X, 0, -2)), square(select(X, 1, -2)));
  return mel(power === 2 ? powers : sqrt(powers), options);
}
