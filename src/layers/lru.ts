import type { Random } from '../init/index.ts';
import {
  add,
  concat,
  cos,
  dense,
  diagonalScan,
  exp,
  given,
  mul,
  neg,
  reshape,
  sin,
  split,
} from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal } from '../signal/index.ts';
import { normal } from './s4d.ts';

/** Configuration of `lru`. */
export interface LruOptions {
  /** H: `d_model`. */
  readonly features: number;
  /** N: `d_hidden`, complex states. */
  readonly states: number;
  /** The ring in which the initial |λ| lie; 0 … 1. */
  readonly rMin?: number;
  readonly rMax?: number;
  /** The initial phases of λ lie in 0 … this; 6.28. */
  readonly maxPhase?: number;
}

/**
 * LRU, the linear recurrent unit: a diagonal recurrence in discrete time, parametrised so that it is stable.
 *
 *     λ = exp(−e^ν + i e^θ)
 *     h[k] = λ h[k−1] + e^γ B x[k],   y[k] = Re(C h[k]) + D x[k]
 *
 * | parameter | shape | initially |
 * | --- | --- | --- |
 * | `nu_log` ν | (N) | abs(λ)² uniform in rMin² … rMax² |
 * | `theta_log` θ | (N) | phase uniform in 0 … maxPhase |
 * | `gamma_log` γ | (N) | ln √(1 − abs(λ)²) |
 * | `B_re`, `B_im` | (N × H) | normal / √(2H) |
 * | `C_re`, `C_im` | (H × N) | normal / √N |
 * | `D` | (H) | normal |
 *
 * On a stream: causal, no latency, 16 N bytes of state; counts frames, so it follows no other rate.
 *
 * Source: Orvieto et al., "Resurrecting Recurrent Neural Networks for Long Sequences" (arXiv 2303.06349), §3;
 * NicolasZucchet/minimal-LRU `lru/model.py`.
 *
 * @example
 * const model = lru({ features: 6, states: 32, rMin: 0.9, rMax: 0.999 });
 */
export function lru({ features: H, states: N, rMin = 0, rMax = 1, maxPhase = 6.28 }: LruOptions): Layer {
  return defineLayer({
    name: 'lru',
    features: H,
    apply(trace, x) {
      // γ starts from the ν that was drawn.
      let nu = new Float64Array(N);
      const theta = exp(
        trace.parameter('theta_log', [N], (_shape, random: Random) =>
          Float64Array.from({ length: N }, () => Math.log(maxPhase * (1 - random.uniform()))),
        ),
      );
      const decay = exp(
        trace.parameter('nu_log', [N], (_shape, random: Random) => {
          // 1 − u instead of u, which may be 0: ν stays finite in a ring that reaches the centre.
          nu = Float64Array.from({ length: N }, () => {
            const u = 1 - random.uniform();
            return Math.log(-0.5 * Math.log(u * (rMax ** 2 - rMin ** 2) + rMin ** 2));
          });
          return nu;
        }),
      );
      const gamma = exp(
        trace.parameter('gamma_log', [N], () => nu.map((v) => 0.5 * Math.log(-Math.expm1(-2 * Math.exp(v))))),
      );
      const pair = (name: string, shape: Shape, scale: number): [Signal, Signal] => [
        trace.parameter(`${name}_re`, shape, scaledNormal(scale)),
        trace.parameter(`${name}_im`, shape, scaledNormal(scale)),
      ];
      const B = pair('B', [N, H], 1 / Math.sqrt(2 * H));
      const [cRe, cIm] = pair('C', [H, N], 1 / Math.sqrt(N));
      const D = trace.parameter('D', [H], normal);

      const scale = concat([gamma, gamma]);
      const [re, im] = split(dense(x, mul(concat(B, 0), reshape(scale, [2 * N, 1]))), [N, N]);
      const modulus = exp(neg(decay));
      const h = diagonalScan(
        { re: re!, im: im! },
        { a: { re: mul(modulus, cos(theta)), im: mul(modulus, sin(theta)) }, method: given, states: 1 },
      );
      return add(dense(reshape(h, [2 * N]), concat([cRe, neg(cIm)])), mul(x, D));
    },
  });
}

const scaledNormal =
  (scale: number) =>
  (shape: Shape, random: Random): Float64Array =>
    Float64Array.from({ length: sizeOf(shape) }, () => scale * random.normal());
