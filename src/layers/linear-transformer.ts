import { eluPlusOne, normalisedLinearAttention, reshape } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal, type Trace } from '../signal/index.ts';
import { checkDivides, inHeads } from './fla.ts';
import { linear } from './linear.ts';

/** Configuration of `linearTransformer`, and of what else is an attention layer of fast-transformers. */
export interface LinearTransformerOptions {
  /** `d_model`. */
  readonly features: number;
  /** H: `n_heads`. */
  readonly heads: number;
  /** K: `d_keys`, numbers in a head's key; the features by H. */
  readonly keys?: number;
  /** V: `d_values`, numbers in a head's value; the features by H. */
  readonly values?: number;
  /** Added to what the weights add up to; 1e-6. */
  readonly eps?: number;
}

/**
 * The Linear Transformer's attention with the names of its authors' code, idiap/fast-transformers `AttentionLayer` with
 * `CausalLinearAttention`. Norm and residual of the block are outside.
 *
 *     q, k = elu(projections of x) + 1,    S ← S + k vᵀ,  z ← z + k,    y = out_projection(qᵀ S / (q·z + 1e-6))
 *
 * | parameter | shape |
 * | --- | --- |
 * | `query_projection.weight`, `.bias`; `key_projection` … | (H K × features), (H K) |
 * | `value_projection.weight`, `.bias` | (H V × features), (H V) |
 * | `out_projection.weight`, `.bias` | (features × H V), (features) |
 *
 * On a stream: causal, no latency, H K (V + 1) numbers of state. S and z grow for ever, see
 * docs/layers/linear-attention.md.
 *
 * Source: Katharopoulos et al., "Transformers are RNNs" (arXiv 2006.16236), §3.
 *
 * @throws ArgumentError for heads that do not divide the features.
 * @example
 * const model = linearTransformer({ features: 64, heads: 4 });
 */
export function linearTransformer(options: LinearTransformerOptions): Layer {
  const { eps = 1e-6 } = options;
  return attentionLayer('linear-transformer', options, (_trace, { q, k, v }) =>
    normalisedLinearAttention({ q: eluPlusOne(q), k: eluPlusOne(k), v, eps, scale: 1 }),
  );
}

/** Queries, keys and values of all heads: (H × K), (H × K), (H × V). */
export interface Heads {
  readonly q: Signal;
  readonly k: Signal;
  readonly v: Signal;
}

/** fast-transformers' `AttentionLayer` around a way of attending. */
export function attentionLayer(
  name: string,
  { features, heads, keys = features / heads, values = features / heads }: LinearTransformerOptions,
  attend: (trace: Trace, heads: Heads) => Signal,
): Layer {
  checkDivides(name, 'heads', heads, 'keys together', heads * keys);
  checkDivides(name, 'heads', heads, 'values together', heads * values);
  return defineLayer({
    name,
    features,
    apply(trace, x) {
      const project = (part: string, width: number): Signal =>
        inHeads(linear(trace, x, { name: `${part}_projection`, outputs: heads * width }), heads);
      const y = attend(trace.scope('inner_attention'), {
        q: project('query', keys),
        k: project('key', keys),
        v: project('value', values),
      });
      return linear(trace, reshape(y, [heads * values]), { name: 'out_projection', outputs: features });
    },
  });
}
