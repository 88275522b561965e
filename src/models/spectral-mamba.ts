import { ArgumentError } from '../errors.ts';
import { zoh } from '../discretize/index.ts';
import { linear } from '../layers/linear.ts';
import { mambaMixer } from '../layers/mamba.ts';
import {
  add,
  concat,
  delay,
  dense,
  diagonalScan,
  div,
  exp,
  inverseStft,
  log,
  mul,
  reshape,
  select,
  square,
  stft,
  sub,
  type StftOptions,
} from '../ops/index.ts';
import { defineLayer, type Layer, type Signal } from '../signal/index.ts';
import { preNormStack } from './pre-norm-stack.ts';
import { levelOfPower } from './running-level.ts';

/** Configuration of `spectralMamba`; the defaults make 16 ms of look-ahead at 16 kHz. */
export interface SpectralMambaOptions {
  /** Hz; 16,000. */
  readonly sampleRate?: number;
  /** N: samples of a spectrum; 256. */
  readonly window?: number;
  /** Samples from one spectrum to the next; half a window. */
  readonly hop?: number;
  /** Width of the blocks. */
  readonly features: number;
  readonly layers: number;
  /** Channels inside a block. */
  readonly inner: number;
  /** States a channel; 16. */
  readonly states?: number;
  /** T: spectra that are filtered into one, the current one and those before it; 1 is a complex mask. */
  readonly taps?: number;
  /**
   * Hz below which a recording is rumble and no voice: a high-pass of second order in front. Short spectra can't tell the
   * two apart, since their lowest bins hold both; what the high-pass turns in phase, the filters turn back. None.
   */
  readonly cutoff?: number | undefined;
  /**
   * Share of the noisy spectrum (behind the high-pass) that stays in the result, so that nothing is taken down by more: 0.1
   * is 20 dB. A voice sounds more natural above a trace of its room. For streams: training would undo it. 0.
   */
  readonly keep?: number | undefined;
}

/** Power laws of the features: magnitudes to the 0.3, which follows loudness better than the logarithm near silence. */
const COMPRESSION = 0.3;
const EPS = 1e-6;
/** What is believed of the level before anything was heard: the root-mean-square, and for how many seconds. */
const PRIOR = { rms: 0.05, seconds: 0.3 };
const MEMORY_SECONDS = 3;

/**
 * A denoiser of ours: Mamba blocks look at compressed spectra, frame by frame, and give a short complex filter along
 * time for every bin.
 *
 *     X = stft(highpass(x)),   X̂ = X / level,   level² a running mean of the spectra's power
 *     features = (|X̂|^0.3, X̂ |X̂|^−0.7)  →  input  →  blocks  →  output = M
 *     Y[j] = X[j] + Σₜ M[j]ₜ X[j − t],  t = 0 … T − 1          y = istft((1 − keep) Y + keep X)
 *
 * | parameter | shape |
 * | --- | --- |
 * | `input.weight`, `.bias` | (D × 3·bins), (D): magnitudes, then real, then imaginary parts |
 * | `layers.i.norm.weight`, `layers.i.mixer.*` | those of `mamba` |
 * | `norm_f.weight` | (D) |
 * | `output.weight`, `.bias` | (2T·bins × D), (2T·bins): T real planes, then T imaginary ones |
 *
 * On a stream: N − 1 samples of look-ahead, since a sample is finished by the last spectrum that overlaps it. Counts
 * frames, so one sample rate only. The end rule fills the last hop with zeros and appends
 * N − hop more, which brings out a file's last samples.
 *
 * Sources: Gu & Dao (arXiv 2312.00752) for the block; Mack & Habets, "Deep Filtering" (arXiv 1904.08369) for the
 * filter in place of a mask.
 *
 * @example
 * const model = spectralMamba({ features: 96, layers: 4, inner: 144 });
 */
export function spectralMamba(options: SpectralMambaOptions): Layer {
  const { sampleRate = 16_000, window = 256, hop = window / 2, features, layers, inner } = options;
  const { states = 16, taps = 1, cutoff, keep = 0 } = options;
  if (!(keep >= 0 && keep < 1))
    throw new ArgumentError(`spectral-mamba: keep is ${keep}; give a share, from 0 to below 1`);
  const frames: StftOptions = { size: window, hop, window: sineWindow(window) };
  return defineLayer({
    name: 'spectral-mamba',
    features: 1,
    sampleRate,
    endPadding: (frames) => window - hop + ((hop - (frames % hop)) % hop),
    apply(trace, x) {
      const X = stft(cutoff === undefined ? x : highPass(x, cutoff / sampleRate), frames);
      const bins = X.shape[1]!;
      const level = spectralLevelOf(X, { window, perSecond: sampleRate / hop });
      const hidden = linear(trace, compressed(div(X, level)), { name: 'input', outputs: features });
      const mixed = preNormStack(trace, hidden, {
        layers,
        mixer: (block, u) => mambaMixer(block, u, { features, inner, states }),
      });
      const filter = linear(trace, mixed, { name: 'output', outputs: 2 * taps * bins });
      const Y = filtered(X, reshape(filter, [2, taps, bins]));
      return inverseStft(keep === 0 ? Y : add(mul(Y, 1 - keep), mul(X, keep)), frames);
    },
  });
}

/** sin(π (n + ½) / N): symmetric, so that no sample of a window is wasted on a zero; squares add up at half overlap. */
const sineWindow = (size: number): Float64Array =>
  Float64Array.from({ length: size }, (_, n) => Math.sin((Math.PI * (n + 0.5)) / size));

/**
 * Butterworth's high-pass of second order as a state space in continuous time, y = u − √2 ω Re(x), x′ = p x + u with its
 * pole p = ω (−1 + i)/√2; ZOH keeps the zero at 0 Hz.
 *
 * @param cutoff in cycles a frame, far below ½.
 */
function highPass(u: Signal, cutoff: number): Signal {
  const { trace } = u;
  const pole = Math.PI * Math.SQRT2 * cutoff;
  const literal = (value: number): Signal => trace.literal([value], [1, 1]);
  const low = diagonalScan(u, {
    a: { re: literal(-pole), im: literal(pole) },
    c: { re: literal(2 * pole), im: literal(0) },
    dt: trace.literal([1]),
    method: zoh.diagonal,
  });
  return sub(u, low);
}

/** √ of the running mean power of the spectra, (1). */
function spectralLevelOf(X: Signal, { window, perSecond }: { window: number; perSecond: number }): Signal {
  // A window of squared sines sums to N/2: what white noise of one unit puts into every bin.
  const average = X.trace.literal(new Float64Array(X.width).fill(1 / X.width), [1, X.width]);
  const power = dense(reshape(square(X), [X.width]), average);
  return levelOfPower(power, perSecond, {
    seconds: MEMORY_SECONDS,
    prior: { power: (PRIOR.rms ** 2 * window) / 4, seconds: PRIOR.seconds },
    floor: EPS,
  });
}

/** (2 × bins) → (3 · bins) */
function compressed(X: Signal): Signal {
  const [re, im] = [select(X, 0, 0), select(X, 1, 0)];
  const logPower = log(add(add(square(re), square(im)), EPS));
  const shrink = exp(mul(logPower, (COMPRESSION - 1) / 2));
  return concat([exp(mul(logPower, COMPRESSION / 2)), mul(re, shrink), mul(im, shrink)]);
}

/** X[j] + Σₜ M[j]ₜ X[j − t] of planes: (2 × bins) and (2 × T × bins). */
function filtered(X: Signal, M: Signal): Signal {
  const [, taps] = M.shape as [number, number, number];
  let [re, im] = [select(X, 0, 0), select(X, 1, 0)];
  const bins = re.shape[0]!;
  for (let t = 0; t < taps; t++) {
    const past = t === 0 ? X : delay(X, t);
    const [a, b] = [select(past, 0, 0), select(past, 1, 0)];
    const [c, d] = [select(select(M, 0, 0), t, 0), select(select(M, 1, 0), t, 0)];
    re = add(re, sub(mul(a, c), mul(b, d)));
    im = add(im, add(mul(a, d), mul(b, c)));
  }
  return reshape(concat([re, im]), [2, bins]);
}
