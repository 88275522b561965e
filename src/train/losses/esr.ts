import { ArgumentError } from '../../errors.ts';
import type { FloatArray } from '../../signal/index.ts';
import type { Loss } from '../loss.ts';
import { signalLoss, type Comparison } from './signal-loss.ts';

export interface EsrOptions extends Comparison {
  /** α of the filter 1 − α z⁻¹ that both signals go through first; 0 (none). Wright & Välimäki use 0.95. */
  readonly preEmphasis?: number | undefined;
}

/** Keeps silence from dividing by nothing. */
const FLOOR = 1e-8;

/**
 * Error-to-signal ratio, all channels together: Σ (h ∗ (y − t))² / (Σ (h ∗ t)² + 1e-8), h = 1 − α z⁻¹. 1 for silence,
 * 0 for a perfect copy.
 *
 * Source: Wright & Välimäki, "Perceptual loss function for neural modelling of audio systems" (arXiv 1911.08922), §3.
 *
 * @throws ArgumentError for an α that is not within −1 … 1.
 * @example
 * const loss = esr({ preEmphasis: 0.95 });
 */
export function esr(options: EsrOptions = {}): Loss {
  const { preEmphasis: alpha = 0 } = options;
  if (!(Math.abs(alpha) <= 1))
    throw new ArgumentError(`esr: preEmphasis is ${alpha}; give a number from −1 to 1, such as 0.95`);
  return signalLoss('esr', options, ({ frames, channels, data, wanted, gradient }) => {
    const count = frames * channels;
    const errors = new Float64Array(count);
    let error = 0;
    let power = FLOOR;
    for (let i = 0; i < count; i++) {
      const before = i - channels;
      const filtered = (x: FloatArray): number => x[i]! - (before < 0 ? 0 : alpha * x[before]!);
      const t = filtered(wanted);
      const e = filtered(data) - t;
      errors[i] = e;
      error += e * e;
      power += t * t;
    }
    if (gradient === undefined) return error / power;
    for (let i = 0; i < count; i++) {
      const after = i + channels;
      gradient[i]! += (2 / power) * (errors[i]! - (after < count ? alpha * errors[after]! : 0));
    }
    return error / power;
  });
}
