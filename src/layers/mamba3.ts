import { ArgumentError } from '../errors.ts';
import { ones } from './initialisers.ts';
import { mambaDtBias, type DtRange, type Random } from '../init/index.ts';
import { add, clamp, mul, neg, normalise, reciprocal, relu, reshape } from '../ops/index.ts';
import { sigmoid, silu, softplus, split, sub, tanh } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal, type Trace } from '../signal/index.ts';
import { headsOf } from './heads.ts';
import { linear } from './linear.ts';
import { rmsNorm } from './norm.ts';
import { trapezoidalScan } from './trapezoidal-scan.ts';

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
  mamba3Sizes(options);
  return defineLayer({
    name: 'mamba3',
    features: options.features,
    sampleRate: options.sampleRate,
    apply: (trace, x) => mamba3Mixer(trace, x, options),
  });
}

/** The mixer inside another layer's trace. */
export function mamba3Mixer(trace: Trace, u: Signal, options: Mamba3Options): Signal {
  const { features, groups = 1, norm = false, decay = heavyTail, decayFloor = 1e-4 } = options;
  const { inner, headWidth, heads, states, angles } = mamba3Sizes(options);
  const shared = groups * states;
  const sizes = [inner, inner, shared, shared, heads, heads, heads, angles];
  const outputs = sizes.reduce((sum, size) => sum + size);
  const projected = linear(trace, u, { name: 'in_proj', outputs, bias: false });
  const [z, x, B, C, delta, a, tau, omega] = split(projected, sizes);

  const dtBias = trace.parameter('dt_bias', [heads], (_shape, random: Random) =>
    mambaDtBias(random, heads, options.dt),
  );
  const dt = mul(softplus(add(delta!, dtBias)), trace.timeScale());
  const perHead = (signal: Signal, name: string): Signal => {
    const normed = reshape(rmsNorm(trace, reshape(signal, [groups, states]), `${name}_norm`), [
      groups,
      1,
      states,
    ]);
    const bias = trace.parameter(`${name}_bias`, [heads, 1, states], ones);
    return reshape(add(normed, reshape(bias, [groups, heads / groups, states])), [heads, states]);
  };
  const v = reshape(x!, [heads, headWidth]);
  const { y } = trapezoidalScan({
    q: perHead(C!, 'C'),
    k: perHead(B!, 'B'),
    v,
    dt,
    logDecay: mul(dt, neg(clamp(decay(a!), decayFloor, Infinity))),
    current: sigmoid(tau!),
    frequency: mul(tanh(reshape(omega!, [1, angles])), Math.PI),
  });
  const skipped = add(y, mul(v, reshape(trace.parameter('D', [heads], ones), [heads, 1])));
  const flat = reshape(skipped, [inner]);
  const normed = norm
    ? mul(normalise(flat, { groups: heads, centre: false }), trace.parameter('norm.weight', [inner], ones))
    : flat;
  return linear(trace, mul(normed, silu(z!)), { name: 'out_proj', outputs: features, bias: false });
}

/** @throws ArgumentError where heads, groups and widths do not fit each other. */
export function mamba3Sizes(options: Mamba3Options) {
  const { features, states = 128, inner = 2 * features, headWidth = 64, groups = 1, rotary = 0.5 } = options;
  const angles = Math.floor((states * rotary) / 2);
  if (!(angles >= 1 && rotary <= 1)) {
    throw new ArgumentError(
      `mamba3: of ${states} states the part ${rotary} turns, which makes no pair; give a rotary of ½ or 1 and enough states`,
    );
  }
  return { states, inner, headWidth, angles, heads: headsOf('mamba3', inner, headWidth, groups) };
}

/** 1 + x for x ≥ 0, 1 / (1 − x) below: positive, and slow to vanish. */
export const heavyTail = (x: Signal): Signal => sub(relu(x), reciprocal(sub(clamp(x, -Infinity, 0), 1)));
