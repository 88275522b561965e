import { diagonalScan, given, mul, neg, add, reshape, sigmoid, silu } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal } from '../signal/index.ts';
import { gatedNorm, project, type ShortConvolutions } from './fla.ts';
import { linear } from './linear.ts';

/** Configuration of `hgrn`; no short convolutions unless there are taps. */
export interface HgrnOptions extends ShortConvolutions {
  /** `hidden_size`. */
  readonly features: number;
  /** E: channels of the recurrence, `hidden_size · expand_ratio`; the features. */
  readonly inner?: number;
  /** 1e-5. */
  readonly eps?: number;
}

/**
 * HGRN, as in flash-linear-attention `fla/layers/hgrn.py`: a gated recurrence of single channels. Norm and residual of the
 * block are outside; so is the lower bound of the forget gates, which a whole model has and its first layer not.
 *
 *     f = σ(f_proj x),    i = SiLU(i_proj x) · (1 − f)
 *     h ← f h + i,    y = o_proj(RMSNorm(h) · SiLU(g_proj x))
 *
 * | parameter | shape |
 * | --- | --- |
 * | `i_proj.weight`, `f_proj.weight`, `g_proj.weight` | (E × features) |
 * | `i_conv1d.weight`, `f_conv1d.weight` with taps | (E × 1 × taps) |
 * | `g_norm.weight`, `o_proj.weight` | (E), (features × E) |
 *
 * On a stream: causal, no latency, E numbers of state, each bounded by its largest input. It counts frames, so it does not
 * follow another sample rate.
 *
 * Source: Qin, Yang, Zhong, "Hierarchically Gated Recurrent Neural Network for Sequence Modeling" (arXiv 2311.04823), §3.
 *
 * @example
 * const model = hgrn({ features: 64 });
 */
export function hgrn(options: HgrnOptions): Layer {
  const { features, inner = features, eps = 1e-5 } = options;
  return defineLayer({
    name: 'hgrn',
    features,
    apply(trace, x) {
      const i = project(trace, x, 'i', inner, options);
      const f = sigmoid(project(trace, x, 'f', inner, options));
      const h = hgrnScan(mul(silu(i), add(neg(f), 1)), f);
      const y = gatedNorm(trace, reshape(h, [1, inner]), {
        name: 'g_norm',
        eps,
        gate: project(trace, x, 'g', inner),
      });
      return linear(trace, y, { name: 'o_proj', outputs: features, bias: false });
    },
  });
}

/** h ← f h + i, channel by channel. */
export const hgrnScan = (i: Signal, f: Signal): Signal =>
  reshape(diagonalScan(i, { a: reshape(f, [f.width, 1]), method: given, states: 1 }), [i.width]);
