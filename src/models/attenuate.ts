import { zohEuler } from '../discretize/index.ts';
import { torchUniform } from '../layers/initialisers.ts';
import { normal, type Random } from '../init/index.ts';
import { conv1d } from '../layers/conv.ts';
import { inverseSoftplus } from '../math/scalar.ts';
import { layerNorm } from '../layers/norm.ts';
import {
  add,
  channelsToFrames,
  dense,
  diagonalScan,
  exp,
  framesToChannels,
  mul,
  neg,
  permute,
  reshape,
  select,
  silu,
  softplus,
} from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Signal, type Trace } from '../signal/index.ts';

/** Configuration of `attenuate`; the defaults are those of the published weights. */
export interface AttenuateOptions {
  readonly inChannels?: number;
  /** Channels behind each down-projection. */
  readonly channels?: readonly number[];
  /** Frames that each down-projection makes one of. */
  readonly resampleFactors?: readonly number[];
  /** Modes of every SSM: `num_coeffs` × `repeat`. */
  readonly modes?: number;
  /** Sets of frequencies among the modes, each with a time step of its own at first; 16, or 1 where that does not divide. */
  readonly repeat?: number;
  /** A depthwise convolution of three taps, centred, before every SSM. */
  readonly preConv?: boolean;
}

/**
 * aTENNuate, a speech denoiser on raw waveforms at 16 kHz: an hourglass of SSM blocks with patch-wise down- and
 * up-projections and skips (Brainchip-Inc/aTENNuate).
 *
 *     block:  depthwise 3-tap convolution → SSM → LayerNorm over channels → SiLU
 *     SSM:    A = −softplus(A₀) + i A₁,  dt = exp(log_dt),  x[k] = e^{dt A} x[k−1] + dt B u[k],  y = C Re x
 *
 * A signal of one channel has neither the convolution nor the norm, and the last block no norm and no activation. Names and shapes are those of `weights.pt`.
 *
 * On a stream: 1,255 frames (78 ms) of look-ahead, all of it from the centred convolutions and the patches; the
 * official rule for the end appends 256 − (L mod 256) zero frames as signal. Counts frames, so 16 kHz only.
 *
 * Source: Pei, Shrivastava, Sidharth, "Optimized Real-time Speech Enhancement with Deep SSMs on Raw Audio"
 * (arXiv 2409.03377), and the repository's `attenuate/model.py`.
 *
 * @example
 * const stream = compile(attenuate(), parameters);
 */
export function attenuate(options: AttenuateOptions = {}): Layer {
  const { inChannels = 1, channels = [16, 32, 64, 96, 128, 256], modes = 256, preConv = true } = options;
  const { resampleFactors: factors = [4, 4, 2, 2, 2, 2] } = options;
  const widths = [inChannels, ...channels];
  const { repeat = modes % 16 === 0 ? 16 : 1 } = options;
  const patch = factors.reduce((product, factor) => product * factor, 1);

  const block = (trace: Trace, x: Signal, activation = true): Signal => {
    const [width] = x.shape as [number];
    const single = width === 1;
    // torch's nn.Sequential counts the pieces that are there.
    let index = 0;
    let y = x;
    if (preConv && !single)
      y = conv1d(trace, y, { name: `${index++}`, outputs: width, taps: 3, groups: width, padding: 'same' });
    y = ssm(trace.scope(`${index++}`), y, modes, repeat);
    if (!single && activation) y = layerNorm(trace, y, `${index++}.layer_norm`);
    return activation ? silu(y) : y;
  };

  return defineLayer({
    name: 'attenuate',
    features: inChannels,
    sampleRate: 16_000,
    endPadding: (frames) => patch - (frames % patch),
    apply(trace, input) {
      const skips: Signal[] = [];
      let x = input;
      factors.forEach((factor, i) => {
        skips.push(x);
        const level = trace.scope(`down_ssms.${i}`);
        x = patchDown(level.scope('1'), block(level.scope('0'), x), widths[i + 1]!, factor);
      });
      for (const i of [0, 1]) x = block(trace.scope(`hid_ssms.${i}`), x);
      for (let i = factors.length - 1; i >= 0; i--) {
        const level = trace.scope(`up_ssms.${i}`);
        x = block(level.scope('1'), add(patchUp(level.scope('0'), x, widths[i]!, factors[i]!), skips[i]!));
      }
      return block(trace.scope('last_ssms.1'), block(trace.scope('last_ssms.0'), x), false);
    },
  });
}

/**
 * Modes shared by all channels: in by B, out by C, real part of each mode's state. They begin with `repeat` sets of
 * the frequencies 0, π, 2π, … that decay by e^−½ a unit of time, each set at a step of its own.
 */
function ssm(trace: Trace, u: Signal, modes: number, repeat: number): Signal {
  const [width] = u.shape as [number];
  const frequencies = modes / repeat;
  const A = trace.parameter('A', [modes, 2], () =>
    Float64Array.from({ length: 2 * modes }, (_, i) =>
      i % 2 === 0 ? inverseSoftplus(0.5) : Math.PI * ((i >> 1) % frequencies),
    ),
  );
  const B = trace.parameter('B', [modes, width], () =>
    new Float64Array(modes * width).fill(1 / Math.sqrt(width)),
  );
  const C = trace.parameter('C', [width, modes], (shape, random: Random) =>
    normal(new Float64Array(sizeOf(shape)), random, 0, Math.sqrt(2 / modes)),
  );
  const logDt = trace.parameter('log_dt', [modes], () => {
    const [low, high] = [Math.log(1e-3), Math.log(0.1)];
    const step = repeat > 1 ? (high - low) / (repeat - 1) : 0;
    return Float64Array.from({ length: modes }, (_, i) => low + step * Math.floor(i / frequencies));
  });
  const states = diagonalScan(dense(u, B), {
    a: { re: neg(softplus(select(A, 0))), im: select(A, 1) },
    c: trace.literal([1], [1, 1]),
    dt: mul(exp(logDt), trace.timeScale()),
    method: zohEuler.diagonal,
  });
  return dense(states, C);
}

/** `factor` frames become one: 'b c (t r) -> b d t' with weight (c × d × r). */
function patchDown(trace: Trace, x: Signal, outputs: number, factor: number): Signal {
  const [inputs] = x.shape as [number];
  const weight = trace.parameter('weight', [inputs, outputs, factor], torchUniform(inputs * factor));
  return dense(framesToChannels(x, factor), reshape(permute(weight, [1, 2, 0]), [outputs, factor * inputs]));
}

/** One frame becomes `factor`: 'b c t -> b d (t r)' with weight (c × d × r). */
function patchUp(trace: Trace, x: Signal, outputs: number, factor: number): Signal {
  const [inputs] = x.shape as [number];
  const weight = trace.parameter('weight', [inputs, outputs, factor], torchUniform(inputs));
  return channelsToFrames(dense(x, reshape(permute(weight, [2, 1, 0]), [factor * outputs, inputs])), factor);
}
