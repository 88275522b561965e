import { zohEuler } from '../discretize/index.ts';
import { ones, torchUniform } from './initialisers.ts';
import { mambaDtBias, type DtRange, type Random } from '../init/index.ts';
import { add, dense, diagonalScan, exp, mul, neg, reshape, silu, softplus, split } from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal, type Trace } from '../signal/index.ts';
import { conv1d } from './conv.ts';
import { linear } from './linear.ts';
import { rmsNorm } from './norm.ts';

/** Configuration of `mamba`. */
export interface MambaOptions {
  /** D: `d_model`. */
  readonly features: number;
  /** N: `d_state`; 16. */
  readonly states?: number;
  /** E: `d_inner`; twice the features. */
  readonly inner?: number;
  /** R: `dt_rank`; the features by 16, rounded up. */
  readonly dtRank?: number;
  /** `d_conv`; 4. */
  readonly taps?: number;
  /** Bias of `in_proj` and `out_proj`; none. */
  readonly bias?: boolean;
  /** Bias of `conv1d`; there is one. */
  readonly convBias?: boolean;
  /** Range of the initial time steps; 0.001 to 0.1, not below 1e-4. */
  readonly dt?: DtRange;
  /** RMSNorms on dt, B and C before they are used, with this epsilon, as Jamba has them. */
  readonly innerNorms?: number | undefined;
}

/**
 * The Mamba mixer (S6, selective state space), as in state-spaces/mamba `mamba_simple.py`. Norm and residual are
 * outside.
 *
 *     x, z = in_proj(u)                      x ← SiLU(causal depthwise conv1d(x))
 *     δ, B, C = x_proj(x)                    dt = softplus(dt_proj.weight δ + dt_proj.bias)
 *     h[k] = e^{dt A} h[k−1] + dt B x[k],    A = −exp(A_log)
 *     y = (C h + D x) · SiLU(z)              out_proj(y)
 *
 * | parameter | shape |
 * | --- | --- |
 * | `in_proj.weight` | (2E × D) |
 * | `conv1d.weight`, `.bias` | (E × 1 × 4), (E) |
 * | `x_proj.weight` | (R + 2N × E) |
 * | `dt_proj.weight`, `.bias` | (E × R), (E) |
 * | `A_log`, `D` | (E × N), (E) |
 * | `out_proj.weight` | (D × E) |
 *
 * On a stream: causal, no latency, E (N + taps − 1) numbers of state. Its convolution counts frames, so it does not
 * follow another sample rate.
 *
 * Source: Gu & Dao, "Mamba: Linear-Time Sequence Modeling with Selective State Spaces" (arXiv 2312.00752), alg. 2.
 *
 * @example
 * const model = mamba({ features: 64 });
 */
export function mamba(options: MambaOptions): Layer {
  return defineLayer({
    name: 'mamba',
    features: options.features,
    apply: (trace, x) => mambaMixer(trace, x, options),
  });
}

/** The mixer inside another layer's trace. */
export function mambaMixer(trace: Trace, u: Signal, options: MambaOptions): Signal {
  const { features, inner = 2 * features, bias = false } = options;
  const [x, z] = split(linear(trace, u, { name: 'in_proj', outputs: 2 * inner, bias }), [inner, inner]);
  return linear(trace, selectiveBranch(trace, x!, z!, options), {
    name: 'out_proj',
    outputs: features,
    bias,
  });
}

/**
 * What stands between the projections: convolution, selective scan and gate. `mark` is put into the parameters' names
 * where a layer has two of it (`conv1d_b`, `A_b_log`).
 */
export function selectiveBranch(
  trace: Trace,
  input: Signal,
  z: Signal,
  options: MambaOptions,
  mark = '',
): Signal {
  const {
    features,
    states = 16,
    inner = 2 * features,
    dtRank = Math.ceil(features / 16),
    taps = 4,
  } = options;
  const { convBias = true, innerNorms } = options;
  const norm = (x: Signal, name: string): Signal =>
    innerNorms === undefined ? x : rmsNorm(trace, x, name, innerNorms);

  const x = silu(
    conv1d(trace, input, { name: `conv1d${mark}`, outputs: inner, taps, groups: inner, bias: convBias }),
  );
  const [delta, B, C] = split(
    linear(trace, x, { name: `x_proj${mark}`, outputs: dtRank + 2 * states, bias: false }),
    [dtRank, states, states],
  );
  const dtWeight = trace.parameter(`dt_proj${mark}.weight`, [inner, dtRank], torchUniform(dtRank));
  const dtBias = trace.parameter(`dt_proj${mark}.bias`, [inner], (_shape, random: Random) =>
    mambaDtBias(random, inner, options.dt),
  );
  const dt = softplus(dense(norm(delta!, 'dt_layernorm'), dtWeight, dtBias));

  const A = neg(exp(trace.parameter(`A${mark}_log`, [inner, states], logOfCounts)));
  const D = trace.parameter(`D${mark}`, [inner], ones);
  const h = diagonalScan(x, {
    a: A,
    b: reshape(norm(B!, 'b_layernorm'), [1, states]),
    c: reshape(norm(C!, 'c_layernorm'), [1, states]),
    dt: mul(dt, trace.timeScale()),
    method: zohEuler.diagonal,
  });
  return mul(add(h, mul(x, D)), silu(z));
}

/** ln 1 … ln N in every row: A starts as −1 … −N, S4D's real initialisation. */
const logOfCounts = (shape: Shape): Float64Array =>
  Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.log(1 + (i % shape[1]!)));
