import { ArgumentError } from '../errors.ts';
import { backwardDifference } from './backward-difference.ts';
import { bilinear } from './bilinear.ts';
import type { Discretization } from './discretization.ts';
import { euler } from './euler.ts';
import { foh } from './foh.ts';
import { gbt } from './gbt.ts';
import { impulse } from './impulse.ts';
import type { StateSpace } from './state-space.ts';
import { trapezoidal } from './trapezoidal.ts';
import { zohEuler } from './zoh-euler.ts';
import { zoh } from './zoh.ts';

/** Every method that has no parameter of its own. `gbt(<alpha>)` is the family beside them. */
export const discretizations: readonly Discretization[] = [
  zoh,
  bilinear,
  euler,
  backwardDifference,
  foh,
  impulse,
  zohEuler,
  trapezoidal,
];

const byName = new Map(discretizations.map((method) => [method.name, method]));

/**
 * The method that a configuration or the command line names: `zoh`, `bilinear`, `euler`, `backward-difference`,
 * `foh`, `impulse`, `zoh-euler`, `trapezoidal`, or `gbt(<alpha>)`. `discretizationByName(method.name)` is `method`,
 * for `gbt` an equal one.
 *
 * @throws {ArgumentError} for an unknown name (the message lists the known ones) or an alpha outside 0 … 1
 */
export function discretizationByName(name: string): Discretization {
  const found = byName.get(name);
  if (found) return found;
  const alpha = /^gbt\(([-+.\de]+)\)$/.exec(name)?.[1];
  if (alpha !== undefined) return gbt(Number(alpha));
  throw new ArgumentError(
    `discretization '${name}' is unknown; use one of ${[...byName.keys()].join(', ')} or gbt(<alpha>), alpha 0 … 1`,
  );
}

/**
 * A continuous system at step dt as a discrete one, in the classical convention (see {@link Discretization.dense}).
 *
 * ```ts
 * const discrete = discretize(system, 1 / 48_000, 'bilinear');
 * ```
 *
 * @param dt seconds, finite, 0 or more
 * @param method a method or its name
 * @throws {ArgumentError} on an unknown name, a bad step, matrices that do not fit or are not finite
 */
export function discretize(system: StateSpace, dt: number, method: Discretization | string): StateSpace {
  return (typeof method === 'string' ? discretizationByName(method) : method).dense(system, dt);
}
