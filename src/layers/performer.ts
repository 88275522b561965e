import { ArgumentError } from '../errors.ts';
import type { Random } from '../init/index.ts';
import {
  add,
  concat,
  dense,
  div,
  exp,
  matrixScan,
  maximum,
  mul,
  neg,
  permute,
  runningMaximum,
  square,
  stopGradient,
  sub,
  withNormaliser,
} from '../ops/index.ts';
import type { Layer, Shape, Signal } from '../signal/index.ts';
import { attentionLayer, type Heads, type LinearTransformerOptions } from './linear-transformer.ts';

/** Configuration of `performer`. */
export interface PerformerOptions extends LinearTransformerOptions {
  /** M: `n_dims`, random features, an even number; K. */
  readonly randomFeatures?: number;
  /** `softmax_temp`: the softmax that is imitated is that of temperature · q·k; 1/√K. */
  readonly temperature?: number;
}

/**
 * Performer: softmax attention imitated by positive random features (FAVOR+), as in idiap/fast-transformers
 * `AttentionLayer` with `CausalLinearAttention` and `Favor`. Norm and residual of the block are outside.
 *
 *     φ(x) = e^(±ωᵀx' − |x'|²/2) / √M,  x' = x √temperature,    E φ(q)·φ(k) = e^(temperature q·k)
 *     y = out_projection(Σ φ(q)·φ(k) v / (Σ φ(q)·φ(k) + eps)),  over all keys so far
 *
 * | parameter | shape |
 * | --- | --- |
 * | `query_projection.weight`, `.bias`; `key_projection` … | (H K × features), (H K) |
 * | `value_projection.weight`, `.bias`; `out_projection` … | (H V × features), (H V); (features × H V), (features) |
 * | `inner_attention.feature_map.omega` | (K × M/2), drawn once, not trained |
 *
 * On a stream: causal, no latency, H M (V + 1) numbers of state, and stable: see `favorAttention`. The sums grow for
 * ever, see docs/layers/linear-attention.md.
 *
 * Source: Choromanski et al., "Rethinking Attention with Performers" (arXiv 2009.14794), §2.3, §2.4.
 *
 * @throws ArgumentError for heads that do not divide the features, and for an odd number of random features.
 * @example
 * const model = performer({ features: 64, heads: 4, randomFeatures: 32 });
 */
export function performer(options: PerformerOptions): Layer {
  const { features, heads, keys = features / heads, eps = 1e-6 } = options;
  const { randomFeatures = keys, temperature = keys ** -0.5 } = options;
  if (!(Number.isSafeInteger(randomFeatures) && randomFeatures >= 2 && randomFeatures % 2 === 0)) {
    throw new ArgumentError(
      `performer: randomFeatures is ${randomFeatures}; they come in pairs, so give an even number of at least 2`,
    );
  }
  return attentionLayer('performer', options, (trace, parts) => {
    const omega = trace.parameter('feature_map.omega', [keys, randomFeatures / 2], orthogonal);
    return favorAttention(parts, { omega: stopGradient(omega), temperature, eps });
  });
}

export interface FavorOptions {
  /** ω (K × M/2). */
  readonly omega: Signal;
  readonly temperature: number;
  /** 0: the output is a weighted mean of the values whatever the lengths of queries and keys. */
  readonly eps: number;
}

/**
 * ln φ(x) of each head (H × K) → (H × M): the logarithms of all positive random features.
 */
export function favorLogFeatures(x: Signal, { omega, temperature }: Omit<FavorOptions, 'eps'>): Signal {
  const [keys, half] = omega.shape as [number, number];
  const scaled = mul(x, Math.sqrt(temperature));
  const u = dense(scaled, permute(omega, [1, 0]));
  const halves = x.trace.literal(new Float64Array(keys).fill(0.5), [1, keys]);
  const offset = add(dense(square(scaled), halves), 0.5 * Math.log(2 * half));
  return sub(concat([u, neg(u)]), offset);
}

/**
 * Causal attention by positive random features, kept stable on a stream:
 *
 *     m = the largest ln φ(k) so far, a feature by itself;    S ← diag(e^(m[t−1] − m[t])) S + (φ(k) e^(−m)) vᵀ
 *     y = Σ w S / Σ w z,    w = φ(q) e^(m) / its largest
 *
 * z being the column of S whose value is 1. Offline code subtracts a maximum over the whole sequence from the exponents
 * of all keys, which cannot be known on a stream. The largest so far can, where the state is rescaled whenever it
 * rises, which is a decay like any other; and it may differ from feature to feature, since the query makes up for it.
 * So no exponential is above 1, no z is below 1, and one weight is 1: nothing overflows, nothing is divided by 0, and
 * the result is the same but for rounding. eps is scaled along.
 */
export function favorAttention({ q, k, v }: Heads, options: FavorOptions): Signal {
  const { eps } = options;
  const logK = favorLogFeatures(k, options);
  // What is subtracted here is added there, so that no gradient needs to pass through it.
  const { max, rise } = runningMaximum(stopGradient(logK));
  const logWeights = add(favorLogFeatures(q, options), max);
  const top = stopGradient(maximum(logWeights));
  const { numerator, denominator } = withNormaliser(v, (values) =>
    matrixScan({
      q: exp(sub(logWeights, top)),
      k: exp(sub(logK, max)),
      v: values,
      decay: exp(neg(rise)),
      endless: true,
    }),
  );
  return div(numerator, eps === 0 ? denominator : add(denominator, mul(exp(neg(top)), eps)));
}

/** Columns orthogonal in groups of K, as long as normal vectors are. */
function orthogonal(shape: Shape, random: Random): Float64Array {
  const [rows, columns] = shape as [number, number];
  const omega = new Float64Array(rows * columns);
  const normal = (): Float64Array => Float64Array.from({ length: rows }, () => random.normal());
  let group: Float64Array[] = [];
  for (let c = 0; c < columns; c++) {
    if (c % rows === 0) group = [];
    const vector = normal();
    // Gram-Schmidt, twice, which is as good as exact.
    for (const other of [...group, ...group]) {
      const share = vector.reduce((sum, value, i) => sum + value * other[i]!, 0);
      other.forEach((value, i) => (vector[i]! -= share * value));
    }
    const unit = vector.map((value) => value / Math.hypot(...vector));
    group.push(unit);
    const length = Math.hypot(...normal());
    unit.forEach((value, r) => (omega[r * columns + c] = value * length));
  }
  return omega;
}
