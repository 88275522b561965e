/**
 * Initial weights of dense and convolution layers, with the variances of the official frameworks. Each function
 * fills a given array, so that float32 parameters and float64 intermediates are served alike, and returns it.
 *
 * | symbol | meaning |
 * | --- | --- |
 * | fan-in | inputs that one output sums over: columns × kernel |
 * | fan-out | outputs that one input reaches: rows × kernel |
 */
import { ArgumentError } from '../errors.ts';
import type { Random } from './random.ts';

/** Memory that an initialiser fills. */
export type Weights = Float32Array | Float64Array;

/** Fan-in and fan-out. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

/**
 * Fans of a weight in torch's layout: (out × in) for a linear layer, (out × in/groups × kernel …) for a convolution.
 *
 * @throws {ArgumentError} for fewer than two axes: a bias has the fan-in of its weight
 */
export function fans(shape: readonly number[]): Fans {
  if (shape.length < 2)
    throw new ArgumentError(
      `fans: shape [${shape.join(', ')}] has ${shape.length} axes; it takes (out × in × kernel …), and a bias takes ` +
        'the fan-in of its weight',
    );
  const receptive = shape.slice(2).reduce((product, size) => product * size, 1);
  return { fanIn: shape[1] * receptive, fanOut: shape[0] * receptive };
}

/** Uniform in [low, high). */
export function uniform<T extends Weights>(into: T, rng: Random, low: number, high: number): T {
  for (let i = 0; i < into.length; i++) into[i] = rng.uniform(low, high);
  return into;
}

/** Normal. */
export function normal<T extends Weights>(into: T, rng: Random, mean = 0, std = 1): T {
  for (let i = 0; i < into.length; i++) into[i] = rng.normal(mean, std);
  return into;
}

/** Normal of the given std, cut off at ±limit·std and not rescaled (torch `trunc_normal_`, whose cut is absolute). */
export function truncatedNormal<T extends Weights>(into: T, rng: Random, std = 1, limit = 2): T {
  for (let i = 0; i < into.length; i++) into[i] = std * rng.truncatedNormal(limit);
  return into;
}

/**
 * He et al. 2015: uniform within ±√(6 / ((1 + a²) fanIn)), a being the negative slope of the leaky ReLU behind
 * (0: plain ReLU). torch `kaiming_uniform_`.
 */
export function kaimingUniform<T extends Weights>(into: T, rng: Random, fanIn: number, a = 0): T {
  const bound = Math.sqrt(6 / ((1 + a * a) * positive(fanIn, 'kaimingUniform')));
  return uniform(into, rng, -bound, bound);
}

/**
 * The default of torch `nn.Linear` and `nn.Conv1d`, for the weight and for the bias: uniform within ±1/√fanIn
 * (`kaiming_uniform_` with a = √5 comes to just that).
 *
 * ```ts
 * const { fanIn } = fans([64, 32]);
 * const weight = torchDefault(new Float32Array(64 * 32), random(1), fanIn);
 * const bias = torchDefault(new Float32Array(64), random(2), fanIn);
 * ```
 */
export function torchDefault<T extends Weights>(into: T, rng: Random, fanIn: number): T {
  const bound = 1 / Math.sqrt(positive(fanIn, 'torchDefault'));
  return uniform(into, rng, -bound, bound);
}

/** Glorot & Bengio 2010: uniform within ±gain·√(6 / (fanIn + fanOut)). torch `xavier_uniform_`. */
export function xavierUniform<T extends Weights>(into: T, rng: Random, { fanIn, fanOut }: Fans, gain = 1): T {
  const bound = gain * Math.sqrt(6 / positive(fanIn + fanOut, 'xavierUniform'));
  return uniform(into, rng, -bound, bound);
}

/** Glorot & Bengio 2010: normal of std gain·√(2 / (fanIn + fanOut)). torch `xavier_normal_`. */
export function xavierNormal<T extends Weights>(into: T, rng: Random, { fanIn, fanOut }: Fans, gain = 1): T {
  return normal(into, rng, 0, gain * Math.sqrt(2 / positive(fanIn + fanOut, 'xavierNormal')));
}

/** Standard deviation of the standard normal cut off at ±2. */
const STD_CUT_AT_2 = 0.8796256610342398;

/**
 * LeCun 1998: variance 1/fanIn, from a normal cut off at two of its deviations and rescaled for it. jax
 * `lecun_normal`, which S5 uses for B and C; jax counts the second axis from the end as inputs.
 */
export function lecunNormal<T extends Weights>(into: T, rng: Random, fanIn: number): T {
  const std = Math.sqrt(1 / positive(fanIn, 'lecunNormal')) / STD_CUT_AT_2;
  return truncatedNormal(into, rng, std, 2);
}

function positive(fan: number, where: string): number {
  if (!(fan > 0 && fan < Infinity))
    throw new ArgumentError(`${where}: the fan is ${fan}; it has to be above 0, see fans(shape)`);
  return fan;
}
