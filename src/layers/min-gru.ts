import { torchDefault, type Random } from '../init/index.ts';
import {
  add,
  dense,
  diagonalScan,
  given,
  mul,
  neg,
  relu,
  reshape,
  sigmoid,
  split,
  sub,
} from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal } from '../signal/index.ts';

/** Configuration of `minGru`. */
export interface MinGruOptions {
  /** `dim`: channels in and out. */
  readonly features: number;
  /** `expansion_factor`: ⌊features · this⌋ hidden channels; 1. */
  readonly expansion?: number;
  /** `proj_out`: a linear layer from the hidden channels back; where the expansion is not 1. */
  readonly projection?: boolean;
}

/**
 * minGRU: a gated recurrence whose gate does not look at the past, so that it is linear in its state.
 *
 *     (c, z) = W x[k],   h[k] = (1 − σ(z)) h[k−1] + σ(z) g(c),   y[k] = W_out h[k]
 *     g(c) = c + ½ for c ≥ 0, else σ(c)
 *
 * | parameter | shape |
 * | --- | --- |
 * | `to_hidden_and_gate.weight` | (2E × H): candidates, then gates |
 * | `to_out.weight` | (H × E), where there is a projection |
 *
 * On a stream: causal, no latency, 8 E bytes of state; counts frames, so it follows no other rate.
 *
 * Source: Feng et al., "Were RNNs All We Needed?" (arXiv 2410.01201), §3 and appendix B (the form in logarithms, with
 * g); lucidrains/minGRU-pytorch `minGRU.py`.
 *
 * @example
 * const model = minGru({ features: 16, expansion: 1.5 });
 */
export function minGru({ features, expansion = 1, projection = expansion !== 1 }: MinGruOptions): Layer {
  const hidden = Math.floor(features * expansion);
  return defineLayer({
    name: 'min-gru',
    features,
    apply(trace, x) {
      const weight = trace.parameter('to_hidden_and_gate.weight', [2 * hidden, features], torchUniform);
      const [candidate, gate] = split(dense(x, weight), [hidden, hidden]) as [Signal, Signal];
      const h = reshape(
        diagonalScan(mul(sigmoid(gate), positive(candidate)), {
          a: sigmoid(neg(gate)),
          method: given,
          states: 1,
        }),
        [hidden],
      );
      return projection ? dense(h, trace.parameter('to_out.weight', [features, hidden], torchUniform)) : h;
    },
  });
}

/** g(c) = relu(c) + σ(min(c, 0)): c + ½ for c ≥ 0, else σ(c). */
const positive = (c: Signal): Signal => add(relu(c), sigmoid(sub(c, relu(c))));

const torchUniform = (shape: Shape, random: Random): Float64Array =>
  torchDefault(new Float64Array(sizeOf(shape)), random, shape[1]!);
