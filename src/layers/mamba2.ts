import { mambaDtBias, type DtRange, type Random } from '../init/index.ts';
import { ones } from './initialisers.ts';
import { add, clamp, exp, matrixScan, mul, neg } from '../ops/index.ts';
import { normalise, reshape, silu, softplus, split } from '../ops/index.ts';
import { ArgumentError } from '../errors.ts';
import { defineLayer, sizeOf, type Layer, type Signal, type Trace } from '../signal/index.ts';
import { conv1d } from './conv.ts';
import { headsOf } from './heads.ts';
import { linear } from './linear.ts';

/** Configuration of `mamba2`. */
export interface Mamba2Options {
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
  /** `d_conv`; 4. */
  readonly taps?: number;
  /** Bias of `in_proj` and `out_proj`; none. */
  readonly bias?: boolean;
  /** Bias of `conv1d`; there is one. */
  readonly convBias?: boolean;
  /** Range of the initial time steps; 0.001 to 0.1, not below 1e-4. */
  readonly dt?: DtRange;
  /** `dt_limit`: what dt is held between; 0 and ∞, so not at all. */
  readonly dtLimit?: readonly [low: number, high: number];
  /** Range of the initial −A; 1 to 16. */
  readonly aRange?: readonly [low: number, high: number];
  /** Groups that the gated norm takes apart; G, as the official code. transformers 4 and 5 take 1. */
  readonly normGroups?: number | undefined;
  /** Of the gated RMSNorm; 1e-5. */
  readonly eps?: number;
}

/**
 * The Mamba-2 mixer (SSD), as in state-spaces/mamba `mamba2.py`. Norm and residual are outside.
 *
 *     z, xBC, δ = in_proj(u)                   x, B, C = SiLU(causal depthwise conv1d(xBC))
 *     dt = softplus(δ + dt_bias),  A = −exp(A_log)         a number a head
 *     S[k] = e^{dt A} S[k−1] + B (dt x[k])ᵀ,   y = Cᵀ S + D x        a matrix (N × P) a head
 *     out_proj(RMSNorm(y · SiLU(z)))
 *
 * | parameter | shape |
 * | --- | --- |
 * | `in_proj.weight` | (2E + 2GN + H × D): rows of z, x, B, C, dt |
 * | `conv1d.weight`, `.bias` | (E + 2GN × 1 × 4), (E + 2GN) |
 * | `dt_bias`, `A_log`, `D` | (H) |
 * | `norm.weight` | (E) |
 * | `out_proj.weight` | (D × E) |
 *
 * On a stream: causal, no latency, E N + (E + 2GN)(taps − 1) numbers of state. The scan follows dt, but the
 * convolution counts frames, so the layer does not follow another sample rate.
 *
 * Source: Dao & Gu, "Transformers are SSMs: Generalized Models and Efficient Algorithms Through Structured State
 * Space Duality" (arXiv 2405.21060), §7.
 *
 * @throws ArgumentError where heads, groups and widths do not divide each other.
 * @example
 * const model = mamba2({ features: 64, states: 32, headWidth: 16 });
 */
export function mamba2(options: Mamba2Options): Layer {
  mamba2Sizes(options);
  return defineLayer({
    name: 'mamba2',
    features: options.features,
    apply: (trace, x) => mamba2Mixer(trace, x, options),
  });
}

/** The mixer inside another layer's trace. */
export function mamba2Mixer(trace: Trace, u: Signal, options: Mamba2Options): Signal {
  const { features, taps = 4, bias = false, convBias = true, eps = 1e-5 } = options;
  const { dtLimit = [0, Infinity], aRange = [1, 16] } = options;
  const { states, inner, headWidth, groups, normGroups, heads } = mamba2Sizes(options);
  const shared = groups * states;
  const width = inner + 2 * shared;
  const perHead = (x: Signal): Signal => reshape(x, [heads, 1]);

  const projected = linear(trace, u, { name: 'in_proj', outputs: inner + width + heads, bias });
  const [z, xBC, delta] = split(projected, [inner, width, heads]);
  const mixed = silu(
    conv1d(trace, xBC!, { name: 'conv1d', outputs: width, taps, groups: width, bias: convBias }),
  );
  const [x, B, C] = split(mixed, [inner, shared, shared]);

  const dtBias = trace.parameter('dt_bias', [heads], (_shape, random: Random) =>
    mambaDtBias(random, heads, options.dt),
  );
  const step = clamp(softplus(add(delta!, dtBias)), ...dtLimit);
  const dt = mul(step, trace.timeScale());
  const A = neg(
    exp(
      trace.parameter('A_log', [heads], (shape, random: Random) =>
        Float64Array.from({ length: sizeOf(shape) }, () => Math.log(random.uniform(...aRange))),
      ),
    ),
  );
  const v = reshape(x!, [heads, headWidth]);
  const y = matrixScan({
    q: reshape(C!, [groups, states]),
    k: reshape(B!, [groups, states]),
    v: mul(v, perHead(dt)),
    decay: perHead(exp(mul(dt, A))),
  });
  const skipped = add(y, mul(v, perHead(trace.parameter('D', [heads], ones))));
  const gated = mul(reshape(skipped, [inner]), silu(z!));
  const normed = normalise(gated, { groups: normGroups, centre: false, eps });
  const weighted = mul(normed, trace.parameter('norm.weight', [inner], ones));
  return linear(trace, weighted, { name: 'out_proj', outputs: features, bias });
}

/** @throws ArgumentError where heads, groups and widths do not fit each other. */
export function mamba2Sizes(options: Mamba2Options) {
  const { features, states = 128, inner = 2 * features, headWidth = 64, groups = 1 } = options;
  const { normGroups = groups } = options;
  if (inner % normGroups !== 0) {
    throw new ArgumentError(
      `mamba2: the norm's ${normGroups} groups do not divide inner ${inner}; give a divisor`,
    );
  }
  return { states, inner, headWidth, groups, normGroups, heads: headsOf('mamba2', inner, headWidth, groups) };
}
