import { zoh, type Discretization } from '../discretize/index.ts';
import { logUniformDt, s4d as s4dMatrices, type DtRange, type Random, type S4dInit } from '../init/index.ts';
import {
  add,
  concat,
  diagonalScan,
  exp,
  gelu,
  mul,
  neg,
  reshape,
  select,
  slice,
  softplus,
} from '../ops/index.ts';
import { defineLayer, type Layer, type Signal } from '../signal/index.ts';
import { glu, linear } from './linear.ts';
import { complexNormal, normal, repeat } from './s4d.ts';

/** Configuration of `s4dBlock`. */
export interface S4BlockOptions {
  /** H: `d_model`. */
  readonly features: number;
  /** N: `d_state`; even, one of each conjugate pair is kept. */
  readonly states?: number;
  /** `channels`: read-outs of the same states, side by side. */
  readonly channels?: number;
  /** S: `n_ssm`, sets of (A, B) that the H channels share in turn; H by default. */
  readonly systems?: number;
  /** `disc`: `zoh` (default) or `bilinear`, or any other. */
  readonly discretization?: Discretization;
  /** `init`, without the prefix `diag-`. */
  readonly init?: S4dInit;
  readonly dt?: DtRange;
  /** `dt_tie`: one time step a channel (default), or one a state. */
  readonly tieDt?: boolean;
  /** `dt_transform`. */
  readonly dtTransform?: 'exp' | 'softplus';
  readonly sampleRate?: number;
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
  const { features, states = 64, channels = 1, systems = features, discretization = zoh } = options;
  const { init = 'legs', dt: range = {}, tieDt = true, dtTransform = 'exp', sampleRate } = options;
  const { A, B: bInit } = s4dMatrices(init, states);
  const half = states / 2;
  return defineLayer({
    name: 's4d-block',
    features,
    sampleRate,
    apply(trace, u) {
      const layer = trace.scope('layer');
      const kernel = layer.scope('kernel');
      const dtColumns = tieDt ? 1 : half;
      const invDt = kernel.parameter('inv_dt', [features, dtColumns], (_shape, random: Random) =>
        logUniformDt(random, features * dtColumns, range),
      );
      const aReal = kernel.parameter('A_real', [systems, half], () =>
        repeat(
          systems,
          A.re.map((a) => Math.log(-a)),
        ),
      );
      const aImag = kernel.parameter('A_imag', [systems, half], () =>
        repeat(
          systems,
          A.im.map((a) => -a),
        ),
      );
      const B = kernel.parameter('B', [1, systems, half, 2], () =>
        repeat(
          systems,
          Float64Array.from({ length: 2 * half }, (_, i) => (i % 2 ? bInit.im : bInit.re)[i >> 1]!),
        ),
      );
      const C = kernel.parameter('C', [channels, features, half, 2], complexNormal);
      const D = layer.parameter('D', [channels, features], normal);

      // Channel h uses system h mod S.
      const perChannel = (x: Signal): Signal =>
        concat(Array.from({ length: features / systems }, () => x) as [Signal, ...Signal[]], 0);
      const part = (x: Signal, index: number): Signal => reshape(select(x, index), [systems, half]);
      const dt = mul((dtTransform === 'exp' ? exp : softplus)(invDt), trace.timeScale());
      const readOuts = Array.from({ length: channels }, (_, channel) => {
        const c = reshape(slice(C, channel, 1, 0), [features, half, 2]);
        const ssm = diagonalScan(u, {
          a: { re: perChannel(neg(exp(aReal))), im: perChannel(neg(aImag)) },
          b: { re: perChannel(part(B, 0)), im: perChannel(part(B, 1)) },
          c: { re: mul(select(c, 0), 2), im: mul(select(c, 1), 2) },
          dt,
          method: discretization.diagonal,
        });
        return add(ssm, mul(u, reshape(slice(D, channel, 1, 0), [features])));
      });
      const y = gelu(concat(readOuts as [Signal, ...Signal[]]));
      return glu(linear(trace, y, { name: 'output_linear.0', outputs: 2 * features }));
    },
  });
}
