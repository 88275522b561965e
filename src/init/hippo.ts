/**
 * HiPPO transition matrices and their normal-plus-low-rank form, as state-spaces/s4 `models/s4/s4.py` builds them
 * (`transition`, `rank_correction`, `nplr`). Gu et al. 2020, "HiPPO"; Gu, Goel & Ré 2022, "Efficiently Modeling Long
 * Sequences with Structured State Spaces", appendix C; Gu et al. 2022, "How to Train Your HiPPO".
 *
 * | symbol | meaning | shape |
 * | --- | --- | --- |
 * | A, B | transition: x′ = A x + B u | N × N, N |
 * | P | low-rank part: A + Σᵣ Pᵣ Pᵣᵀ = Re(W) I + a skew-symmetric matrix | rank × N |
 * | W | eigenvalues of that normal matrix, ascending Im | N, or N/2 with Im ≤ 0 |
 * | V | its eigenvectors, in columns, unitary | N × N, or N × N/2 |
 *
 * So A = V (diag(W) − P̃ P̃*) V* with P̃ = V* P, and B̃ = V* B is the input matrix in those coordinates.
 */
import { ArgumentError } from '../errors.ts';
import { complexZeros } from '../linalg/complex.ts';
import type { Complex } from '../linalg/complex.ts';
import { eigHermitian } from '../linalg/eigen.ts';

/** A measure: what history the state is an optimal projection of, and how it is represented. */
interface Measure {
  /** Smallest rank of the correction. */
  readonly rank: number;
  readonly transition: (n: number) => Hippo;
  /** P (rank × N). */
  readonly correction: (n: number) => Float64Array;
}

/** `legs` scaled Legendre, `legt` translated Legendre, `fourier` truncated Fourier (also called `fout`). */
export type HippoMeasure = 'legs' | 'legt' | 'fourier';

/** x′ = A x + B u. */
export interface Hippo {
  readonly A: Float64Array; // (N × N)
  readonly B: Float64Array; // (N)
}

const measures: Record<HippoMeasure, Measure> = {
  legs: {
    rank: 1,
    transition(n) {
      const B = Float64Array.from({ length: n }, (_, i) => Math.sqrt(2 * i + 1));
      const A = new Float64Array(n * n);
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < i; j++) A[i * n + j] = -B[i] * B[j];
        A[i * n + i] = -(i + 1);
      }
      return { A, B };
    },
    correction: (n) => Float64Array.from({ length: n }, (_, i) => Math.sqrt(i + 0.5)),
  },
  legt: {
    rank: 2,
    // The window is [0, 2]: A and B are half of those for [0, 1], "for timescale correctness" in the official code.
    transition(n) {
      const root = Float64Array.from({ length: n }, (_, i) => Math.sqrt(2 * i + 1));
      const A = new Float64Array(n * n);
      for (let i = 0; i < n; i++)
        for (let j = 0; j < n; j++) {
          const sign = i < j && (j - i) % 2 === 1 ? -1 : 1;
          A[i * n + j] = (-sign * root[i] * root[j]) / 2;
        }
      return { A, B: root.map((r) => r / 2) };
    },
    correction(n) {
      const P = new Float64Array(2 * n);
      // Row 0 holds the odd entries, row 1 the even ones.
      for (let i = 0; i < n; i++) P[i % 2 === 1 ? i : n + i] = Math.sqrt(i + 0.5);
      return P;
    },
  },
  fourier: {
    rank: 1,
    transition(n) {
      const B = fourierInput(n);
      const A = new Float64Array(n * n);
      for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) A[i * n + j] = -B[i] * B[j];
      for (let k = 0; 2 * k + 1 < n; k++) {
        // States 2k and 2k + 1 are the cosine and the sine of k half-turns over the window.
        A[2 * k * n + 2 * k + 1] -= Math.PI * k;
        A[(2 * k + 1) * n + 2 * k] += Math.PI * k;
      }
      return { A, B };
    },
    correction: fourierInput,
  },
};

function fourierInput(n: number): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => (i === 0 ? 1 : i % 2 === 0 ? Math.SQRT2 : 0));
}

/** The measures by name. */
export const hippoMeasures = Object.keys(measures) as readonly HippoMeasure[];

/**
 * The transition matrices of a measure.
 *
 * ```ts
 * hippo('legs', 2); // { A: [-1, 0, -√3, -2], B: [1, √3] }
 * ```
 *
 * @param n number of states, even
 * @throws {ArgumentError} for an unknown measure, or an odd n
 */
export function hippo(measure: HippoMeasure, n: number): Hippo {
  return checked(measure, n).transition(n);
}

/** P (rank × n), rows beyond the measure's own rank being 0: A + Σᵣ Pᵣ Pᵣᵀ is normal. */
export function rankCorrection(measure: HippoMeasure, n: number, rank = 0): Float64Array {
  const { rank: own, correction } = checked(measure, n);
  if (rank !== 0 && !(Number.isInteger(rank) && rank >= own))
    throw new ArgumentError(
      `rankCorrection: rank ${rank} for measure '${measure}'; it takes a whole number of at least ${own}`,
    );
  const P = new Float64Array(Math.max(rank, own) * n);
  P.set(correction(n));
  return P;
}

/** The normal part of a HiPPO matrix, A + P Pᵀ = V diag(W) V*. */
export interface HippoEigen {
  /** Eigenvalues, ascending imaginary part (N). */
  readonly W: Complex;
  /** Eigenvectors in columns, unitary, the first component real (N × N). */
  readonly V: Complex;
}

/**
 * All N eigenvalues and eigenvectors of A + P Pᵀ. Their second half conjugates the first in reversed order. S5 starts
 * from blocks of these (`make_DPLR_HiPPO`); V⁻¹ is V*.
 *
 * @throws {ArgumentError} for an unknown measure, or an odd n
 */
export function hippoEigen(measure: HippoMeasure, n: number): HippoEigen {
  const { A } = hippo(measure, n);
  const P = rankCorrection(measure, n);
  const normal = A.slice();
  for (let r = 0; r < P.length; r += n)
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) normal[i * n + j] += P[r + i] * P[r + j];
  let trace = 0;
  for (let i = 0; i < n; i++) trace += normal[i * n + i];
  // Re(W) I + K with K skew: −iK is Hermitian, its eigenvalues are Im(W). Taking (K − Kᵀ)/2 removes the rounding of
  // the sums above from the symmetric part.
  const H = complexZeros(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) H.im[i * n + j] = -(normal[i * n + j] - normal[j * n + i]) / 2;
  const { values, vectors } = eigHermitian(H, n);
  return { W: { re: new Float64Array(n).fill(trace / n), im: values }, V: vectors };
}

/** The diagonal-plus-low-rank form, one of each conjugate pair: A ≅ diag(W) − P P*. */
export interface Nplr {
  /** Im ≤ 0, ascending (N/2). */
  readonly W: Complex;
  /** V* P (rank × N/2). */
  readonly P: Complex;
  /** V* B, its imaginary part clipped (N/2). */
  readonly B: Complex;
  /** Eigenvectors in columns (N × N/2). */
  readonly V: Complex;
}

/**
 * The initialisation of S4: eigenvalues, low-rank part and input matrix in eigenvector coordinates.
 *
 * `bClip` bounds |Im B| (2 in the official code, for stability; Infinity for the exact form). The bound acts on a
 * phase that is fixed by making the first component of every eigenvector real, as LAPACK does.
 *
 * @param n number of states, even; N/2 are kept
 * @throws {ArgumentError} for an unknown measure, an odd n, or a rank below the measure's own
 */
export function nplr(
  measure: HippoMeasure,
  n: number,
  options: { readonly rank?: number; readonly bClip?: number } = {},
): Nplr {
  const { rank = 0, bClip = 2 } = options;
  const half = n / 2;
  const eigen = hippoEigen(measure, n);
  const W = { re: eigen.W.re.slice(0, half), im: eigen.W.im.slice(0, half) };
  const V = complexZeros(n * half);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < half; j++) {
      V.re[i * half + j] = eigen.V.re[i * n + j];
      V.im[i * half + j] = eigen.V.im[i * n + j];
    }
  if (Math.abs(W.im[half - 1]) < 1e-4) {
    // Fourier alone: a double eigenvalue 0 (the constant and its empty partner, states 0 and 1), whose half cannot
    // be told by the sign of Im. The official code takes this vector of the plane.
    W.im[half - 1] = 0;
    for (let i = 0; i < n; i++) V.re[i * half + half - 1] = V.im[i * half + half - 1] = 0;
    V.re[half - 1] = Math.SQRT1_2;
    V.im[half + half - 1] = Math.SQRT1_2;
  }
  const B = project(V, hippo(measure, n).B, n);
  for (let j = 0; j < half; j++) B.im[j] = Math.min(Math.max(B.im[j], -bClip), bClip);
  return { W, P: project(V, rankCorrection(measure, n, rank), n), B, V };
}

/** V* of every row of M (rows × n) → rows × n/2. */
function project(V: Complex, M: Float64Array, n: number): Complex {
  const half = n / 2;
  const rows = M.length / n;
  const out = complexZeros(rows * half);
  for (let r = 0; r < rows; r++)
    for (let i = 0; i < n; i++)
      for (let j = 0; j < half; j++) {
        out.re[r * half + j] += V.re[i * half + j] * M[r * n + i];
        out.im[r * half + j] -= V.im[i * half + j] * M[r * n + i];
      }
  return out;
}

function checked(measure: HippoMeasure, n: number): Measure {
  if (!Object.hasOwn(measures, measure))
    throw new ArgumentError(`hippo: measure '${measure}' is unknown; use one of ${hippoMeasures.join(', ')}`);
  if (!Number.isInteger(n) || n < 2 || n % 2 !== 0)
    throw new ArgumentError(
      `hippo: ${n} states; give an even number of at least 2, since eigenvalues come in conjugate pairs`,
    );
  return measures[measure];
}
