import {
  add,
  concat,
  cos,
  previous,
  exp,
  matrixScan,
  mul,
  phase,
  reshape,
  select,
  sin,
  slice,
  sub,
} from '../ops/index.ts';
import type { Signal } from '../signal/index.ts';

/** What `trapezoidalScan` works on. */
export interface TrapezoidalScanOperands {
  /** (H × N): query, before it is turned. */
  readonly q: Signal;
  /** (H × N): key, before it is turned. */
  readonly k: Signal;
  /** (H × P): value. */
  readonly v: Signal;
  /** (H): the step. */
  readonly dt: Signal;
  /** (H): dt A, at most 0. */
  readonly logDecay: Signal;
  /** (H): λ, the weight of the current frame in the trapezoid; the last frame has 1 − λ. */
  readonly current: Signal;
  /** (H × angles) or (1 × angles): radians a unit of dt. */
  readonly frequency: Signal;
}

/**
 * Mamba-3's recurrence: y = qᵀ S (H × P), and the turned keys (H × N) that it remembers.
 *
 *     S[k] = e^{dt A} (S[k−1] + (1 − λ) dt k[k−1] v[k−1]ᵀ) + λ dt k[k] v[k]ᵀ
 */
export function trapezoidalScan(operands: TrapezoidalScanOperands): { y: Signal; key: Signal } {
  const { k, v, dt, logDecay, current, frequency } = operands;
  const [heads, states, headWidth] = [k.shape[0]!, k.shape[1]!, v.shape[1]!];
  const column = (x: Signal): Signal => reshape(x, [heads, 1]);
  const theta = phase(mul(frequency, column(dt)));
  const rotation = { re: cos(theta), im: sin(theta) };
  const key = rotatePairs(k, rotation);
  const decay = exp(logDecay);
  const gamma = mul(dt, current);
  const beta = mul(sub(dt, gamma), decay);
  const pair = (a: Signal, b: Signal, width: number): Signal =>
    concat([reshape(a, [heads, 1, width]), reshape(b, [heads, 1, width])], 1);
  const y = matrixScan({
    q: rotatePairs(operands.q, rotation),
    k: pair(previous(key), key, states),
    v: pair(mul(previous(v), column(beta)), mul(v, column(gamma)), headWidth),
    decay: column(decay),
  });
  return { y, key };
}

/** Neighbours (2i, 2i + 1) of x (H × N) turned by the i-th angle of the head; what no angle is left for stays. */
function rotatePairs(x: Signal, { re, im }: { re: Signal; im: Signal }): Signal {
  const [heads, states, angles] = [x.shape[0]!, x.shape[1]!, re.shape[1]!];
  const pairs = reshape(slice(x, 0, 2 * angles), [heads, angles, 2]);
  const [a, b] = [select(pairs, 0), select(pairs, 1)];
  const column = (part: Signal): Signal => reshape(part, [heads, angles, 1]);
  const turned = concat([column(sub(mul(a, re), mul(b, im))), column(add(mul(a, im), mul(b, re)))]);
  const flat = reshape(turned, [heads, 2 * angles]);
  return 2 * angles === states ? flat : concat([flat, slice(x, 2 * angles, states - 2 * angles)]);
}
