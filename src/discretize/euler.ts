import type { Discretization } from './discretization.ts';
import { generalisedBilinear } from './gbt.ts';

/** Forward Euler: `gbt(0)`, Ā = I + dt A, B̄ = dt B; f = 1 + z, g = 1. Stable only while |1 + z| ≤ 1. */
export const euler: Discretization = generalisedBilinear(0, 'euler');
