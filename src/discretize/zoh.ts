import type { Discretization } from './discretization.ts';
import { exactStep } from './exponential.ts';
import { EXP, PHI1, PHI1_PRIME, PHI_LENGTH, phi } from './phi.ts';

const scratch = new Float64Array(PHI_LENGTH);

/**
 * Zero-order hold: exact for an input that is constant over the step.
 * Ā = e^{A dt}, B̄ = ∫₀^dt e^{A s} ds B; for a mode f = e^z, g = φ₁(z) = (e^z − 1)/z.
 * Franklin, Powell & Workman, "Digital Control of Dynamic Systems", 3rd ed.; S4D (Gu et al. 2022).
 *
 * ```ts
 * zoh.dense(doubleIntegrator, 0.5).B; // [0.125, 0.5]
 * ```
 */
export const zoh: Discretization = {
  name: 'zoh',
  dense(system, dt) {
    const { transition, phi1 } = exactStep(system, dt, 1, 'zoh');
    return { ...system, A: transition, B: phi1, C: system.C.slice(), D: system.D.slice() };
  },
  diagonal: {
    name: 'zoh',
    family: { kind: 'exponential', input: 'phi1' },
    evaluate(zRe, zIm, out) {
      phi(zRe, zIm, scratch);
      out[0] = out[2] = scratch[EXP];
      out[1] = out[3] = scratch[EXP + 1];
      out[4] = scratch[PHI1];
      out[5] = scratch[PHI1 + 1];
      out[6] = scratch[PHI1_PRIME];
      out[7] = scratch[PHI1_PRIME + 1];
    },
  },
};
