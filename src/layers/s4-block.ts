import { zoh, type Discretization } from '../discretize/index.ts';
import { logUniformDt, s4d as s4dMatrices, type DtRange, type Random } from '../init/index.ts';
import type { S4dInit, S4dParameters } from '../init/index.ts';
import { add, concat, diagonalScan, exp, gelu, mul, neg, reshape, select, slice } from '../ops/index.ts';
import { softplus, type ComplexSignal } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal, type Trace } from '../signal/index.ts';
import { glu, linear } from './linear.ts';
import { complexNormal, normal, repeat } from './s4d.ts';

/** What the blocks of `s4.py` have in common, whatever their kernel. */
export interface S4CommonOptions {
  /** H: `d_model`. */
  readonly features: number;
  /** N: `d_state`; even, one of each conjugate pair is kept. */
  readonly states?: number;
  /** `channels`: read-outs of the same states, side by side. */
  readonly channels?: number;
  /** S: `n_ssm`, sets of (A, B) that the H channels share in turn; H by default. */
  readonly systems?: number;
  readonly dt?: DtRange;
  /** `dt_transform`. */
  readonly dtTransform?: 'exp' | 'softplus';
  readonly sampleRate?: number;
}

/** Configuration of `s4dBlock`. */
export interface S4BlockOptions extends S4CommonOptions {
  /** `disc`: `zoh` (default) or `bilinear`, or any other. */
  readonly discretization?: Discretization;
  /** `init`, without the prefix `diag-`. */
  readonly init?: S4dInit;
  /** `dt_tie`: one time step a channel (default), or one a state. */
  readonly tieDt?: boolean;
}

/**
 * The full S4 block with the diagonal kernel (`mode='s4d'`), as in state-spaces/s4 `models/s4/s4.py`: the
 * state space layer, GELU, a linear layer to 2H and a GLU.
 *
 *     A = −exp(A_real) − i A_imag,   dt = exp(inv_dt)
 *     x[k] = Ā x[k−1] + B̄ u[k],   y[k] = 2 Re(C x[k]) + D u[k]
 *
 * | parameter | shape |
 * | --- | --- |
 * | `layer.D` | (channels × H) |
 * | `layer.kernel.inv_dt` | (H × 1), or (H × N/2) untied |
 * | `layer.kernel.A_real`, `layer.kernel.A_imag` | (S × N/2) |
 * | `layer.kernel.B` | (1 × S × N/2 × 2): re, im |
 * | `layer.kernel.C` | (channels × H × N/2 × 2) |
 * | `output_linear.0.weight`, `.bias` | (2H × channels·H), (2H) |
 *
 * On a stream: causal, no latency, 8 N H bytes of state a read-out, follows another rate and irregular time.
 *
 * @example
 * const model = s4dBlock({ features: 4, states: 16, discretization: bilinear, init: 'inv' });
 */
export function s4dBlock(options: S4BlockOptions): Layer {
  const { discretization = zoh, init = 'legs', states = 64, tieDt = true } = options;
  const start = s4dMatrices(init, states);
  return s4Block('s4d-block', options, { ...start, dtColumns: tieDt ? 1 : states / 2 }, (trace, system) => {
    const { re, im, B, dt } = system;
    const step = mul(dt, trace.timeScale());
    return (u, c) =>
      diagonalScan(u, {
        a: { re, im },
        b: parts(B),
        c: parts(c),
        dt: step,
        method: discretization.diagonal,
      });
  });
}

const parts = (x: Signal): ComplexSignal => ({ re: select(x, 0), im: select(x, 1) });

/** Initial values that the kernels differ in. */
export interface S4Start extends S4dParameters {
  /** Time steps a channel. */
  readonly dtColumns: number;
}

/** The parameters of a kernel, for each of the H channels. */
export interface S4System {
  /** A (H × N/2) */
  readonly re: Signal;
  readonly im: Signal;
  /** (H × N/2 × 2) */
  readonly B: Signal;
  /** dt at the rate that the parameters are for (H × 1), or (H × N/2). */
  readonly dt: Signal;
  /** A parameter of S systems for each of H channels, along an axis: channel h uses system h mod S. */
  readonly perChannel: (x: Signal, axis: number) => Signal;
  /** C as it is stored (channels × H × N/2 × 2). */
  readonly C: Signal;
}

/** Inside the block: what makes of an input and of 2 C (H × N/2 × 2) one read-out (H). */
export type S4ReadOut = (u: Signal, c: Signal) => Signal;

/**
 * The S4 block around a kernel: its common parameters, D, GELU and the output layer.
 *
 * @param kernel given the trace of the kernel's parameters; may put another C (channels × H × N/2 × 2) in place of the
 *   stored one.
 */
export function s4Block(
  name: string,
  options: S4CommonOptions,
  start: S4Start,
  kernel: (trace: Trace, system: S4System) => S4ReadOut | { readonly C: Signal; readonly readOut: S4ReadOut },
): Layer {
  const { features, channels = 1, systems = features, dt: range = {}, dtTransform = 'exp' } = options;
  const { A, B: bInit, dtColumns } = start;
  const half = A.re.length;
  return defineLayer({
    name,
    features,
    sampleRate: options.sampleRate,
    apply(trace, u) {
      const layer = trace.scope('layer');
      const scope = layer.scope('kernel');
      const invDt = scope.parameter('inv_dt', [features, dtColumns], (_shape, random: Random) =>
        logUniformDt(random, features * dtColumns, range),
      );
      const rows = (row: Float64Array) => (): Float64Array => repeat(systems, row);
      // The official code takes −Re A as 1e-4 at least, which HiPPO's legt and fourier need.
      const decay = A.re.map((a) => Math.log(Math.max(-a, 1e-4)));
      const aReal = scope.parameter('A_real', [systems, half], rows(decay));
      const aImag = scope.parameter('A_imag', [systems, half], rows(A.im.map((a) => -a)));
      const B = scope.parameter('B', [1, systems, half, 2], rows(interleaved(bInit)));
      const C = scope.parameter('C', [channels, features, half, 2], complexNormal);
      const D = layer.parameter('D', [channels, features], normal);

      const perChannel = (x: Signal, axis: number): Signal =>
        concat(Array.from({ length: features / systems }, () => x) as [Signal, ...Signal[]], axis);
      const made = kernel(scope, {
        re: perChannel(neg(exp(aReal)), 0),
        im: perChannel(neg(aImag), 0),
        B: perChannel(reshape(B, [systems, half, 2]), 0),
        dt: (dtTransform === 'exp' ? exp : softplus)(invDt),
        perChannel,
        C,
      });
      const { readOut, C: used } = typeof made === 'function' ? { readOut: made, C } : made;
      const readOuts = Array.from({ length: channels }, (_, channel) => {
        const c = mul(reshape(slice(used, channel, 1, 0), [features, half, 2]), 2);
        return add(readOut(u, c), mul(u, reshape(slice(D, channel, 1, 0), [features])));
      });
      const y = gelu(concat(readOuts as [Signal, ...Signal[]]));
      return glu(linear(trace, y, { name: 'output_linear.0', outputs: 2 * features }));
    },
  });
}

/** (re, im) pairs. */
export const interleaved = ({ re, im }: S4dParameters['A']): Float64Array =>
  Float64Array.from({ length: 2 * re.length }, (_, i) => (i % 2 ? im : re)[i >> 1]!);
