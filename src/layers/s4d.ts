import { zoh, type Discretization } from '../discretize/index.ts';
import { logUniformDt, s4d as s4dMatrices, type DtRange, type Random, type S4dInit } from '../init/index.ts';
import {
  abs,
  add,
  clamp,
  diagonalScan,
  exp,
  gelu,
  mul,
  neg,
  previous,
  reshape,
  select,
  stopGradient,
  sub,
} from '../ops/index.ts';
import { defineLayer, type Layer, type Signal } from '../signal/index.ts';
import { glu, linear } from './linear.ts';

/** Configuration of `s4d`. */
export interface S4dOptions {
  /** H: channels, `d_model` in the official code. */
  readonly features: number;
  /** N: states a channel, `d_state`; even, one of each conjugate pair is kept. 64 as in the official code. */
  readonly states?: number;
  /** How Ā and B̄ follow from A and dt; `zoh` as in the official code. */
  readonly discretization?: Discretization;
  /** Initial poles; `lin` as in the official code. */
  readonly init?: S4dInit;
  /** Range of the initial time steps; 0.001 to 0.1. */
  readonly dt?: DtRange;
  /** Hz that the parameters are for; lets a stream run at another rate. */
  readonly sampleRate?: number;
  /**
   * Silences the modes that turn by more than this share of half a turn a frame (of Nyquist), as `bandlimit` of
   * `s4.py`: at a lower rate than the trained one they would alias. None by default.
   */
  readonly bandLimit?: number | undefined;
  /**
   * The states hear (u[k] + u[k − 1]) / 2, which makes S4's bilinear rule, that leaves out u[k − 1], the full
   * trapezoidal one: no half frame of advance, so that the answer keeps its phase at another rate.
   */
  readonly averageInput?: boolean;
}

/**
 * S4D, the diagonal state space layer, as in state-spaces/s4 `models/s4/s4d.py`: H independent systems of N/2
 * complex states, GELU, a 1×1 convolution to 2H and a GLU. Norm and residual are outside.
 *
 *     A = −exp(log_A_real) + i A_imag,   dt = exp(log_dt),   B = 1
 *     x[k] = Ā x[k−1] + B̄ u[k],   y[k] = 2 Re(C x[k]) + D u[k]
 *
 * | parameter | shape |
 * | --- | --- |
 * | `D` | (H) |
 * | `kernel.C` | (H × N/2 × 2): re, im |
 * | `kernel.log_dt` | (H) |
 * | `kernel.log_A_real`, `kernel.A_imag` | (H × N/2) |
 * | `output_linear.0.weight`, `.bias` | (2H × H × 1), (2H) |
 *
 * On a stream: causal, no latency, 8 N H bytes of state, follows another sample rate and irregular time.
 *
 * Source: Gu, Gupta, Goel, Ré, "On the Parameterization and Initialization of Diagonal State Space Models"
 * (arXiv 2206.11893), §3 and §4.
 *
 * @throws ArgumentError for an odd number of states.
 * @example
 * const model = s4d({ features: 4, states: 16 });
 * const stream = compile(model, initialise(model, 1));
 */
export function s4d(options: S4dOptions): Layer {
  const { features, states = 64, discretization = zoh, init = 'lin', dt: range = {}, sampleRate } = options;
  const { bandLimit, averageInput = false } = options;
  const { A } = s4dMatrices(init, states);
  const half = states / 2;
  return defineLayer({
    name: 's4d',
    features,
    sampleRate,
    apply(trace, u) {
      const poles = [features, half] as const;
      const logDt = trace.parameter('kernel.log_dt', [features], (_shape, random: Random) =>
        logUniformDt(random, features, range),
      );
      const logAReal = trace.parameter('kernel.log_A_real', poles, () =>
        repeat(
          features,
          A.re.map((a) => Math.log(-a)),
        ),
      );
      // s4d.py keeps the conjugates with positive imaginary part.
      const aImag = trace.parameter('kernel.A_imag', poles, () =>
        repeat(
          features,
          A.im.map((a) => -a),
        ),
      );
      const C = trace.parameter('kernel.C', [...poles, 2], complexNormal);
      const D = trace.parameter('D', [features], normal);

      const dt = mul(exp(logDt), trace.timeScale());
      const weight = bandLimit === undefined ? 2 : mul(inBand(aImag, dt, bandLimit), 2);
      const heard = averageInput ? mul(add(u, previous(u)), 0.5) : u;
      const ssm = diagonalScan(heard, {
        a: { re: neg(exp(logAReal)), im: aImag },
        c: { re: mul(select(C, 0), weight), im: mul(select(C, 1), weight) },
        dt,
        method: discretization.diagonal,
      });
      const y = gelu(add(ssm, mul(u, D)));
      return glu(
        linear(trace, y, { name: 'output_linear.0', outputs: 2 * features, pointwiseConvolution: true }),
      );
    },
  });
}

/** 1 where a mode (H × N/2) turns by less than `limit` of half a turn in a frame of `dt` (H), else 0. */
function inBand(aImag: Signal, dt: Signal, limit: number): Signal {
  const turn = mul(abs(aImag), reshape(dt, [dt.width, 1]));
  const margin = sub(aImag.trace.literal(limit * Math.PI), turn);
  // A step: no mode is close enough to the limit to land on the slope.
  return stopGradient(clamp(mul(margin, 1e12), 0, 1));
}

/** `count` copies of a row, one behind the other. */
export const repeat = (count: number, row: Float64Array): Float64Array =>
  Float64Array.from({ length: count * row.length }, (_, i) => row[i % row.length]!);

/** Pairs (re, im) with E|c|² = 1. */
export function complexNormal(shape: readonly number[], random: Random): Float64Array {
  const values = new Float64Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0; i < values.length; i += 2) values.set(random.complexNormal(), i);
  return values;
}

export const normal = (shape: readonly number[], random: Random): Float64Array =>
  Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal());
