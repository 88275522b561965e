import { deltaRule, div, eluPlusOne, dense, mul, relu, reshape, sigmoid, silu } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal } from '../signal/index.ts';
import { checkDivides, gatedNorm, inHeads, l2Normalise, project, type ShortConvolutions } from './fla.ts';
import { linear } from './linear.ts';

/** Configuration of `deltaNet`; short convolutions over 4 frames unless said otherwise. */
export interface DeltaNetOptions extends ShortConvolutions {
  /** `hidden_size`. */
  readonly features: number;
  /** H: `num_heads`; 4. */
  readonly heads?: number;
  /** K: numbers in a head's key; the features by H. */
  readonly keys?: number;
  /** V: numbers in a head's value; the features by H. */
  readonly values?: number;
  /** `qk_activation`; `silu`. */
  readonly activation?: keyof typeof activations;
  /** `qk_norm`: length 1 (`l2`, default), or sum 1. */
  readonly norm?: 'l2' | 'sum';
  /** `use_beta`: how much is written follows from the input (default), or is all. */
  readonly beta?: boolean;
  /** `allow_neg_eigval`: β reaches up to 2, so that a key can turn its value over. */
  readonly negativeEigenvalues?: boolean;
  /** `use_gate`; none. */
  readonly outputGate?: boolean;
  /** 1e-5. */
  readonly eps?: number;
}

const activations = { silu, relu, elu: eluPlusOne, identity: (x: Signal): Signal => x };

/**
 * DeltaNet, as in flash-linear-attention `fla/layers/delta_net.py`: what stands under a key is replaced rather than added
 * to. Norm and residual of the block are outside.
 *
 *     q, k = SiLU(short convolutions of q_proj x, k_proj x), length 1 in each head;    v = SiLU(…)
 *     β = σ(b_proj x),    S ← S + β k (v − Sᵀ k)ᵀ,    y = o_proj(RMSNorm(qᵀ S / √K))
 *
 * | parameter | shape |
 * | --- | --- |
 * | `q_proj.weight`, `k_proj.weight`, `v_proj.weight` | (H K × features) twice, (H V × features) |
 * | `q_conv1d.weight`, `k_conv1d.weight`, `v_conv1d.weight` | (channels × 1 × taps) |
 * | `b_proj.weight` | (H × features) |
 * | `o_norm.weight`, `o_proj.weight` | (V), (features × H V) |
 * | `g_proj.weight` with `outputGate` | (H V × features) |
 *
 * On a stream: causal, no latency, H K V + channels · (taps − 1) numbers of state, which does not grow, since keys have
 * length 1. It counts frames, so it does not follow another sample rate.
 *
 * Source: Yang et al., "Parallelizing Linear Transformers with the Delta Rule over Sequence Length" (arXiv
 * 2406.06484); Schlag, Irie, Schmidhuber (2102.11174), §4.
 *
 * @throws ArgumentError for heads that do not divide the features.
 * @example
 * const model = deltaNet({ features: 64, heads: 2 });
 */
export function deltaNet(options: DeltaNetOptions): Layer {
  const { features, heads = 4, taps = 4, norm = 'l2', activation = 'silu', eps = 1e-5 } = options;
  const { keys = features / heads, values = features / heads } = options;
  const { beta: hasBeta = true, negativeEigenvalues = false, outputGate = false } = options;
  checkDivides('deltaNet', 'heads', heads, 'keys together', heads * keys);
  checkDivides('deltaNet', 'heads', heads, 'values together', heads * values);
  return defineLayer({
    name: 'delta-net',
    features,
    apply(trace, x) {
      const mixed = (name: string, width: number): Signal =>
        inHeads(project(trace, x, name, heads * width, { ...options, taps }), heads);
      const ones = trace.literal(new Float64Array(keys).fill(1), [1, keys]);
      const normed = (y: Signal): Signal => (norm === 'l2' ? l2Normalise(y) : div(y, dense(y, ones)));
      const written = hasBeta
        ? sigmoid(reshape(project(trace, x, 'b', heads), [heads, 1]))
        : trace.literal(new Float64Array(heads).fill(1), [heads, 1]);
      const y = deltaRule({
        q: normed(activations[activation](mixed('q', keys))),
        k: normed(activations[activation](mixed('k', keys))),
        v: silu(mixed('v', values)),
        beta: negativeEigenvalues ? mul(written, 2) : written,
      });
      const gate = outputGate ? project(trace, x, 'g', heads * values) : undefined;
      return linear(trace, gatedNorm(trace, y, { name: 'o_norm', eps, gate }), {
        name: 'o_proj',
        outputs: features,
        bias: false,
      });
    },
  });
}
