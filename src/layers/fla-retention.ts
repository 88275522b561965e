import { ArgumentError } from '../errors.ts';
import { retention as retentionScan, retentionDecays, rotary, rotaryAngles, silu } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal } from '../signal/index.ts';
import { checkDivides, gatedNorm, inHeads, project, shareHeads, type ShortConvolutions } from './fla.ts';
import { linear } from './linear.ts';

/** Configuration of `flaRetention`; no short convolutions unless there are taps. */
export interface FlaRetentionOptions extends ShortConvolutions {
  /** `hidden_size`. */
  readonly features: number;
  /** H: `num_heads`; 8. */
  readonly heads?: number;
  /** `num_kv_heads`: heads of keys and values; H. */
  readonly keyHeads?: number;
  /** K: numbers in a head's key, an even number; the features by H. */
  readonly keys?: number;
  /** V: numbers in a head's value; twice the features by H. */
  readonly values?: number;
  /** `use_output_gate`; there is one. */
  readonly outputGate?: boolean;
  /** Name of the norm's weight: `g_norm_swish_gate` in checkpoints with `fuse_norm` (default), else `g_norm`. */
  readonly norm?: 'g_norm_swish_gate' | 'g_norm';
  /** 1e-5. */
  readonly eps?: number;
}

/**
 * Multi-scale retention as in flash-linear-attention `fla/layers/multiscale_retention.py`. It differs from torchscale's
 * (`retention`) in its angles, in which numbers are turned as a pair, in a norm with a weight, and in that nothing is
 * divided by but √K. Norm and residual of the block are outside.
 *
 *     q, k, v = projections of x;    q, k turned by position, one of each half a pair
 *     S ← γ S + k vᵀ,    y = o_proj(RMSNorm(qᵀ S / √K) · SiLU(g_proj(x))),    γ = 1 − 2^(−5−h)
 *
 * | parameter | shape |
 * | --- | --- |
 * | `q_proj.weight`, `k_proj.weight`, `v_proj.weight` | (H K × features), (keyHeads K × …), (keyHeads V × …) |
 * | `g_proj.weight`, `o_proj.weight` | (H V × features), (features × H V) |
 * | `g_norm_swish_gate.weight` or `g_norm.weight` | (V) |
 * | `q_conv1d.weight` … | (channels × 1 × taps) |
 *
 * On a stream: causal, no latency, H K V numbers of state; positions stay exact for days. It counts frames, so it does
 * not follow another sample rate.
 *
 * Source: Sun et al., "Retentive Network" (arXiv 2307.08621), §2.
 *
 * @throws ArgumentError for an odd K, and heads that keys' heads do not divide.
 * @example
 * const model = flaRetention({ features: 64, heads: 4 });
 */
export function flaRetention(options: FlaRetentionOptions): Layer {
  const { features, heads = 8, keyHeads = heads } = options;
  const { keys = features / heads, values = (2 * features) / heads, taps = 0, eps = 1e-5 } = options;
  const { outputGate = true, norm = outputGate ? 'g_norm_swish_gate' : 'g_norm' } = options;
  checkDivides('flaRetention', 'keyHeads', keyHeads, 'heads', heads);
  checkDivides('flaRetention', 'heads', heads, 'values together', heads * values);
  if (!(Number.isSafeInteger(keys) && keys % 2 === 0)) {
    throw new ArgumentError(
      `flaRetention: a head has ${keys} keys; positions turn pairs, so give an even number`,
    );
  }
  return defineLayer({
    name: 'fla-retention',
    features,
    apply(trace, x) {
      const mixed = (name: string, count: number, width: number): Signal => {
        const y = project(trace, x, name, count * width, options);
        return inHeads(taps > 0 ? silu(y) : y, count);
      };
      const turned = (y: Signal): Signal => rotary(y, { angles: rotaryAngles(keys), layout: 'half' });
      const y = retentionScan({
        q: turned(mixed('q', heads, keys)),
        k: turned(mixed('k', keyHeads, keys)),
        v: shareHeads(mixed('v', keyHeads, values), heads),
        gamma: trace.literal(retentionDecays(heads), [heads, 1]),
      });
      const gate = outputGate ? project(trace, x, 'g', heads * values) : undefined;
      const normed = gatedNorm(trace, y, { name: norm, eps, gate });
      return linear(trace, normed, { name: 'o_proj', outputs: features, bias: false });
    },
  });
}
