import { ArgumentError } from '../errors.ts';
import { matmul } from '../linalg/real.ts';
import type { Discretization } from './discretization.ts';
import { exactStep } from './exponential.ts';

/**
 * Impulse invariance: the discrete impulse response is dt times the sampled continuous one.
 * Ā = e^{A dt}, B̄ = Ā B dt, D̄ = C B dt; for a mode f = g = e^z. scipy `cont2discrete(method='impulse')`.
 *
 * A continuous feedthrough D is an impulse of its own that no sample can show, so it has to be 0.
 */
export const impulse: Discretization = {
  name: 'impulse',
  dense(system, dt) {
    const { n, inputs, outputs, B, C, D } = system;
    const { transition } = exactStep(system, dt, 0, 'impulse');
    const bad = D.findIndex((value) => value !== 0);
    if (bad >= 0)
      throw new ArgumentError(
        `impulse: D[${Math.floor(bad / inputs)}, ${bad % inputs}] is ${D[bad]}; impulse invariance is defined for ` +
          'D = 0 alone: pass D = 0 and add the direct path outside, or use zoh, foh or bilinear',
      );
    const kick = B.map((value) => value * dt);
    return {
      ...system,
      A: transition,
      B: matmul(transition, kick, n, n, inputs),
      C: C.slice(),
      D: matmul(C, kick, outputs, n, inputs),
    };
  },
  diagonal: {
    name: 'impulse',
    family: { kind: 'exponential', input: 'exp' },
    evaluate(zRe, zIm, out) {
      const growth = Math.exp(zRe);
      out[0] = out[2] = out[4] = out[6] = growth * Math.cos(zIm);
      out[1] = out[3] = out[5] = out[7] = growth * Math.sin(zIm);
    },
  },
};
