import { mambaDtBias, type Random } from '../init/index.ts';
import { add, exp, gatedDeltaRule, mul, neg, reshape, sigmoid, silu, softplus } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal } from '../signal/index.ts';
import {
  checkDivides,
  gatedNorm,
  inHeads,
  l2Normalise,
  logOfUniform,
  project,
  shareHeads,
  type ShortConvolutions,
} from './fla.ts';
import { linear } from './linear.ts';

/** Configuration of `gatedDeltaNet`; short convolutions over 4 frames unless said otherwise. */
export interface GatedDeltaNetOptions extends ShortConvolutions {
  /** `hidden_size`. */
  readonly features: number;
  /** `num_heads` of queries and keys; 6. */
  readonly heads?: number;
  /** H: `num_v_heads`, a multiple of the heads; as many. */
  readonly valueHeads?: number;
  /** K: `head_dim`; 256. */
  readonly keys?: number;
  /** V: numbers in a head's value; twice K. */
  readonly values?: number;
  /** `use_gate`; there is one. */
  readonly outputGate?: boolean;
  /** `allow_neg_eigval`: β reaches up to 2. */
  readonly negativeEigenvalues?: boolean;
  /** 1e-5. */
  readonly eps?: number;
}

/**
 * Gated DeltaNet, as in flash-linear-attention `fla/layers/gated_deltanet.py`: a decay a head, as in Mamba-2, and then the
 * delta rule. Norm and residual of the block are outside.
 *
 *     q, k = SiLU(short convolutions of projections), length 1 in each head;    v = SiLU(…)
 *     α = e^{−e^{A_log} softplus(a_proj x + dt_bias)},    β = σ(b_proj x)
 *     S ← α S,    S ← S + β k (v − Sᵀ k)ᵀ,    y = o_proj(RMSNorm(qᵀ S / √K) · SiLU(g_proj x))
 *
 * | parameter | shape |
 * | --- | --- |
 * | `q_proj.weight`, `k_proj.weight`, `v_proj.weight` | (heads K × features) twice, (H V × features) |
 * | `q_conv1d.weight`, `k_conv1d.weight`, `v_conv1d.weight` | (channels × 1 × taps) |
 * | `a_proj.weight`, `b_proj.weight`; `A_log`, `dt_bias` | (H × features); (H) |
 * | `g_proj.weight`, `o_norm.weight`, `o_proj.weight` | (H V × features), (V), (features × H V) |
 *
 * On a stream: causal, no latency, H K V + channels · (taps − 1) numbers of state. It counts frames, so it does not
 * follow another sample rate.
 *
 * Source: Yang, Kautz, Hatamizadeh, "Gated Delta Networks: Improving Mamba2 with Delta Rule" (arXiv 2412.06464), §3.
 *
 * @throws ArgumentError for value heads that are no multiple of the heads.
 * @example
 * const model = gatedDeltaNet({ features: 64, heads: 2, keys: 32 });
 */
export function gatedDeltaNet(options: GatedDeltaNetOptions): Layer {
  const { features, heads = 6, valueHeads = heads, keys = 256, values = 2 * keys } = options;
  const { taps = 4, outputGate = true, negativeEigenvalues = false, eps = 1e-5 } = options;
  checkDivides('gatedDeltaNet', 'heads', heads, 'value heads', valueHeads);
  return defineLayer({
    name: 'gated-delta-net',
    features,
    apply(trace, x) {
      const mixed = (name: string, count: number, width: number): Signal =>
        inHeads(silu(project(trace, x, name, count * width, { ...options, taps })), count);
      const rate = exp(
        trace.parameter('A_log', [valueHeads], (_shape, random: Random) =>
          logOfUniform(valueHeads, 1e-6, random),
        ),
      );
      const bias = trace.parameter('dt_bias', [valueHeads], (_shape, random: Random) =>
        mambaDtBias(random, valueHeads),
      );
      const g = neg(mul(softplus(add(project(trace, x, 'a', valueHeads), bias)), rate));
      const beta = sigmoid(reshape(project(trace, x, 'b', valueHeads), [valueHeads, 1]));
      const y = gatedDeltaRule({
        q: l2Normalise(mixed('q', heads, keys)),
        k: shareHeads(l2Normalise(mixed('k', heads, keys)), valueHeads),
        v: mixed('v', valueHeads, values),
        g: reshape(g, [valueHeads, 1]),
        beta: negativeEigenvalues ? mul(beta, 2) : beta,
      });
      const gate = outputGate ? project(trace, x, 'g', valueHeads * values) : undefined;
      return linear(trace, gatedNorm(trace, y, { name: 'o_norm', eps, gate }), {
        name: 'o_proj',
        outputs: features,
        bias: false,
      });
    },
  });
}
