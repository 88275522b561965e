import type { Section, TransferFunction } from './types.ts';
import { tfToZpk } from './tf-to-zpk.ts';
import { zpkToSos } from './zpk-to-sos.ts';

/**
 * Factors a digital transfer function (powers of z^-1, as lfilter) into second-order sections.
 * What rounding b and a has already lost cannot be won back: see `conditioning`.
 *
 * @throws ArgumentError for empty, infinite or all-zero coefficients, and for a[0] = 0
 * @example tfToSos({ b: [1], a: [1, -0.5] }) // [[1, 0, 0, 1, -0.5, 0]]
 */
export const tfToSos = (tf: TransferFunction): Section[] => zpkToSos(tfToZpk(tf));
