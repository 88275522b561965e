/**
 * Step sizes (time scales) of freshly initialised layers.
 *
 * | symbol | meaning | shape |
 * | --- | --- | --- |
 * | dt | step, in the unit of one training frame | count |
 * | log dt | what S4, S4D and S5 store | count |
 * | bias | what Mamba stores: dt = softplus(bias) | count |
 */
import { ArgumentError } from '../errors.ts';
import { inverseSoftplus } from '../math/scalar.ts';
import type { Random } from './random.ts';

/** The range of steps; by default 0.001 … 0.1, as in S4, S5 and Mamba. */
export interface DtRange {
  readonly min?: number;
  readonly max?: number;
}

/**
 * ln dt, uniform between ln min and ln max (count). S4 `log_dt`/`inv_dt`, S5 `log_step`.
 *
 * ```ts
 * const logDt = logUniformDt(random(1), 64); // ln 0.001 … ln 0.1
 * ```
 *
 * @throws {ArgumentError} unless 0 < min ≤ max
 */
export function logUniformDt(rng: Random, count: number, range: DtRange = {}): Float64Array {
  const { min = 1e-3, max = 0.1 } = range;
  if (!(min > 0 && min <= max && max < Infinity))
    throw new ArgumentError(
      `logUniformDt: dt ranges from ${min} to ${max}; both have to be finite, above 0, and in that order`,
    );
  const low = Math.log(min);
  const high = Math.log(max);
  return Float64Array.from({ length: count }, () => low + (high - low) * rng.uniform());
}

/**
 * softplus⁻¹(dt) of log-uniform dt, not below `floor` (count). Mamba `dt_proj.bias`, Mamba-2 and Mamba-3 `dt_bias`
 * (state-spaces/mamba `mamba_simple.py`).
 *
 * @throws {ArgumentError} unless 0 < min ≤ max and floor > 0
 */
export function mambaDtBias(
  rng: Random,
  count: number,
  range: DtRange & { readonly floor?: number } = {},
): Float64Array {
  const { floor = 1e-4 } = range;
  if (!(floor > 0 && floor < Infinity))
    throw new ArgumentError(
      `mambaDtBias: the floor is ${floor}; softplus⁻¹ needs a step above 0, take 1e-4 or so`,
    );
  return logUniformDt(rng, count, range).map((logDt) => inverseSoftplus(Math.max(Math.exp(logDt), floor)));
}
