import type { Loss } from '../loss.ts';
import { signalLoss, type Comparison } from './signal-loss.ts';

/** Powers below this are silence: −60 dB at most and at least come out of it. */
const FLOOR = 1e-8;

/**
 * Minus the scale-invariant signal-to-distortion ratio in dB, the mean over channels:
 *
 *     α = ⟨y, t⟩ / |t|²,   loss = −10 log₁₀(|α t|² / |α t − y|²)
 *
 * Source: Le Roux, Wisdom, Erdogan, Hershey, "SDR – half-baked or well done?" (arXiv 1811.02508), §2; without the
 * mean taken off, and with 1e-8 beside every power, so that silence and perfection stay finite.
 */
export const siSdr = (options: Comparison = {}): Loss =>
  signalLoss('si-sdr', options, ({ frames, channels, data, wanted, gradient }) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      let [yt, tt, yy] = [0, FLOOR, 0];
      for (let k = 0, i = c; k < frames; k++, i += channels) {
        yt += data[i]! * wanted[i]!;
        tt += wanted[i]! * wanted[i]!;
        yy += data[i]! * data[i]!;
      }
      // |α t|² = yt²/tt and |α t − y|² = yy − yt²/tt.
      const signal = (yt * yt) / tt + FLOOR;
      const noise = Math.max(0, yy - (yt * yt) / tt) + FLOOR;
      sum -= 10 * Math.log10(signal / noise);
      if (gradient === undefined) continue;
      const scale = 10 / Math.LN10 / channels;
      for (let k = 0, i = c; k < frames; k++, i += channels) {
        const slope = (2 * yt * wanted[i]!) / tt;
        gradient[i]! += scale * ((2 * data[i]! - slope) / noise - slope / signal);
      }
    }
    return sum / channels;
  });
