import { matmul } from '../linalg/real.ts';
import type { Discretization } from './discretization.ts';
import { exactStep } from './exponential.ts';

/**
 * Exponential trapezoidal rule: e^{A dt} for the state, the trapezoidal rule for the integral of the input.
 * For a mode x[k] = e^z x[k−1] + dt b (½ u[k] + ½ e^z u[k−1]): second order where `zoh-euler` is first.
 * Mamba-3 (2025) with its weight λ fixed at ½.
 *
 * The dense form's state is x̃ = x − ½ B dt u, which gives impulse invariance with the first sample of the response
 * halved: L. B. Jackson, "A correction to impulse invariance", IEEE Signal Processing Letters 7 (2000).
 *
 * The method that control engineering calls trapezoidal, or Tustin's, is `bilinear`.
 */
export const trapezoidal: Discretization = {
  name: 'trapezoidal',
  dense(system, dt) {
    const { n, inputs, outputs, B, C, D } = system;
    const { transition } = exactStep(system, dt, 0, 'trapezoidal');
    const kick = B.map((value) => value * dt);
    const feedthrough = matmul(C, kick, outputs, n, inputs);
    return {
      ...system,
      A: transition,
      B: matmul(transition, kick, n, n, inputs),
      C: C.slice(),
      D: D.map((value, i) => value + feedthrough[i] / 2),
    };
  },
  diagonal: {
    name: 'trapezoidal',
    family: { kind: 'exponential', input: 'half' },
    usesPreviousInput: true,
    evaluate(zRe, zIm, out) {
      const growth = Math.exp(zRe);
      const eRe = growth * Math.cos(zIm);
      const eIm = growth * Math.sin(zIm);
      out[0] = out[2] = eRe;
      out[1] = out[3] = eIm;
      out[4] = 0.5;
      out[5] = out[6] = out[7] = 0;
      out[8] = out[10] = eRe / 2;
      out[9] = out[11] = eIm / 2;
    },
  },
};
