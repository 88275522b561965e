import { ArgumentError } from '../../errors.ts';
import type { Loss } from '../loss.ts';
import { shortTime, type Resolution, type ShortTime } from './short-time.ts';
import { signalLoss, type Comparison, type Pair } from './signal-loss.ts';

export interface MultiResolutionStftOptions extends Comparison {
  /** 512 / 50 / 240, 1024 / 120 / 600 and 2048 / 240 / 1200 (size, hop, window), as in the paper. */
  readonly resolutions?: readonly Resolution[] | undefined;
  /** Weight of the spectral convergence; 1. */
  readonly convergence?: number | undefined;
  /** Weight of the log magnitudes; 1. */
  readonly logMagnitude?: number | undefined;
}

const ofThePaper: readonly Resolution[] = [
  { size: 512, hop: 50, windowLength: 240 },
  { size: 1024, hop: 120, windowLength: 600 },
  { size: 2048, hop: 240, windowLength: 1200 },
];

/** Powers below this are silence. */
const FLOOR = 1e-7;

/**
 * Distance of short-time magnitudes, the mean over resolutions and channels of spectral convergence and log magnitude:
 *
 *     sc = ‖ |T| − |Y| ‖ / ‖T‖,   lm = 1/(J·K) Σ | ln|T| − ln|Y| |,   |X| = √max(re² + im², 1e-7)
 *
 * Source: Yamamoto, Song, Kim, "Parallel WaveGAN" (arXiv 1910.11480), §2.2, eq. 4–6.
 *
 * @throws ArgumentError for a resolution that cannot be.
 * @example
 * const loss = weighted([{ weight: 1, loss: esr() }, { weight: 0.1, loss: multiResolutionStft() }]);
 */
export function multiResolutionStft(options: MultiResolutionStftOptions = {}): Loss {
  const { resolutions = ofThePaper, convergence = 1, logMagnitude = 1 } = options;
  if (resolutions.length === 0)
    throw new ArgumentError('multi-resolution-stft: there are no resolutions; give one at least');
  const transforms = resolutions.map((resolution) => shortTime('multi-resolution-stft', resolution));
  return signalLoss('multi-resolution-stft', options, (pair) => {
    const share = 1 / (transforms.length * pair.channels);
    const weights = { convergence: convergence * share, logMagnitude: logMagnitude * share };
    let sum = 0;
    for (const transform of transforms) {
      for (let c = 0; c < pair.channels; c++) sum += distance(transform, pair, c, weights);
    }
    return sum;
  });
}

interface Weights {
  readonly convergence: number;
  readonly logMagnitude: number;
}

/** The weighted distance of one channel at one resolution; adds its gradient. */
function distance(
  transform: ShortTime,
  { data, wanted, gradient, channels, frames }: Pair,
  channel: number,
  weights: Weights,
): number {
  const Y = transform.forward(data, channel, channels, frames);
  const T = transform.forward(wanted, channel, channels, frames);
  const count = Y.re.length;
  const magnitude = (re: number, im: number): number => Math.sqrt(Math.max(re * re + im * im, FLOOR));

  let [apart, power, logs] = [0, 0, 0];
  for (let i = 0; i < count; i++) {
    const y = magnitude(Y.re[i]!, Y.im[i]!);
    const t = magnitude(T.re[i]!, T.im[i]!);
    apart += (t - y) * (t - y);
    power += t * t;
    logs += Math.abs(Math.log(t / y));
  }
  const norm = Math.sqrt(apart);
  const scale = Math.sqrt(power);
  if (gradient) {
    for (let i = 0; i < count; i++) {
      const [re, im] = [Y.re[i]!, Y.im[i]!];
      const square = re * re + im * im;
      const y = magnitude(re, im);
      const t = magnitude(T.re[i]!, T.im[i]!);
      let slope = 0;
      // Below the floor nothing changes; where all agree, the norm has no slope.
      if (square > FLOOR) {
        if (norm > 0) slope += (weights.convergence * (y - t)) / (norm * scale);
        slope += (weights.logMagnitude * Math.sign(y - t)) / (count * y);
      }
      Y.re[i] = (slope * re) / y;
      Y.im[i] = (slope * im) / y;
    }
    transform.backward(Y, gradient, channel, channels, frames);
  }
  return (weights.convergence * norm) / scale + (weights.logMagnitude * logs) / count;
}
