import type { Discretization } from './discretization.ts';
import { exactStep } from './exponential.ts';

/**
 * Zero-order hold for A, Euler for B, as Mamba computes it: Ā = e^{A dt}, B̄ = B dt; for a mode f = e^z, g = 1.
 * Gu & Dao 2023, "Mamba"; state-spaces/mamba `selective_scan_ref`. Also aTENNuate's SSM.
 */
export const zohEuler: Discretization = {
  name: 'zoh-euler',
  dense(system, dt) {
    const { transition } = exactStep(system, dt, 0, 'zoh-euler');
    return {
      ...system,
      A: transition,
      B: system.B.map((value) => value * dt),
      C: system.C.slice(),
      D: system.D.slice(),
    };
  },
  diagonal: {
    name: 'zoh-euler',
    family: { kind: 'exponential', input: 'one' },
    evaluate(zRe, zIm, out) {
      const growth = Math.exp(zRe);
      out[0] = out[2] = growth * Math.cos(zIm);
      out[1] = out[3] = growth * Math.sin(zIm);
      out[4] = 1;
      out[5] = out[6] = out[7] = 0;
    },
  },
};
