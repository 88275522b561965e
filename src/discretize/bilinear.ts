import { ArgumentError } from '../errors.ts';
import type { Discretization } from './discretization.ts';
import { generalisedBilinear } from './gbt.ts';
import { checkStep } from './state-space.ts';

/**
 * Bilinear transform (Tustin; the trapezoidal rule): `gbt(½)`, f = (1 + z/2)/(1 − z/2), g = 1/(1 − z/2).
 * S4 (Gu et al. 2022) equation 3, for which C and D stay as they are; scipy's dense form changes them.
 */
export const bilinear: Discretization = generalisedBilinear(0.5, 'bilinear');

/**
 * The step at which the bilinear transform of a system agrees with the system itself at one frequency:
 * `H(jω) = H̄(e^{jω dt})` for `discretize(system, prewarpedStep(dt, ω), bilinear)`, run at steps of dt.
 *
 * @param dt seconds
 * @param omega rad/s, below the Nyquist frequency π/dt
 * @throws {ArgumentError} on a bad step, or a frequency outside [0, π/dt)
 */
export function prewarpedStep(dt: number, omega: number): number {
  checkStep(dt, 'prewarpedStep');
  if (!(omega >= 0 && omega * dt < Math.PI))
    throw new ArgumentError(
      `prewarpedStep: the frequency is ${omega} rad/s at a step of ${dt} s; ` +
        'it has to be 0 or more and below the Nyquist frequency π/dt',
    );
  return omega * dt === 0 ? dt : (2 / omega) * Math.tan((omega * dt) / 2);
}
