import type { Random } from '../init/index.ts';
import {
  add,
  atStart,
  convolution,
  diagonalScan,
  exp,
  given,
  mul,
  neg,
  permute,
  reshape,
  sigmoid,
  softplus,
  sqrt,
  tanh,
} from '../ops/index.ts';
import { ArgumentError } from '../errors.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal } from '../signal/index.ts';

/** Configuration of `rgLru`. */
export interface RgLruOptions {
  /** `lru_width`: channels, each with one state. */
  readonly features: number;
  /** Blocks of the gates' block-diagonal weights; `num_heads`. */
  readonly heads: number;
  /** Variance of the initial gate weights times the width of a block; 0.01. */
  readonly gateVariance?: number;
  /** The ring in which the initial decays at an open gate's ⅛ lie; 0.9 … 0.999. */
  readonly rMin?: number;
  readonly rMax?: number;
}

/**
 * RG-LRU, the real-gated linear recurrent unit of Griffin and RecurrentGemma: a real diagonal recurrence whose decay
 * and input are gated by the input.
 *
 *     r = σ(W_r x + b_r),   i = σ(W_i x + b_i)                 (block-diagonal W)
 *     ln a = −8 r softplus(Λ),   h[k] = a h[k−1] + √(1 − a²) (i · x[k]),   y = h
 *
 * At the first frame of a fresh stream the input is not scaled by √(1 − a²): there is no past to share the norm with.
 *
 * | parameter | shape |
 * | --- | --- |
 * | `recurrent_param` Λ | (H) |
 * | `input_gate_weight`, `recurrent_gate_weight` | (heads × H/heads × H/heads): inputs, then outputs |
 * | `input_gate_bias`, `recurrent_gate_bias` | (heads × H/heads) |
 *
 * On a stream: causal, no latency, 8 H bytes of state; counts frames, so it follows no other rate.
 *
 * Source: De et al., "Griffin" (arXiv 2402.19427), §2.4; transformers `RecurrentGemmaRglru`.
 *
 * @throws ArgumentError where the channels do not divide into heads.
 * @example
 * const model = rgLru({ features: 16, heads: 4 });
 */
export function rgLru(options: RgLruOptions): Layer {
  const { features, heads, gateVariance = 0.01, rMin = 0.9, rMax = 0.999 } = options;
  const width = features / heads;
  if (!Number.isSafeInteger(width)) {
    throw new ArgumentError(`rgLru: ${features} channels in ${heads} heads; give a number that divides them`);
  }
  return defineLayer({
    name: 'rg-lru',
    features,
    apply(trace, x) {
      const decay = trace.parameter('recurrent_param', [features], (_shape, random: Random) =>
        Float64Array.from({ length: features }, () => {
          const square = random.uniform(rMin ** 2 + 1e-8, rMax ** 2 + 1e-8);
          // softplus⁻¹(−½ ln a²)
          return Math.log(Math.expm1(-0.5 * Math.log(square)));
        }),
      );
      const gate = (name: string): Signal => {
        const weight = trace.parameter(
          `${name}_gate_weight`,
          [heads, width, width],
          (shape: Shape, random: Random) =>
            Float64Array.from({ length: sizeOf(shape) }, () =>
              random.normal(0, Math.sqrt(gateVariance / width)),
            ),
        );
        const bias = trace.parameter(`${name}_gate_bias`, [heads, width], () => new Float64Array(features));
        // A block-diagonal matrix is a grouped convolution of one tap.
        const taps = reshape(permute(weight, [0, 2, 1]), [features, width, 1]);
        return sigmoid(convolution(x, taps, { groups: heads, bias: reshape(bias, [features]) }));
      };
      const input = mul(x, gate('input'));
      const logA = mul(gate('recurrent'), mul(softplus(decay), -8));
      // 1 − a² = −tanh(ln a) (1 + a²), without the cancellation for slow decays.
      const scale = sqrt(mul(neg(tanh(logA)), add(exp(mul(logA, 2)), 1)));
      const first = atStart(x);
      const scaled = mul(input, add(first, mul(add(neg(first), 1), scale)));
      return reshape(diagonalScan(scaled, { a: exp(logA), method: given, states: 1 }), [features]);
    },
  });
}
