import type { Loss } from '../loss.ts';
import { signalLoss, type Comparison } from './signal-loss.ts';

/**
 * Mean squared error: 1/(frames · channels) Σ (y − t)².
 *
 * @example
 * const loss = mse();
 */
export const mse = (options: Comparison = {}): Loss =>
  signalLoss('mse', options, ({ frames, channels, data, wanted, gradient }) => {
    const count = frames * channels;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const error = data[i]! - wanted[i]!;
      sum += error * error;
      if (gradient) gradient[i]! += (2 * error) / count;
    }
    return sum / count;
  });
