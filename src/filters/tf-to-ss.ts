import { normalizeTf } from './transfer-function.ts';
import type { Domain, SisoStateSpace, TransferFunction } from './types.ts';

/**
 * Controller canonical form, as scipy's tf2ss: A's first row is -a[1…], ones below the diagonal; B = e1;
 * C = b[1…] - a[1…] b[0]; D = b[0]. As ill-conditioned as b and a are; `zpkToSs` is not.
 *
 * @throws ArgumentError as `normalizeTf`
 * @example tfToSs({ b: [1], a: [1, 3, 2] }, { analog: true }) // A [[-3, -2], [1, 0]], B [1, 0], C [0, 1], D 0
 */
export function tfToSs(tf: TransferFunction, domain: Domain = {}): SisoStateSpace {
  const { b, a } = normalizeTf(tf, 'tfToSs', domain);
  const states = a.length - 1;
  return {
    A: Array.from({ length: states }, (_, row) =>
      Array.from({ length: states }, (_, column) =>
        row === 0 ? 0 - a[column + 1] : Number(column === row - 1),
      ),
    ),
    B: Array.from({ length: states }, (_, row) => Number(row === 0)),
    C: Array.from({ length: states }, (_, column) => b[column + 1] - a[column + 1] * b[0]),
    D: b[0],
  };
}
