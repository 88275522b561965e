import { xavierUniform, type Random } from '../init/index.ts';
import {
  add,
  delay,
  dense,
  exp,
  matrixScan,
  mul,
  neg,
  reshape,
  select,
  silu,
  slice,
  sub,
  tanh,
} from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal } from '../signal/index.ts';
import { groupNorm } from './norm.ts';
import { zeros } from './initialisers.ts';
import { dotPerHead, orthogonalBy, perHead, project } from './rwkv-parts.ts';

/** Configuration of `rwkv6`. */
export interface Rwkv6Options {
  /** C: `hidden_size`. */
  readonly features: number;
  /** H: `num_heads`; 4. */
  readonly heads?: number;
  /** H·K: `hidden_size · expand_k`; C / 2 as in the official code. */
  readonly keyFeatures?: number;
  /** H·V: `hidden_size · expand_v`; C. */
  readonly valueFeatures?: number;
  /** R: `proj_low_rank_dim`, of what decides how much of the last frame is mixed in; 32. */
  readonly mixRank?: number;
  /** `gate_low_rank_dim`, of the decay; 64. */
  readonly decayRank?: number;
  /** Of the norm over a head; 1e-5. */
  readonly eps?: number;
}

/** What the recurrence of RWKV-6 takes, a vector a head. */
export interface Rwkv6Operands {
  /** Receptance (H × K). */
  readonly r: Signal;
  /** Key (H × K). */
  readonly k: Signal;
  /** Value (H × V). */
  readonly v: Signal;
  /** Log of what is kept of the state, below 0 (H × K). */
  readonly w: Signal;
  /** The bonus of the current key, constant (H × K). */
  readonly u: Signal;
}

/**
 * The recurrence of RWKV-6: y[t] = rᵀ (S[t−1] + diag(u) k vᵀ), then S[t] = diag(e^w) S[t−1] + k vᵀ. (H × V).
 *
 * Source: Peng et al., "Eagle and Finch: RWKV with Matrix-Valued States and Dynamic Recurrence"
 * (arXiv 2404.05892), eq. 19 and 20.
 *
 * @example
 * const y = rwkv6Recurrence({ r, k, v, w: neg(exp(d)), u });
 */
export const rwkv6Recurrence = ({ r, k, v, w, u }: Rwkv6Operands): Signal =>
  add(matrixScan({ q: r, k, v, decay: exp(w), readOut: 'before' }), mul(dotPerHead(mul(r, u), k), v));

/**
 * Time mixing of RWKV-6 ("Finch"), as flash-linear-attention's `RWKV6Attention`: a matrix a head as state, whose
 * decay follows the input, and a mixing with the last frame that follows the input as well. Norm and residual are
 * outside.
 *
 *     δ = x[t−1] − x[t],   μ = B tanh(A (x + μ₀ δ)) + x_bias  for each of r, w, k, v, g
 *     r, k, v, g = W (x + μ δ),   w = −exp(lora(x + μ δ))
 *     y = Wₒ (GroupNorm(recurrence(r, k, v, w, u)) ⊙ silu(g))
 *
 * | parameter | shape |
 * | --- | --- |
 * | `x_proj.0.mu`, `x_proj.0.linear.weight` | (C), (5R × C) |
 * | `x_proj.2.weight`, `x_bias` | (C × 5R), (5 × C): r, w, k, v, g |
 * | `r_proj.linear.weight`, `k_proj.`, `v_proj.`, `g_proj.` | (HK × C), (HK × C), (HV × C), (HV × C) |
 * | `w_proj.linear.lora.0.weight`, `.2.weight`, `.2.bias` | (rank × C), (HK × rank), (HK) |
 * | `bonus` | (H × K): u |
 * | `g_norm.weight`, `.bias`, `o_proj.weight` | (HV), (HV), (C × HV) |
 *
 * On a stream: causal, no latency, 4 H K V + 4 C bytes of state; counts frames, so one sample rate only.
 *
 * Source: arXiv 2404.05892, §4.2; `fla/layers/rwkv6.py`.
 *
 * @example
 * const model = rwkv6({ features: 64, heads: 4 });
 */
export function rwkv6(options: Rwkv6Options): Layer {
  const { features, heads = 4, keyFeatures = features / 2, valueFeatures = features } = options;
  const { mixRank = 32, decayRank = 64, eps = 1e-5 } = options;
  return defineLayer({
    name: 'rwkv6',
    features,
    apply(trace, x) {
      const delta = sub(delay(x, 1), x);
      const towards = (mu: Signal): Signal => add(x, mul(delta, mu));
      const inner = project(
        trace.scope('x_proj.0'),
        towards(trace.parameter('x_proj.0.mu', [features], zeros)),
        'linear',
        5 * mixRank,
        xavier,
      );
      const low = tanh(inner);
      const out = trace.parameter('x_proj.2.weight', [features, 5 * mixRank], xavier);
      const bias = trace.parameter('x_bias', [5, features], zeros);
      const [xr, xw, xk, xv, xg] = Array.from({ length: 5 }, (_, n) => {
        const own = (signal: Signal): Signal => slice(signal, n * mixRank, mixRank);
        return towards(add(dense(own(low), own(out)), select(bias, n, 0)));
      }) as [Signal, Signal, Signal, Signal, Signal];

      const of = (name: string, mixed: Signal, width: number): Signal =>
        project(trace, mixed, `${name}.linear`, width, xavier);
      const lora = trace.scope('w_proj.linear.lora');
      const decayInner = tanh(project(lora, xw, '0', decayRank, zeros));
      const decay = add(
        project(lora, decayInner, '2', keyFeatures, loraInit),
        lora.parameter('2.bias', [keyFeatures], zeros),
      );
      const y = rwkv6Recurrence({
        r: perHead(of('r_proj', xr, keyFeatures), heads),
        k: perHead(of('k_proj', xk, keyFeatures), heads),
        v: perHead(of('v_proj', xv, valueFeatures), heads),
        w: perHead(neg(exp(decay)), heads),
        u: trace.parameter('bonus', [heads, keyFeatures / heads], zeros),
      });
      const normed = groupNorm(trace, reshape(y, [valueFeatures]), 'g_norm', heads, eps);
      const gate = silu(of('g_proj', xg, valueFeatures));
      return project(trace, mul(normed, gate), 'o_proj', features, xavier);
    },
  });
}

const xavier = (shape: Shape, random: Random): Float64Array => {
  const [fanOut, fanIn] = shape as [number, number];
  return xavierUniform(new Float64Array(sizeOf(shape)), random, { fanIn, fanOut }, 2 ** -2.5);
};

/** The way out of a low-rank projection; the way in begins at 0. */
export const loraInit = (shape: Shape, random: Random): Float64Array =>
  orthogonalBy(0.1 * Math.sqrt(Math.max(1, shape[1]! / shape[0]!)))(shape, random);
