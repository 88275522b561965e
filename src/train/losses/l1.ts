import type { Loss } from '../loss.ts';
import { signalLoss, type Comparison } from './signal-loss.ts';

/** Mean absolute error: 1/(frames · channels) Σ |y − t|. The slope at 0 is 0. */
export const l1 = (options: Comparison = {}): Loss =>
  signalLoss('l1', options, ({ frames, channels, data, wanted, gradient }) => {
    const count = frames * channels;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const error = data[i]! - wanted[i]!;
      sum += Math.abs(error);
      if (gradient) gradient[i]! += Math.sign(error) / count;
    }
    return sum / count;
  });
