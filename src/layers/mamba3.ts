import { ArgumentError } from '../errors.ts';
import { mambaDtBias, type DtRange, type Random } from '../init/index.ts';
import {
  add,
  clamp,
  concat,
  cos,
  delay,
  exp,
  matrixScan,
  mul,
  neg,
  normalise,
  phase,
  reciprocal,
  relu,
  reshape,
  select,
  sigmoid,
  silu,
  sin,
  slice,
  softplus,
  split,
  sub,
  tanh,
} from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal, type Trace } from '../signal/index.ts';
import { linear } from './linear.ts';
import { rmsNorm } from './norm.ts';

/** Configuration of `mamba3`. */
export interface Mamba3Options {
  /** D: `d_model`. */
  readonly features: number;
  /** N: `d_state`; 128. */
  readonly states?: number;
  /** E: `d_inner`; twice the features. */
  readonly inner?: number;
  /** P: `headdim`; 64. The number of heads H is E/P. */
  readonly headWidth?: number;
  /** G: `ngroups`, groups of heads that share B and C; 1. */
  readonly groups?: number;
  /** `rope_fraction`, the part of the states that rotates: ½ or 1; ½. */
  readonly rotary?: number;
  /** `is_outproj_norm`: an RMSNorm a head before the gate; none. */
  readonly norm?: boolean;
  /** −A of what the projection says; `heavyTail` in the official code of today, `softplus` in its first release. */
  readonly decay?: (x: Signal) => Signal;
  /** `A_floor`, what −A does not fall below; 1e-4. */
  readonly decayFloor?: number;
  /** Range of the initial time steps; 0.001 to 0.1, not below 1e-4. */
  readonly dt?: DtRange;
  /** Hz that the parameters are for. */
  readonly sampleRate?: number | undefined;
}

/**
 * The Mamba-3 mixer (SISO), as in state-spaces/mamba `mamba3.py`: the trapezoidal rule instead of Euler's, B and C
 * that turn by an angle of their own making (a complex state, in real numbers), and no convolution. Norm and residual
 * are outside.
 *
 *     z, x, B, C, δ, a, τ, ω = in_proj(u)
 *     dt = softplus(δ + dt_bias),   A = −max(heavyTail(a), A_floor),   λ = σ(τ),   θ ← θ + π tanh(ω) dt
 *     k = R(θ) (RMSNorm(B) + B_bias),   q = R(θ) (RMSNorm(C) + C_bias)
 *     S[k] = e^{dt A} (S[k−1] + (1 − λ) dt k[k−1] x[k−1]ᵀ) + λ dt k[k] x[k]ᵀ,   y = qᵀ S + D x
 *     out_proj(y · SiLU(z)),   with `norm`: out_proj(RMSNorm(y) · SiLU(z))
 *
 * | parameter | shape |
 * | --- | --- |
 * | `in_proj.weight` | (2E + 2GN + 3H + angles × D): rows of z, x, B, C, δ, a, τ, ω |
 * | `dt_bias`, `D` | (H) |
 * | `B_norm.weight`, `C_norm.weight` | (N) |
 * | `B_bias`, `C_bias` | (H × 1 × N) |
 * | `norm.weight` | (E), with `norm` |
 * | `out_proj.weight` | (D × E) |
 *
 * On a stream: causal, no latency, E N + E + H N numbers of state and an angle in float64 for each pair that turns.
 *
 * Source: "Mamba-3: Improved Sequence Modeling using State Space Principles" (ICLR 2026), §3.
 *
 * @throws ArgumentError where heads, groups and widths do not divide each other.
 * @example
 * const model = mamba3({ features: 64, states: 32, headWidth: 16 });
 */
export function mamba3(options: Mamba3Options): Layer {
  checkMamba3(options);
  return defineLayer({
    name: 'mamba3',
    features: options.features,
    sampleRate: options.sampleRate,
    apply: (trace, x) => mamba3Mixer(trace, x, options),
  });
}

/** The mixer inside another layer's trace. */
export function mamba3Mixer(trace: Trace, u: Signal, options: Mamba3Options): Signal {
  const { features, states = 128, inner = 2 * features, headWidth = 64, groups = 1, norm = false } = options;
  const { rotary = 0.5, decay = heavyTail, decayFloor = 1e-4 } = options;
  const heads = inner / headWidth;
  const shared = groups * states;
  const angles = Math.floor((states * rotary) / 2);

  const sizes = [inner, inner, shared, shared, heads, heads, heads, angles];
  const outputs = sizes.reduce((sum, size) => sum + size);
  const parts = split(linear(trace, u, { name: 'in_proj', outputs, bias: false }), sizes);
  const [z, x, B, C, delta, a, tau, omega] = parts as [
    Signal,
    Signal,
    Signal,
    Signal,
    Signal,
    Signal,
    Signal,
    Signal,
  ];

  const dtBias = trace.parameter('dt_bias', [heads], (_shape, random: Random) =>
    mambaDtBias(random, heads, options.dt),
  );
  const dt = mul(softplus(add(delta, dtBias)), trace.timeScale());
  const perHead = (signal: Signal, name: string): Signal => {
    const normed = reshape(rmsNorm(trace, reshape(signal, [groups, states]), `${name}_norm`), [
      groups,
      1,
      states,
    ]);
    const bias = trace.parameter(`${name}_bias`, [heads, 1, states], ones);
    return reshape(add(normed, reshape(bias, [groups, heads / groups, states])), [heads, states]);
  };
  const v = reshape(x, [heads, headWidth]);
  const { y } = trapezoidalScan({
    q: perHead(C, 'C'),
    k: perHead(B, 'B'),
    v,
    dt,
    logDecay: mul(dt, neg(clamp(decay(a), decayFloor, Infinity))),
    current: sigmoid(tau),
    frequency: mul(tanh(reshape(omega, [1, angles])), Math.PI),
  });
  const skipped = add(y, mul(v, reshape(trace.parameter('D', [heads], ones), [heads, 1])));
  const flat = reshape(skipped, [inner]);
  const normed = norm
    ? mul(normalise(flat, { groups: heads, centre: false }), trace.parameter('norm.weight', [inner], ones))
    : flat;
  return linear(trace, mul(normed, silu(z)), { name: 'out_proj', outputs: features, bias: false });
}

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
    k: pair(delay(key, 1), key, states),
    v: pair(mul(delay(v, 1), column(beta)), mul(v, column(gamma)), headWidth),
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

/** 1 + x for x ≥ 0, 1 / (1 − x) below: positive, and slow to vanish. */
export const heavyTail = (x: Signal): Signal => sub(relu(x), reciprocal(sub(clamp(x, -Infinity, 0), 1)));

/** @throws ArgumentError where heads, groups and widths do not divide each other. */
export function checkMamba3(options: Mamba3Options): void {
  const { features, states = 128, inner = 2 * features, headWidth = 64, groups = 1, rotary = 0.5 } = options;
  if (inner % headWidth !== 0) {
    throw new ArgumentError(
      `mamba3: inner is ${inner}, which heads of ${headWidth} do not fill; give a headWidth that divides it`,
    );
  }
  if ((inner / headWidth) % groups !== 0) {
    throw new ArgumentError(
      `mamba3: ${inner / headWidth} heads can't share B and C in ${groups} groups; give groups that divide the heads`,
    );
  }
  if (!(rotary <= 1 && states * rotary >= 2)) {
    throw new ArgumentError(
      `mamba3: of ${states} states the part ${rotary} turns, which makes no pair; give a rotary of ½ or 1 and enough states`,
    );
  }
}

const ones = (shape: Shape): Float64Array => new Float64Array(sizeOf(shape)).fill(1);
