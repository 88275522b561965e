import type { Discretization } from './discretization.ts';
import { generalisedBilinear } from './gbt.ts';

/** Backward difference (implicit Euler): `gbt(1)`, Ā = (I − dt A)⁻¹, B̄ = Ā B dt; f = g = 1/(1 − z). */
export const backwardDifference: Discretization = generalisedBilinear(1, 'backward-difference');
