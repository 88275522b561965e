/** What the layers of flash-linear-attention share: projections with short convolutions, heads, norms with gates. */
import { ArgumentError } from '../errors.ts';
import { convolution, expand, mul, neg, normalise, reshape, sigmoid, silu, softplus } from '../ops/index.ts';
import { torchDefault, type Random } from '../init/index.ts';
import { sizeOf, type Shape, type Signal, type Trace } from '../signal/index.ts';
import { linear } from './linear.ts';
import { rmsNorm } from './norm.ts';

/** Short convolutions behind projections. */
export interface ShortConvolutions {
  /** `conv_size`, frames; 0 for none (`use_short_conv` false). */
  readonly taps?: number;
  /** `conv_bias`; none. */
  readonly convBias?: boolean;
}

/** `<name>_proj` without bias, and with taps `<name>_conv1d`, a causal convolution of each channel by itself. */
export function project(
  trace: Trace,
  x: Signal,
  name: string,
  outputs: number,
  { taps = 0, convBias = false }: ShortConvolutions = {},
): Signal {
  const y = linear(trace, x, { name: `${name}_proj`, outputs, bias: false });
  if (taps === 0) return y;
  const init = (shape: Shape, random: Random): Float64Array =>
    torchDefault(new Float64Array(sizeOf(shape)), random, taps);
  return convolution(y, trace.parameter(`${name}_conv1d.weight`, [outputs, 1, taps], init), {
    groups: outputs,
    bias: convBias ? trace.parameter(`${name}_conv1d.bias`, [outputs], init) : undefined,
  });
}

/** Two linear layers without anything between them: `<name>.0` (rank × inputs), `<name>.1`. */
export const lowRank = (
  trace: Trace,
  x: Signal,
  { name, rank, outputs, bias }: { name: string; rank: number; outputs: number; bias: boolean },
): Signal =>
  linear(trace, linear(trace, x, { name: `${name}.0`, outputs: rank, bias: false }), {
    name: `${name}.1`,
    outputs,
    bias,
  });

/** (H·D) → (H × D). */
export const inHeads = (x: Signal, heads: number): Signal => reshape(x, [heads, x.width / heads]);

/** (G × D) → (H × D): each of G heads for H/G neighbours. */
export function shareHeads(x: Signal, heads: number): Signal {
  const [groups, width] = x.shape as [number, number];
  if (groups === heads) return x;
  return reshape(expand(reshape(x, [groups, 1, width]), [groups, heads / groups, width]), [heads, width]);
}

/** x / √(Σ x² + 1e-6) of each head (H × D). */
export function l2Normalise(x: Signal): Signal {
  const [heads, width] = x.shape as [number, number];
  // The op takes the mean of squares, the official code their sum.
  return mul(normalise(x, { groups: heads, centre: false, eps: 1e-6 / width }), width ** -0.5);
}

/** ln σ(x), exact for very negative x. */
export const logSigmoid = (x: Signal): Signal => neg(softplus(neg(x)));

export interface GatedNormOptions {
  /** Of the norm's weight: `<name>.weight` (V). */
  readonly name: string;
  readonly eps: number;
  /** As many numbers as the heads have together; none: the norm alone. */
  readonly gate?: Signal | undefined;
  readonly activation?: 'silu' | 'sigmoid';
}

/** RMSNorm of each head (H × V), flat behind it, times the gate. */
export function gatedNorm(
  trace: Trace,
  y: Signal,
  { name, eps, gate, activation = 'silu' }: GatedNormOptions,
): Signal {
  const normed = reshape(rmsNorm(trace, y, name, eps), [y.width]);
  return gate ? mul(normed, activation === 'silu' ? silu(gate) : sigmoid(gate)) : normed;
}

/** ln of numbers uniform between a bound and 16: how fast a head forgets, as `A_log` begins. */
export const logOfUniform = (count: number, least: number, random: Random): Float64Array =>
  Float64Array.from({ length: count }, () => Math.log(random.uniform(least, 16)));

/** @throws ArgumentError where a number of heads does not divide what it has to. */
export function checkDivides(
  layer: string,
  name: string,
  divisor: number,
  what: string,
  whole: number,
): void {
  if (!(
    Number.isSafeInteger(divisor) &&
    divisor >= 1 &&
    Number.isSafeInteger(whole) &&
    whole % divisor === 0
  ))
    throw new ArgumentError(`${layer}: ${name} is ${divisor}; give a divisor of the ${what} ${whole}`);
}
