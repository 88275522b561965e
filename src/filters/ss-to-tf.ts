import { ssToZpk } from './ss-to-zpk.ts';
import type { Domain, SisoStateSpace, TransferFunction } from './types.ts';
import { zpkToTf } from './zpk-to-tf.ts';

/**
 * The transfer function of a system with one input and one output, by its zeros and poles.
 *
 * @throws ArgumentError as `ssToZpk`
 * @example ssToTf({ A: [[-1]], B: [1], C: [2], D: 0 }, { analog: true }) // { b: [2], a: [1, 1] }
 */
export const ssToTf = (system: SisoStateSpace, domain: Domain = {}): TransferFunction =>
  zpkToTf(ssToZpk(system), domain);
