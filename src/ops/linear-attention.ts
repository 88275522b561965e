/**
 * The recurrences of the linear-attention families on `matrixScan`, without projections, gates and norms.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | q, k | query, key | (H × K); a divisor of H heads shares |
 * | v | value | (H × V) |
 * | β | beta, how much is written | (H × 1) |
 * | g | ln of what is kept, ≤ 0 | (H × 1), or (H × K) |
 * | S | state | (H × K × V) |
 *
 * y = qᵀ S[t] / √K in all of them, as in flash-linear-attention; `scale` says otherwise. Shapes that do not fit throw a
 * GraphError. Source: fla-org/flash-linear-attention `fla/ops/<name>/naive.py`, and the paper named at each.
 */
import type { Signal } from '../signal/index.ts';
import { add, div, mul } from './arithmetic.ts';
import { matrixScan } from './matrix-scan.ts';
import { exp, neg, relu } from './pointwise.ts';
import { concat, split } from './structure.ts';

export interface LinearAttentionOperands {
  readonly q: Signal;
  readonly k: Signal;
  readonly v: Signal;
  /** What the output is multiplied by; 1/√K. */
  readonly scale?: number;
}

export interface GatedOperands extends LinearAttentionOperands {
  /** ln of what is kept: a number a head (simple GLA, gated delta rule), or one a key (GLA, KDA); ≤ 0. */
  readonly g: Signal;
}

export interface DeltaOperands extends LinearAttentionOperands {
  readonly beta: Signal;
}

const scaled = ({ q, scale }: LinearAttentionOperands): Signal => mul(q, scale ?? q.shape.at(-1)! ** -0.5);

/**
 * S ← S + k vᵀ. The sum grows for ever: for day-long streams see docs/layers/linear-attention.md.
 *
 * Source: Katharopoulos et al., "Transformers are RNNs" (arXiv 2006.16236), §3.3, without the normaliser.
 */
export const linearAttention = (operands: LinearAttentionOperands): Signal =>
  matrixScan({ q: scaled(operands), k: operands.k, v: operands.v, endless: true });

/**
 * y = qᵀ S / (q·z + eps) with S ← S + k vᵀ and z ← z + k: a mean of the values, weighted by q·k, which q and k have to
 * make positive. z is one more column of S, its value 1.
 *
 * Source: as `linearAttention`, equations 18 to 20.
 *
 * @example
 * const y = normalisedLinearAttention({ q: eluPlusOne(q), k: eluPlusOne(k), v });
 */
export function normalisedLinearAttention(
  operands: LinearAttentionOperands & { readonly eps?: number },
): Signal {
  const { k, v, eps = 1e-10 } = operands;
  const { numerator, denominator } = withNormaliser(v, (values) =>
    matrixScan({ q: scaled(operands), k, v: values, endless: true }),
  );
  return div(numerator, add(denominator, eps));
}

/** A recurrence over values with a last column of ones, whose output is what the weights add up to. */
export function withNormaliser(
  v: Signal,
  recurrence: (values: Signal) => Signal,
): { readonly numerator: Signal; readonly denominator: Signal } {
  const [heads, values] = v.shape as [number, number];
  const ones = v.trace.literal(new Float64Array(heads).fill(1), [heads, 1]);
  const [numerator, denominator] = split(recurrence(concat([v, ones])), [values, 1]);
  return { numerator: numerator!, denominator: denominator! };
}

/**
 * S ← γ S + k vᵀ with a constant γ (H × 1).
 *
 * Source: Sun et al., "Retentive Network" (arXiv 2307.08621), §2.1, equation 6.
 */
export const retention = (operands: LinearAttentionOperands & { readonly gamma: Signal }): Signal =>
  matrixScan({ q: scaled(operands), k: operands.k, v: operands.v, decay: operands.gamma });

/** γ of each head, 1 − 2^(−5−h): the first keeps 1e-5 of what is 370 frames old, each next one of twice as many. */
export const retentionDecays = (heads: number): Float64Array =>
  Float64Array.from({ length: heads }, (_, h) => 1 - 2 ** (-5 - h));

/**
 * S ← diag(e^g) S + k vᵀ.
 *
 * Source: Yang et al., "Gated Linear Attention Transformers" (arXiv 2312.06635), §4.1.
 */
export const gatedLinearAttention = (operands: GatedOperands): Signal =>
  matrixScan({ q: scaled(operands), k: operands.k, v: operands.v, decay: exp(operands.g) });

/**
 * S ← S + β k (v − Sᵀ k)ᵀ: what stood under the key is replaced by the value. Stable for |k| ≤ 1 and 0 ≤ β ≤ 2.
 *
 * Source: Yang et al., "Parallelizing Linear Transformers with the Delta Rule" (arXiv 2406.06484), §2.2.
 */
export function deltaRule(operands: DeltaOperands): Signal {
  const { k, v, beta } = operands;
  return matrixScan({ q: scaled(operands), k, v: mul(v, beta), a: k, b: neg(mul(k, beta)) });
}

/**
 * S ← α S, then the delta rule, α = e^g: a number a head (Gated DeltaNet), or one a key (Kimi Delta Attention, where
 * α S means diag(α) S).
 *
 * Source: Yang, Kautz, Hatamizadeh, "Gated Delta Networks" (arXiv 2412.06464), equation 10; Kimi Team, "Kimi Linear"
 * (arXiv 2510.26692), equation 1.
 */
export function gatedDeltaRule(operands: DeltaOperands & GatedOperands): Signal {
  const { k, v, g, beta } = operands;
  const alpha = exp(g);
  return matrixScan({
    q: scaled(operands),
    k,
    v: mul(v, beta),
    decay: alpha,
    a: mul(alpha, k),
    b: neg(mul(k, beta)),
  });
}

/** elu(x) + 1: x + 1 above 0, eˣ below. The feature map of the Linear Transformer: positive everywhere. */
export const eluPlusOne = (x: Signal): Signal => add(relu(x), exp(neg(relu(neg(x)))));
