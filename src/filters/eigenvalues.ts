/**
 * Eigenvalues of a real square matrix: balancing (Parlett and Reinsch, Numer. Math. 13, 1969), reduction to
 * Hessenberg form by reflections, Francis's implicit double-shift QR (Golub and Van Loan, Matrix Computations, 4th
 * ed., §§7.4.3, 7.5.6). Written out here because a filter in rad/s needs the balancing, and because a solver
 * without an iteration limit would hang a program on one bad matrix.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | H | the matrix, Hessenberg after the reduction | (n × n) |
 * | lo, hi | the block at work, both inclusive | |
 */
import { ArgumentError } from '../errors.ts';
import { complex } from './complex.ts';
import type { Complex } from './types.ts';

/** Francis's method needs two or three steps an eigenvalue; this many mean that the matrix is not made of numbers. */
const STEPS_PER_EIGENVALUE = 100;

/**
 * A block that is all rounding beside the rest of the matrix (a singular one with a multiple eigenvalue 0, say) need
 * not settle to the ulp of its own entries. After so many steps an ulp of the whole matrix, 1 in size, is enough,
 * which is as backward stable.
 */
const PATIENCE = 30;
const NEGLIGIBLE = 8 * Number.EPSILON;

/**
 * All eigenvalues, with multiplicity, complex ones in exact conjugate pairs. Backward stable for the balanced matrix.
 *
 * @param matrix (n × n) by rows; left as it is
 * @throws ArgumentError for entries that are not finite, or where the iteration does not settle
 * @example eigenvalues([[0, 1], [-1, 0]]) // i, -i
 */
export function eigenvalues(matrix: readonly (readonly number[])[]): Complex[] {
  const H = matrix.map((row) => row.slice());
  const before = scaleToOne(H);
  balance(H);
  // Balancing may shrink the largest entry by many orders of magnitude.
  const after = scaleToOne(H);
  reduceToHessenberg(H);
  return francis(H).map(({ re, im }) => ({ re: re * after * before, im: im * after * before }));
}

/** Divides by a power of two, which is exact, so that the largest entry is from 1 to 2 and no square overflows. */
function scaleToOne(H: number[][]): number {
  let largest = 0;
  for (const value of H.flat()) {
    if (!Number.isFinite(value)) {
      throw new ArgumentError(`eigenvalues: an entry is ${value}: every entry must be a finite number`);
    }
    largest = Math.max(largest, Math.abs(value));
  }
  if (largest === 0) return 1;
  const unit = 2 ** Math.floor(Math.log2(largest));
  for (const row of H) for (let j = 0; j < row.length; j++) row[j] /= unit;
  return unit;
}

/**
 * Scales rows and columns by powers of two until they are of like size: H ← S⁻¹ H S, in place.
 *
 * @returns the diagonal of S (n)
 */
export function balance(H: number[][]): number[] {
  const n = H.length;
  const scales = H.map(() => 1);
  for (let changed = true; changed;) {
    changed = false;
    for (let i = 0; i < n; i++) {
      let [column, row] = [0, 0];
      for (let j = 0; j < n; j++) {
        if (j === i) continue;
        column += Math.abs(H[j][i]);
        row += Math.abs(H[i][j]);
      }
      if (column === 0 || row === 0) continue;
      const factor = 2 ** Math.round(Math.log2(row / column) / 2);
      if (factor === 1 || column * factor + row / factor >= 0.95 * (column + row)) continue;
      changed = true;
      for (let j = 0; j < n; j++) {
        H[j][i] *= factor;
        H[i][j] /= factor;
      }
      scales[i] *= factor;
    }
  }
  return scales;
}

function reduceToHessenberg(H: number[][]): void {
  const n = H.length;
  for (let k = 0; k < n - 2; k++) {
    const reflector = reflectorFor(H.slice(k + 1).map((row) => row[k]));
    if (reflector === undefined) continue;
    reflectRows(H, reflector, k + 1, k, n - 1);
    reflectColumns(H, reflector, k + 1, 0, n - 1);
    for (let i = k + 2; i < n; i++) H[i][k] = 0;
  }
}

function francis(H: number[][]): Complex[] {
  const found: Complex[] = [];
  let hi = H.length - 1;
  for (let steps = 0; hi >= 0;) {
    const lo = startOfBlock(H, hi, steps > PATIENCE ? NEGLIGIBLE * H.length : 0);
    if (lo >= hi - 1) {
      found.push(...(lo === hi ? [complex(H[hi][hi])] : eigenvaluesOfTwo(H, hi)));
      hi = lo - 1;
      steps = 0;
      continue;
    }
    if (++steps > STEPS_PER_EIGENVALUE) {
      throw new ArgumentError(
        `eigenvalues: no eigenvalue after ${STEPS_PER_EIGENVALUE} steps in a matrix of ${H.length} rows: ` +
          `check its entries for numbers of absurd size`,
      );
    }
    doubleShiftStep(H, lo, hi, steps % 10 === 0);
  }
  return found;
}

/**
 * The first row of the unreduced block that ends at `hi`; a subdiagonal entry that rounding would swallow, or not
 * above `slack`, is made 0.
 */
function startOfBlock(H: number[][], hi: number, slack: number): number {
  let lo = hi;
  while (lo > 0) {
    // Where both are 0, the matrix's own size, 1.
    const neighbours = Math.abs(H[lo][lo]) + Math.abs(H[lo - 1][lo - 1]) || 1;
    if (Math.abs(H[lo][lo - 1]) <= Math.max(Number.EPSILON * neighbours, slack)) {
      H[lo][lo - 1] = 0;
      break;
    }
    lo--;
  }
  return lo;
}

function eigenvaluesOfTwo(H: number[][], hi: number): Complex[] {
  const [a, b, c, d] = [H[hi - 1][hi - 1], H[hi - 1][hi], H[hi][hi - 1], H[hi][hi]];
  const half = (a - d) / 2;
  const discriminant = half * half + b * c;
  if (discriminant < 0) {
    const im = Math.sqrt(-discriminant);
    return [complex(d + half, im), complex(d + half, -im)];
  }
  const larger = half + (half < 0 ? -1 : 1) * Math.sqrt(discriminant);
  return [complex(d + larger), complex(larger === 0 ? d : d - (b * c) / larger)];
}

function doubleShiftStep(H: number[][], lo: number, hi: number, exceptional: boolean): void {
  const { re, im } = exceptional ? exceptionalShift(H, hi) : shift(H, hi);
  // First column of (H - σ)(H - σ̄), from differences: where a block is nearly a multiple of 1, squares would cancel.
  const [first, second] = [H[lo][lo] - re, H[lo + 1][lo + 1] - re];
  let bulge = [
    first * first + im * im + H[lo][lo + 1] * H[lo + 1][lo],
    H[lo + 1][lo] * (first + second),
    H[lo + 1][lo] * H[lo + 2][lo + 1],
  ];
  for (let k = lo; k < hi; k++) {
    const reflector = reflectorFor(bulge);
    if (reflector !== undefined) {
      reflectRows(H, reflector, k, Math.max(lo, k - 1), hi);
      reflectColumns(H, reflector, k, lo, Math.min(k + 3, hi));
    }
    if (k > lo) for (let i = k + 1; i < k + bulge.length; i++) H[i][k - 1] = 0;
    bulge = H.slice(k + 1, Math.min(k + 4, hi + 1)).map((row) => row[k]);
  }
}

/**
 * σ of the shifts σ, σ̄: an eigenvalue of the last two rows; of two real ones the nearer to the corner, twice. Both
 * would treat eigenvalues λ and -λ alike, and never part them.
 */
function shift(H: number[][], hi: number): Complex {
  const corner = H[hi][hi];
  const [first, second] = eigenvaluesOfTwo(H, hi);
  return Math.abs(first.re - corner) <= Math.abs(second.re - corner) ? first : second;
}

/** A shift of another kind breaks the rare cycles (a permutation matrix is one): off the corner and the real axis. */
function exceptionalShift(H: number[][], hi: number): Complex {
  const size = Math.abs(H[hi][hi - 1]) + Math.abs(H[hi - 1][hi - 2]);
  return complex(H[hi][hi] + 0.75 * size, 0.66 * size);
}

interface Reflector {
  readonly v: number[];
  readonly beta: number;
}

/** I - beta v vᵀ that turns x into a multiple of e1. */
function reflectorFor(x: readonly number[]): Reflector | undefined {
  const norm = Math.hypot(...x);
  if (norm === 0) return undefined;
  const v = x.map((value) => value / norm);
  v[0] += v[0] < 0 ? -1 : 1;
  return { v, beta: 2 / v.reduce((sum, value) => sum + value * value, 0) };
}

function reflectRows(H: number[][], { v, beta }: Reflector, first: number, from: number, to: number): void {
  for (let j = from; j <= to; j++) {
    let along = 0;
    for (let i = 0; i < v.length; i++) along += v[i] * H[first + i][j];
    for (let i = 0; i < v.length; i++) H[first + i][j] -= beta * along * v[i];
  }
}

function reflectColumns(
  H: number[][],
  { v, beta }: Reflector,
  first: number,
  from: number,
  to: number,
): void {
  for (let i = from; i <= to; i++) {
    let along = 0;
    for (let j = 0; j < v.length; j++) along += v[j] * H[i][first + j];
    for (let j = 0; j < v.length; j++) H[i][first + j] -= beta * along * v[j];
  }
}
