import {
  add,
  dense,
  div,
  eluPlusOne,
  linearAttention as linearAttentionScan,
  normalisedLinearAttention,
  relu,
  reshape,
} from '../ops/index.ts';
import { defineLayer, type Layer, type Signal } from '../signal/index.ts';
import { checkDivides, inHeads, project, shareHeads } from './fla.ts';
import { linear } from './linear.ts';
import { rmsNorm } from './norm.ts';

/** Configuration of `linearAttention`. */
export interface LinearAttentionOptions {
  /** `hidden_size`. */
  readonly features: number;
  /** H: `num_heads`; 8. */
  readonly heads?: number;
  /** `num_kv_heads`: heads of keys and values; H. */
  readonly keyHeads?: number;
  /** K: numbers in a head's key; the features by H. */
  readonly keys?: number;
  /** V: numbers in a head's value; the features by H. */
  readonly values?: number;
  /** φ; `elu`: elu + 1. */
  readonly featureMap?: keyof typeof featureMaps;
  /** `do_feature_map_norm`: divide by what the weights add up to, as the paper does (default), or not. */
  readonly normalise?: boolean;
  /** `norm_q`, `norm_k`: φ brought to sum 1; neither. */
  readonly sumNorm?: { readonly q?: boolean; readonly k?: boolean };
  /** Epsilon of the norm behind (`output_norm: rmsnorm`), with a weight `norm.weight` (V); none. */
  readonly norm?: number | undefined;
}

const featureMaps = { elu: eluPlusOne, relu, identity: (x: Signal): Signal => x };

/**
 * The Linear Transformer's attention, as in flash-linear-attention `fla/layers/linear_attn.py`: causal attention whose
 * softmax is a product of feature maps, and so a recurrence. Norm and residual of the block are outside.
 *
 *     q, k = φ(projections of x),    S ← S + k vᵀ,  z ← z + k
 *     y = o_proj(qᵀ S / (q·z + 1e-10)),    without `normalise`: o_proj(qᵀ S / √K)
 *
 * | parameter | shape |
 * | --- | --- |
 * | `q_proj.weight`, `k_proj.weight`, `v_proj.weight` | (H K × features), (keyHeads K × …), (keyHeads V × …) |
 * | `o_proj.weight` | (features × H V) |
 * | `norm.weight` with `norm` | (V) |
 *
 * On a stream: causal, no latency, H K (V + 1) numbers of state, in float64, since S and z grow for ever: see
 * docs/layers/linear-attention.md for what to use on a stream that does not end.
 *
 * Source: Katharopoulos et al., "Transformers are RNNs" (arXiv 2006.16236), §3.
 *
 * @throws ArgumentError for heads that do not divide the features.
 * @example
 * const model = linearAttention({ features: 64, heads: 4 });
 */
export function linearAttention(options: LinearAttentionOptions): Layer {
  const { features, heads = 8, keyHeads = heads, featureMap = 'elu' } = options;
  const { keys = features / heads, values = features / heads, sumNorm = {}, norm } = options;
  checkDivides('linearAttention', 'keyHeads', keyHeads, 'heads', heads);
  checkDivides('linearAttention', 'heads', heads, 'keys together', heads * keys);
  checkDivides('linearAttention', 'heads', heads, 'values together', heads * values);
  return defineLayer({
    name: 'linear-attention',
    features,
    apply(trace, x) {
      const ones = trace.literal(new Float64Array(keys).fill(1), [1, keys]);
      const mapped = (name: 'q' | 'k', count: number): Signal => {
        const y = featureMaps[featureMap](inHeads(project(trace, x, name, count * keys), count));
        return sumNorm[name] === true ? div(y, add(dense(y, ones), 1e-4)) : y;
      };
      const attend = options.normalise === false ? linearAttentionScan : normalisedLinearAttention;
      const y = attend({
        q: mapped('q', heads),
        k: mapped('k', keyHeads),
        v: shareHeads(inHeads(project(trace, x, 'v', keyHeads * values), keyHeads), heads),
      });
      const normed = norm === undefined ? y : rmsNorm(trace, y, 'norm', norm);
      return linear(trace, reshape(normed, [heads * values]), {
        name: 'o_proj',
        outputs: features,
        bias: false,
      });
    },
  });
}
