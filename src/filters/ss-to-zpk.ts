/**
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | A, B, C, D | the system | (n × n), (n), (n), 1 |
 * | Q | Householder reflection that leaves C with one entry | (n × n) |
 * | c | that entry | 1 |
 */
import { ArgumentError } from '../errors.ts';
import { balance, eigenvalues } from './eigenvalues.ts';
import type { SisoStateSpace, ZerosPolesGain } from './types.ts';
import { requireFinite } from './validate.ts';

/** What rotations leave of an exact 0, relative to the size of what was rotated. */
const NOISE = 1e-13;

/** The same for the two quantities that may stand for 0: an entry of B, and the new C, a row of A. */
interface Noise {
  readonly b: number;
  readonly c: number;
}

/**
 * Poles are the eigenvalues of A. Zeros are those frequencies at which some input leaves the output at 0: while D is
 * 0 the output's state c·x1 must stay 0, so x1 drops out and what kept it at 0 becomes the new output
 * (Emami-Naeini and Van Dooren, Automatica 18(4), 1982, for one input and one output); once D is not 0 the zeros are
 * the eigenvalues of A - B C / D. The gain is the first Markov parameter that is not 0. The same in s and in z.
 *
 * Error: as of a nonsymmetric eigenvalue problem; a D very much smaller than C (sI - A)^-1 B costs digits of the
 * zeros, which `ssToSos` checks.
 *
 * @throws ArgumentError for shapes that do not fit, values that are not finite, or an output that no input reaches
 * @example ssToZpk({ A: [[-1]], B: [1], C: [2], D: 0 }) // no zeros, pole -1, gain 2
 */
export function ssToZpk({ A, B, C, D }: SisoStateSpace): ZerosPolesGain {
  requireShapes({ A, B, C, D });
  // States of like size first (a controller form in rad/s has entries from 1 to 1e30), so that noise shows as such.
  let a = A.map((row) => row.slice());
  const scales = balance(a);
  let b = B.map((value, i) => value / scales[i]);
  let c = C.map((value, i) => value * scales[i]);
  let d = D;
  const noise: Noise = { b: NOISE * Math.hypot(...b), c: NOISE * Math.hypot(...a.flat()) };
  let gain = 1;
  while (d === 0) {
    const reduced = c.length > 0 ? dropOutputState(a, b, c, noise) : undefined;
    if (reduced === undefined) {
      throw new ArgumentError(
        'ssToZpk: the input never reaches the output (C, C·B, C·A·B … are all 0): check B, C and D',
      );
    }
    gain *= reduced.entry;
    ({ a, b, c, d } = reduced);
  }
  const zeroDynamics = a.map((row, i) => row.map((value, j) => value - (b[i] * c[j]) / d));
  if (!zeroDynamics.every((row) => row.every(Number.isFinite))) {
    throw new ArgumentError(
      `ssToZpk: D is ${d}, too small beside B and C for its zeros to be numbers: set it to 0 if it stands for none`,
    );
  }
  return { zeros: eigenvalues(zeroDynamics), poles: eigenvalues(A), gain: gain * d };
}

function requireShapes({ A, B, C, D }: SisoStateSpace): void {
  const n = A.length;
  if (A.some((row) => row.length !== n) || B.length !== n || C.length !== n) {
    throw new ArgumentError(
      `ssToZpk: A is ${n} × ${A.map((row) => row.length).join('/')}, B ${B.length}, C ${C.length}: ` +
        `for one input and one output give A (n × n), B (n) and C (n)`,
    );
  }
  for (const [i, row] of A.entries()) requireFinite(row, `A[${i}]`, 'ssToZpk');
  requireFinite(B, 'B', 'ssToZpk');
  requireFinite(C, 'C', 'ssToZpk');
  requireFinite([D], 'D', 'ssToZpk');
}

/** One step of the reduction: reflect so that y = entry·x1, then take x1' as the output and drop x1. */
function dropOutputState(A: number[][], B: number[], C: number[], noise: Noise) {
  const norm = Math.hypot(...C);
  if (norm === 0) return undefined;
  // v = C ± |C| e1, Q = I - 2 v vᵀ / vᵀv, C Q = entry e1ᵀ
  const entry = C[0] > 0 ? -norm : norm;
  const v = C.map((value, i) => (i === 0 ? value - entry : value));
  const square = v.reduce((sum, value) => sum + value * value, 0);
  const reflect = (x: readonly number[]) => {
    const along = (2 * x.reduce((sum, value, i) => sum + value * v[i], 0)) / square;
    return x.map((value, i) => value - along * v[i]);
  };
  const rows = A.map(reflect);
  const columns = rows.map((_, j) => reflect(rows.map((row) => row[j])));
  // columns[j][i] is entry (i, j) of Q A Q.
  const b = reflect(B);
  const [first, ...rest] = b;
  const c = columns.slice(1).map((column) => column[0]);
  const a = rest.map((_, i) => columns.slice(1).map((column) => column[i + 1]));
  return {
    entry,
    a,
    b: rest,
    c: Math.hypot(...c) <= noise.c ? c.map(() => 0) : c,
    d: Math.abs(first) <= noise.b ? 0 : first,
  };
}
