import type { Random } from '../init/index.ts';
import { add, exp, gatedDeltaRule, mul, neg, reshape, sigmoid, silu, softplus } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal } from '../signal/index.ts';
import {
  checkDivides,
  gatedNorm,
  inHeads,
  l2Normalise,
  logOfUniform,
  lowRank,
  project,
  shareHeads,
  type ShortConvolutions,
} from './fla.ts';
import { linear } from './linear.ts';

/** Configuration of `kda`; short convolutions over 4 frames unless said otherwise. */
export interface KdaOptions extends ShortConvolutions {
  /** `hidden_size`. */
  readonly features: number;
  /** `num_heads` of queries, keys, gates and β; 16. */
  readonly heads?: number;
  /** H: `num_v_heads`, a multiple of the heads; as many. */
  readonly valueHeads?: number;
  /** K: `head_dim`; 128. */
  readonly keys?: number;
  /** V: numbers in a head's value; K. */
  readonly values?: number;
  /** `allow_neg_eigval`: β reaches up to 2. */
  readonly negativeEigenvalues?: boolean;
  /** 1e-5. */
  readonly eps?: number;
}

/**
 * Kimi Delta Attention, as in flash-linear-attention `fla/layers/kda.py`: Gated DeltaNet whose every key forgets at a rate
 * of its own. Norm and residual of the block are outside.
 *
 *     q, k = SiLU(short convolutions of projections), length 1 in each head;    v = SiLU(…)
 *     α = e^{−e^{A_log} softplus(f_proj x + dt_bias)} a key,    β = σ(b_proj x)
 *     S ← diag(α) S,    S ← S + β k (v − Sᵀ k)ᵀ,    y = o_proj(RMSNorm(qᵀ S / √K) · σ(g_proj x))
 *
 * | parameter | shape |
 * | --- | --- |
 * | `q_proj.weight`, `k_proj.weight`, `v_proj.weight` | (heads K × features) twice, (H V × features) |
 * | `q_conv1d.weight`, `k_conv1d.weight`, `v_conv1d.weight` | (channels × 1 × taps) |
 * | `f_proj.0.weight`, `f_proj.1.weight` | (V × features), (heads K × V) |
 * | `b_proj.weight`, `A_log`, `dt_bias` | (heads × features), (heads), (heads K) |
 * | `g_proj.0.weight`, `g_proj.1.weight`, `.bias` | (V × features), (H V × V), (H V) |
 * | `o_norm.weight`, `o_proj.weight` | (V), (features × H V) |
 *
 * On a stream: causal, no latency, H K V + channels · (taps − 1) numbers of state. It counts frames, so it does not
 * follow another sample rate.
 *
 * Source: Kimi Team, "Kimi Linear" (arXiv 2510.26692), §3.
 *
 * @throws ArgumentError for value heads that are no multiple of the heads.
 * @example
 * const model = kda({ features: 64, heads: 2, keys: 32 });
 */
export function kda(options: KdaOptions): Layer {
  const { features, heads = 16, valueHeads = heads, keys = 128, values = keys } = options;
  const { taps = 4, negativeEigenvalues = false, eps = 1e-5 } = options;
  checkDivides('kda', 'heads', heads, 'value heads', valueHeads);
  return defineLayer({
    name: 'kda',
    features,
    apply(trace, x) {
      const mixed = (name: string, count: number, width: number): Signal =>
        inHeads(silu(project(trace, x, name, count * width, { ...options, taps })), count);
      const shared = (y: Signal): Signal => shareHeads(y, valueHeads);
      const rate = exp(
        trace.parameter('A_log', [heads], (_shape, random: Random) => logOfUniform(heads, 1, random)),
      );
      const bias = trace.parameter('dt_bias', [heads * keys], () => new Float64Array(heads * keys));
      const f = lowRank(trace, x, { name: 'f_proj', rank: values, outputs: heads * keys, bias: false });
      const g = neg(mul(inHeads(softplus(add(f, bias)), heads), reshape(rate, [heads, 1])));
      const beta = sigmoid(reshape(project(trace, x, 'b', heads), [heads, 1]));
      const y = gatedDeltaRule({
        q: l2Normalise(mixed('q', heads, keys)),
        k: shared(l2Normalise(mixed('k', heads, keys))),
        v: mixed('v', valueHeads, values),
        g: shared(g),
        beta: shared(negativeEigenvalues ? mul(beta, 2) : beta),
      });
      const gate = lowRank(trace, x, {
        name: 'g_proj',
        rank: values,
        outputs: valueHeads * values,
        bias: true,
      });
      const normed = gatedNorm(trace, y, { name: 'o_norm', eps, gate, activation: 'sigmoid' });
      return linear(trace, normed, { name: 'o_proj', outputs: features, bias: false });
    },
  });
}
