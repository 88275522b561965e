import { ArgumentError } from '../../errors.ts';
import type { Loss } from '../loss.ts';
import { shortTime, type Resolution } from './short-time.ts';
import { signalLoss, type Comparison } from './signal-loss.ts';

export interface CompressedSpectrumOptions extends Comparison {
  /** Of the spectra, as in `Resolution`. */
  readonly size?: number | undefined;
  readonly hop?: number | undefined;
  readonly windowLength?: Resolution['windowLength'];
  readonly window?: Resolution['window'];
  /** c: exponent of the magnitudes; 0.3. */
  readonly power?: number | undefined;
  /** λ: share of the term that sees the phase; 0.3. */
  readonly complex?: number | undefined;
}

/** Added to every power: bounds the slope of |Y|^c at silence. */
const FLOOR = 1e-8;

/**
 * Distance of compressed spectra, as speech denoisers use it; the mean over J spectra, K bins and channels:
 *
 *     λ | |T|^c e^(iφ_T) − |Y|^c e^(iφ_Y) |² + (1 − λ) ( |T|^c − |Y|^c )²
 *
 * Quiet bins count as the ear hears them, and phase counts where there is something to hear. The signals are taken
 * as they are: bring them to a level first, if theirs vary. Spectra of 512 samples every 128 unless said otherwise.
 *
 * Source: Braun & Tashev, "A consolidated view of loss functions for supervised deep learning-based speech
 * enhancement" (arXiv 2009.12286), eq. 9, with c = λ = 0.3.
 *
 * @throws ArgumentError for a power that is not within 0 … 1, or a share that is no share.
 * @example
 * const loss = compressedSpectrum({ size: 320, hop: 160 });
 */
export function compressedSpectrum(options: CompressedSpectrumOptions = {}): Loss {
  const { power: c = 0.3, complex = 0.3, size = 512, hop = 128 } = options;
  if (!(c > 0 && c <= 1))
    throw new ArgumentError(`compressed-spectrum: power is ${c}; give a number above 0, up to 1`);
  if (!(complex >= 0 && complex <= 1))
    throw new ArgumentError(`compressed-spectrum: complex is ${complex}; give a share from 0 to 1`);
  const transform = shortTime('compressed-spectrum', { ...options, size, hop });
  return signalLoss('compressed-spectrum', options, ({ data, wanted, gradient, channels, frames }) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      const Y = transform.forward(data, channel, channels, frames);
      const T = transform.forward(wanted, channel, channels, frames);
      const share = 1 / (Y.re.length * channels);
      for (let i = 0; i < Y.re.length; i++) {
        const [re, im] = [Y.re[i]!, Y.im[i]!];
        const square = re * re + im * im + FLOOR;
        // |Y|^c and |Y|^(c−1)
        const bent = square ** (c / 2);
        const factor = bent / Math.sqrt(square);
        const wantedSquare = T.re[i]! * T.re[i]! + T.im[i]! * T.im[i]! + FLOOR;
        const wantedBent = wantedSquare ** (c / 2);
        const wantedFactor = wantedBent / Math.sqrt(wantedSquare);
        const eRe = re * factor - T.re[i]! * wantedFactor;
        const eIm = im * factor - T.im[i]! * wantedFactor;
        const e = bent - wantedBent;
        sum += share * (complex * (eRe * eRe + eIm * eIm) + (1 - complex) * e * e);
        if (!gradient) continue;
        // ∂(y |Y|^(c−1)) = |Y|^(c−1) ∂y + (c−1) y |Y|^(c−3) (re ∂re + im ∂im),   ∂|Y|^c = c |Y|^(c−2) (…)
        const radial =
          2 *
          share *
          ((complex * (c - 1) * factor * (eRe * re + eIm * im)) / square +
            ((1 - complex) * c * bent * e) / square);
        const straight = 2 * share * complex * factor;
        Y.re[i] = straight * eRe + radial * re;
        Y.im[i] = straight * eIm + radial * im;
      }
      if (gradient) transform.backward(Y, gradient, channel, channels, frames);
    }
    return sum;
  });
}
