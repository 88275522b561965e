import { matmul } from '../linalg/real.ts';
import type { Discretization } from './discretization.ts';
import { exactStep } from './exponential.ts';
import { EXP, PHI1, PHI1_PRIME, PHI2, PHI2_PRIME, PHI_LENGTH, phi } from './phi.ts';

const scratch = new Float64Array(PHI_LENGTH);

/**
 * First-order hold (triangle hold): exact for an input that is a straight line between frames.
 * For a mode x[k] = e^z x[k−1] + dt b (φ₂(z) u[k] + (φ₁(z) − φ₂(z)) u[k−1]).
 *
 * The dense form has no room for u[k−1]; its state is x̃ = x − φ₂(A dt) B dt u, which folds it into B̄ and D̄ and leaves
 * input and output as they are: scipy `cont2discrete(method='foh')`; Franklin, Powell & Workman, "Digital Control of Dynamic
 * Systems", 3rd ed., pp. 204–206.
 */
export const foh: Discretization = {
  name: 'foh',
  dense(system, dt) {
    const { n, inputs, outputs, C, D } = system;
    const { transition, phi1, phi2 } = exactStep(system, dt, 2, 'foh');
    const advanced = matmul(transition, phi2, n, n, inputs);
    const feedthrough = matmul(C, phi2, outputs, n, inputs);
    return {
      ...system,
      A: transition,
      B: phi1.map((value, i) => value - phi2[i] + advanced[i]),
      C: C.slice(),
      D: D.map((value, i) => value + feedthrough[i]),
    };
  },
  diagonal: {
    name: 'foh',
    family: { kind: 'exponential', input: 'phi2' },
    usesPreviousInput: true,
    evaluate(zRe, zIm, out) {
      phi(zRe, zIm, scratch);
      for (let part = 0; part < 2; part++) {
        out[part] = out[2 + part] = scratch[EXP + part];
        out[4 + part] = scratch[PHI2 + part];
        out[6 + part] = scratch[PHI2_PRIME + part];
        out[8 + part] = scratch[PHI1 + part] - scratch[PHI2 + part];
        out[10 + part] = scratch[PHI1_PRIME + part] - scratch[PHI2_PRIME + part];
      }
    },
  },
};
