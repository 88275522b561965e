import { clamp, gatedLinearAttention, mul, silu } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal } from '../signal/index.ts';
import {
  checkDivides,
  gatedNorm,
  inHeads,
  logSigmoid,
  lowRank,
  project,
  shareHeads,
  type ShortConvolutions,
} from './fla.ts';
import { linear } from './linear.ts';

/** Configuration of `gla`; no short convolutions unless there are taps. */
export interface GlaOptions extends ShortConvolutions {
  /** `hidden_size`. */
  readonly features: number;
  /** H: `num_heads`; 4. */
  readonly heads?: number;
  /** `num_kv_heads`: heads of keys, values and gates; H. */
  readonly keyHeads?: number;
  /** K: numbers in a head's key; half the features by H. */
  readonly keys?: number;
  /** V: numbers in a head's value; the features by H. */
  readonly values?: number;
  /** `gate_low_rank_dim`; 16. */
  readonly gateRank?: number;
  /** `gate_logit_normalizer`; 16. */
  readonly gateDivisor?: number;
  /** `clamp_min`: bound of ln of what is kept; none. */
  readonly gateFloor?: number;
  /** `use_output_gate`; there is one. */
  readonly outputGate?: boolean;
  /** Name of the norm's weight: `g_norm_swish_gate` in checkpoints with `fuse_norm` (default), else `g_norm`. */
  readonly norm?: 'g_norm_swish_gate' | 'g_norm';
  /** 1e-5. */
  readonly eps?: number;
}

/**
 * Gated Linear Attention, as in flash-linear-attention `fla/layers/gla.py`: every key forgets at a rate that the input
 * sets. Norm and residual of the block are outside.
 *
 *     q, k, v = projections of x (with taps: convolved, SiLU);    g = ln σ(gk_proj(x)) / 16
 *     S ← diag(e^g) S + k vᵀ,    y = o_proj(RMSNorm(qᵀ S / √K) · SiLU(g_proj(x)))
 *
 * | parameter | shape |
 * | --- | --- |
 * | `q_proj.weight`, `k_proj.weight`, `v_proj.weight` | (H K × features), (keyHeads K × …), (keyHeads V × …) |
 * | `gk_proj.0.weight`, `gk_proj.1.weight`, `.bias` | (rank × features), (keyHeads K × rank) |
 * | `g_proj.weight`, `o_proj.weight` | (H V × features), (features × H V) |
 * | `g_norm_swish_gate.weight` or `g_norm.weight` | (V) |
 * | `q_conv1d.weight` … | (channels × 1 × taps) |
 *
 * On a stream: causal, no latency, H K V numbers of state (and channels · (taps − 1)). It counts frames, so it does not
 * follow another sample rate.
 *
 * Source: Yang et al., "Gated Linear Attention Transformers with Hardware-Efficient Training" (arXiv 2312.06635), §4.
 *
 * @throws ArgumentError for heads that keys' heads do not divide.
 * @example
 * const model = gla({ features: 64, heads: 2 });
 */
export function gla(options: GlaOptions): Layer {
  const { features, heads = 4, keyHeads = heads } = options;
  const { keys = features / 2 / heads, values = features / heads } = options;
  const { gateRank = 16, gateDivisor = 16, gateFloor = -Infinity, taps = 0, eps = 1e-5 } = options;
  const { outputGate = true, norm = outputGate ? 'g_norm_swish_gate' : 'g_norm' } = options;
  checkDivides('gla', 'keyHeads', keyHeads, 'heads', heads);
  checkDivides('gla', 'heads', heads, 'keys together', heads * keys);
  checkDivides('gla', 'heads', heads, 'values together', heads * values);
  return defineLayer({
    name: 'gla',
    features,
    apply(trace, x) {
      const mixed = (name: string, count: number, width: number): Signal => {
        const y = project(trace, x, name, count * width, options);
        return inHeads(taps > 0 ? silu(y) : y, count);
      };
      const logits = lowRank(trace, x, {
        name: 'gk_proj',
        rank: gateRank,
        outputs: keyHeads * keys,
        bias: true,
      });
      const y = gatedLinearAttention({
        q: mixed('q', heads, keys),
        k: mixed('k', keyHeads, keys),
        v: shareHeads(mixed('v', keyHeads, values), heads),
        g: inHeads(clamp(mul(logSigmoid(logits), 1 / gateDivisor), gateFloor, Infinity), keyHeads),
      });
      const gate = outputGate ? project(trace, x, 'g', heads * values) : undefined;
      const normed = gatedNorm(trace, y, { name: norm, eps, gate });
      return linear(trace, normed, { name: 'o_proj', outputs: features, bias: false });
    },
  });
}
