import { GraphError } from '../errors.ts';
import {
  add,
  delay,
  exp,
  matrixScan,
  mul,
  neg,
  normalise,
  reshape,
  sigmoid,
  sub,
  tanh,
} from '../ops/index.ts';
import { defineLayer, type Layer, type Signal, type Trace } from '../signal/index.ts';
import { filled, zeros } from './initialisers.ts';
import { dotPerHead, each, orthogonalBy, perHead, project, type RwkvPlace } from './rwkv-parts.ts';
import { loraInit } from './rwkv6.ts';

/** Configuration of `rwkv7`. */
export interface Rwkv7Options extends RwkvPlace {
  /** C = H·K: `hidden_size`. */
  readonly features: number;
  /** K: `head_dim`; 64. */
  readonly headFeatures?: number;
  /** H·V: `value_dim`; C. */
  readonly valueFeatures?: number | undefined;
  /** `decay_low_rank_dim`, `a_low_rank_dim`, `v_low_rank_dim`, `gate_low_rank_dim`; by default as `rwkv7Ranks`. */
  readonly ranks?: Partial<Rwkv7Ranks> | undefined;
  /** `norm_eps`, times K that of the norm over a head; 1e-5. */
  readonly eps?: number;
}

export interface Rwkv7Ranks {
  readonly decay: number;
  readonly a: number;
  readonly value: number;
  readonly gate: number;
}

/** The official ranks of the low-rank projections: multiples of 32 that grow with √C. */
export function rwkv7Ranks(features: number, headFeatures: number): Rwkv7Ranks {
  const rank = (slope: number): number =>
    Math.max(32, 32 * roundHalfEven((slope * Math.sqrt(features)) / 32));
  const scale = headFeatures / 64;
  return { decay: rank(2.5 * scale), a: rank(2.5 * scale), value: rank(1.7 * scale), gate: rank(5) };
}

/** No key forgets faster than e^w = e^(−e^−½) = 0.545 a frame. */
const FASTEST = Math.exp(-0.5);

/**
 * Time mixing of RWKV-7 ("Goose"), as flash-linear-attention's `RWKV7Attention`: a matrix a head, from which a
 * delta rule takes along a removal key κ̂ what it writes anew. Norm and residual are outside.
 *
 *     δ = x[t−1] − x[t],   x_n = x + μ_n δ  for n = r, w, k, v, a, g
 *     r, k, v = W x_n,   w = −e^−½ σ(lora(x_w)),   a = σ(lora(x_a)),   g = G₂ σ(G₁ x_g)
 *     κ̂ = k ⊙ k_k / ‖k ⊙ k_k‖ a head,   k ← k ⊙ (1 + (a − 1) ⊙ k_a)
 *     S[t] = diag(e^w) S[t−1] − (κ̂ ⊙ a) (κ̂ᵀ S[t−1]) + k vᵀ,   y = rᵀ S[t]
 *     out = Wₒ ((GroupNorm(y) + (Σ r k r_k) v) ⊙ g)
 *
 * Layers behind the first mix its values in: v ← v + σ(lora(x_v)) ⊙ (v_first − v).
 *
 * | parameter | shape |
 * | --- | --- |
 * | `x_r`, `x_w`, `x_k`, `x_v`, `x_a`, `x_g` | (1 × 1 × C) |
 * | `r_proj.weight`, `k_proj.`, `v_proj.`, `o_proj.` | (C × C), (C × C), (HV × C), (C × HV) |
 * | `w_lora.lora.0.weight`, `.2.weight`, `.2.bias`; `a_lora.…`; `v_lora.…` (index > 0) | (rank × C), (C × rank), (C) |
 * | `g_lora.lora.0.weight`, `.2.weight` | (rank × C), (HV × rank) |
 * | `k_k`, `k_a`, `r_k` | (C), (C), (H × K) |
 * | `g_norm.weight`, `.bias` | (HV) |
 *
 * On a stream: causal, no latency, 4 H K V + 4 C bytes of state; counts frames, so one sample rate only.
 *
 * Source: Peng et al., "RWKV-7 'Goose' with Expressive Dynamic State Evolution" (arXiv 2503.14456), §4;
 * `fla/layers/rwkv7.py`.
 *
 * @throws GraphError for `index` above 0: such a layer needs the first one's values, see `rwkv7TimeMix`.
 * @example
 * const model = rwkv7({ features: 128, headFeatures: 64 });
 */
export function rwkv7(options: Rwkv7Options): Layer {
  return defineLayer({
    name: 'rwkv7',
    features: options.features,
    apply: (trace, x) => rwkv7TimeMix(trace, x, options).output,
  });
}

/** The same inside a stack: `first` are the values of the layer of index 0, which gives them as `first`. */
export function rwkv7TimeMix(
  trace: Trace,
  x: Signal,
  options: Rwkv7Options,
  first?: Signal,
): { output: Signal; first: Signal } {
  const {
    features,
    headFeatures = 64,
    valueFeatures = features,
    index = 0,
    layers = 1,
    eps = 1e-5,
  } = options;
  const heads = features / headFeatures;
  const ranks = { ...rwkv7Ranks(features, headFeatures), ...options.ranks };
  const rest = 1 - index / layers;
  const delta = sub(delay(x, 1), x);
  const mix = (name: string, power: number): Signal => {
    const mu = trace.parameter(
      `x_${name}`,
      [1, 1, features],
      each((i, n) => 1 - (i / n) ** (power * rest)),
    );
    return add(x, mul(delta, reshape(mu, [features])));
  };
  /** A low-rank projection; `bias` gives its initial bias. */
  const lora = (
    name: string,
    input: Signal,
    rank: number,
    width: number,
    inner: (signal: Signal) => Signal,
    bias?: (i: number, n: number) => number,
  ): Signal => {
    const at = trace.scope(`${name}_lora.lora`);
    const y = project(at, inner(project(at, input, '0', rank, zeros)), '2', width, loraInit);
    return bias === undefined ? y : add(y, at.parameter('2.bias', [width], each(bias)));
  };
  const plain = (signal: Signal): Signal => signal;
  const vector = (name: string, value: (i: number, n: number) => number): Signal =>
    trace.parameter(name, [features], each(value));

  const [xr, xw, xk, xv] = [mix('r', 0.2), mix('w', 0.9), mix('k', 0.7), mix('v', 0.7)];
  const [xa, xg] = [mix('a', 0.9), mix('g', 0.2)];
  const r = perHead(project(trace, xr, 'r_proj', features, orthogonalBy()), heads);
  const key = project(trace, xk, 'k_proj', features, orthogonalBy(0.1));
  const ownValue = project(trace, xv, 'v_proj', valueFeatures, orthogonalBy());
  const start = startingBias(headFeatures, index, layers);
  const w = mul(sigmoid(lora('w', xw, ranks.decay, features, tanh, start.decay)), -FASTEST);
  const a = sigmoid(lora('a', xa, ranks.a, features, plain, start.a));
  const g = lora('g', xg, ranks.gate, valueFeatures, sigmoid);

  let value = ownValue;
  if (index > 0) {
    if (first === undefined) {
      throw new GraphError(
        `rwkv7: the layer of index ${index} mixes in the values of the layer of index 0; give them as \`first\` of ` +
          'rwkv7TimeMix, or build it with index 0',
      );
    }
    const share = sigmoid(lora('v', xv, ranks.value, valueFeatures, plain, start.value));
    value = add(value, mul(share, sub(first, value)));
  }

  // ‖κ‖ is √K times the root mean square. torch divides by 1e-12 at least; eps bounds it at the same place.
  const removal = mul(
    key,
    vector('k_k', (i, n) => 0.71 - 0.1 * ramp(i, n)),
  );
  const unit = mul(
    normalise(removal, { groups: heads, centre: false, eps: 1e-24 / headFeatures }),
    headFeatures ** -0.5,
  );
  const k = mul(
    key,
    add(
      mul(
        add(a, -1),
        vector('k_a', () => 1.02),
      ),
      1,
    ),
  );
  const [kh, vh] = [perHead(k, heads), perHead(value, heads)];
  const y = matrixScan({
    q: r,
    k: kh,
    v: vh,
    decay: exp(perHead(w, heads)),
    a: perHead(neg(unit), heads),
    b: perHead(mul(unit, a), heads),
  });
  const flat = [valueFeatures];
  const scale = trace.parameter('g_norm.weight', flat, filled(((index + 1) / layers) ** 0.7));
  const normed = mul(normalise(y, { groups: heads, eps: headFeatures * eps }), perHead(scale, heads));
  const shifted = add(normed, perHead(trace.parameter('g_norm.bias', flat, zeros), heads));
  const bonus = dotPerHead(mul(r, trace.parameter('r_k', [heads, headFeatures], filled(-0.04))), kh);
  const gated = mul(reshape(add(shifted, mul(bonus, vh)), flat), g);
  return { output: project(trace, gated, 'o_proj', features, zeros), first: first ?? ownValue };
}

/** −½ … ½ over n elements. */
const ramp = (i: number, n: number): number => i / Math.max(1, n - 1) - 0.5;

/** Initial biases of the low-rank projections: rising over the channels, and zigzag over those of a head. */
function startingBias(
  headFeatures: number,
  index: number,
  layers: number,
): Record<'decay' | 'a' | 'value', (i: number, n: number) => number> {
  const depth = layers > 1 ? index / (layers - 1) : 0;
  const middle = Math.max(1, headFeatures - 1) / 2;
  const zigzag = (i: number): number => {
    const place = ((i % headFeatures) - (headFeatures - 1) / 2) / middle;
    return place * Math.abs(place);
  };
  return {
    decay: (i, n) => -5.5 + 6 * (i / Math.max(1, n - 1)) ** (1 + depth ** 0.3) + 2.5 * zigzag(i),
    a: (i, n) => -0.19 + 0.3 * zigzag(i) + 0.4 * ramp(i, n),
    value: (i, n) => 0.73 - 0.4 * ramp(i, n),
  };
}

/** Python's `round`. */
function roundHalfEven(x: number): number {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
}
