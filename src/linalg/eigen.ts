/**
 * Eigenvalues and eigenvectors of a complex Hermitian (or real symmetric) matrix: Householder reduction to a
 * tridiagonal matrix, a diagonal of phases that makes it real, then the implicit QL iteration
 * (Golub & Van Loan, "Matrix Computations", 4th ed., sections 8.3.1 and 8.3.3).
 *
 * Working on the complex matrix itself, and not on the real one of twice the size, keeps the eigenvalues single.
 *
 * | symbol | meaning | shape |
 * | --- | --- | --- |
 * | H | the matrix, H = H* | n × n |
 * | v | Householder vector of a column, reflector I − τ v v* | n |
 * | d, e | diagonal and subdiagonal of the tridiagonal matrix | n, n − 1 |
 * | Vt | eigenvectors, one a row while the work is done (contiguous rotations) | n × n |
 */
import { ArgumentError } from '../errors.ts';
import { complexZeros } from './complex.ts';
import type { Complex } from './complex.ts';

/** What counts as 0 beside a norm of 1: far below rounding, far above the subnormals, whose quotients are coarse. */
const NEGLIGIBLE = 2 ** -900;

/** H = V diag(values) V*, V unitary. */
export interface HermitianEigen {
  /** Eigenvalues, ascending (n). */
  readonly values: Float64Array;
  /** Eigenvectors in the columns (n × n); the first component of each is real and not negative. */
  readonly vectors: Complex;
}

/**
 * Eigendecomposition of a Hermitian matrix. Only its lower triangle is read, and the imaginary part of its
 * diagonal is taken as 0. Errors of the eigenvalues are of the order of 1e-16 times the norm of H.
 *
 * ```ts
 * const { values } = eigHermitian({ re: new Float64Array(4), im: new Float64Array([0, -1, 1, 0]) }, 2); // [-1, 1]
 * ```
 *
 * @throws {ArgumentError} when an entry is NaN or infinite.
 */
export function eigHermitian(H: Complex, n: number): HermitianEigen {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++)
      if (!Number.isFinite(H.re[i * n + j]) || !Number.isFinite(H.im[i * n + j]))
        throw new ArgumentError(
          `eigHermitian: entry (${i}, ${j}) is ${H.re[i * n + j]} + ${H.im[i * n + j]}i; every entry has to be finite`,
        );
  const scaled = hermitianFromLower(H, n);
  const scale = powerOfTwoScale(scaled);
  for (let i = 0; i < n * n; i++) {
    scaled.re[i] *= scale;
    scaled.im[i] *= scale;
  }
  const { d, e, Vt } = tridiagonalise(scaled, n);
  qlImplicit(d, e, Vt, n);

  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => d[a] - d[b]);
  const values = Float64Array.from(order, (i) => d[i] / scale);
  const vectors = complexZeros(n * n);
  order.forEach((row, column) => {
    // An eigenvector is free up to a phase; LAPACK's zheev makes its first component real, and S4's clip of
    // Im(B) depends on that choice. The sign, which LAPACK leaves open, is fixed here.
    const re0 = Vt.re[row * n];
    const im0 = Vt.im[row * n];
    const size = Math.hypot(re0, im0);
    const cos = size > NEGLIGIBLE ? re0 / size : 1;
    const sin = size > NEGLIGIBLE ? -im0 / size : 0;
    for (let i = 0; i < n; i++) {
      const re = Vt.re[row * n + i];
      const im = Vt.im[row * n + i];
      vectors.re[i * n + column] = re * cos - im * sin;
      vectors.im[i * n + column] = re * sin + im * cos;
    }
    vectors.re[column] = size > NEGLIGIBLE ? size : 0;
    vectors.im[column] = 0;
  });
  return { values, vectors };
}

/** a = (Q D) T (Q D)* with T real, tridiagonal: diagonal d, subdiagonal e ≥ 0. Returns (Q D)ᵀ as Vt; overwrites a. */
function tridiagonalise(a: Complex, n: number): { d: Float64Array; e: Float64Array; Vt: Complex } {
  const { re: aRe, im: aIm } = a;
  const tau = new Float64Array(n);
  const reflectors = complexZeros(n * n); // row k holds v of column k
  const pRe = new Float64Array(n);
  const pIm = new Float64Array(n);
  for (let k = 0; k + 2 < n; k++) {
    const vRe = reflectors.re.subarray(k * n, (k + 1) * n);
    const vIm = reflectors.im.subarray(k * n, (k + 1) * n);
    tau[k] = reflector(a, n, k, vRe, vIm);
    if (tau[k] === 0) continue;
    // Rank-two update of the trailing matrix: A ← A − v q* − q v*, p = τ A v, q = p − (τ/2)(v* p) v.
    let inner = 0;
    for (let i = k + 1; i < n; i++) {
      let re = 0;
      let im = 0;
      for (let j = k + 1; j < n; j++) {
        re += aRe[i * n + j] * vRe[j] - aIm[i * n + j] * vIm[j];
        im += aRe[i * n + j] * vIm[j] + aIm[i * n + j] * vRe[j];
      }
      pRe[i] = tau[k] * re;
      pIm[i] = tau[k] * im;
      inner += vRe[i] * pRe[i] + vIm[i] * pIm[i]; // v* A v is real
    }
    const half = (tau[k] / 2) * inner;
    for (let i = k + 1; i < n; i++) {
      pRe[i] -= half * vRe[i];
      pIm[i] -= half * vIm[i];
    }
    for (let i = k + 1; i < n; i++)
      for (let j = k + 1; j < n; j++) {
        aRe[i * n + j] -= vRe[i] * pRe[j] + vIm[i] * pIm[j] + pRe[i] * vRe[j] + pIm[i] * vIm[j];
        aIm[i * n + j] -= vIm[i] * pRe[j] - vRe[i] * pIm[j] + pIm[i] * vRe[j] - pRe[i] * vIm[j];
      }
  }

  // D: every phase is the product of the phases of the subdiagonal before it; the first is 1.
  const d = new Float64Array(n);
  const e = new Float64Array(n);
  const Vt = complexZeros(n * n);
  let phaseRe = 1;
  let phaseIm = 0;
  for (let k = 0; k < n; k++) {
    d[k] = aRe[k * n + k];
    Vt.re[k * n + k] = phaseRe;
    Vt.im[k * n + k] = phaseIm;
    if (k + 1 === n) break;
    const sRe = aRe[(k + 1) * n + k];
    const sIm = aIm[(k + 1) * n + k];
    e[k] = Math.hypot(sRe, sIm);
    if (e[k] < NEGLIGIBLE) {
      e[k] = 0;
      continue;
    }
    const re = (phaseRe * sRe - phaseIm * sIm) / e[k];
    const im = (phaseRe * sIm + phaseIm * sRe) / e[k];
    const unit = Math.hypot(re, im);
    phaseRe = re / unit;
    phaseIm = im / unit;
  }

  // Q = H₀ H₁ …, applied from the last: (I − τ v v*) on every column of Q D, which is a row of Vt.
  for (let k = n - 3; k >= 0; k--) {
    if (tau[k] === 0) continue;
    const vRe = reflectors.re.subarray(k * n, (k + 1) * n);
    const vIm = reflectors.im.subarray(k * n, (k + 1) * n);
    for (let row = k + 1; row < n; row++) {
      let re = 0;
      let im = 0;
      for (let i = k + 1; i < n; i++) {
        re += vRe[i] * Vt.re[row * n + i] + vIm[i] * Vt.im[row * n + i];
        im += vRe[i] * Vt.im[row * n + i] - vIm[i] * Vt.re[row * n + i];
      }
      re *= tau[k];
      im *= tau[k];
      for (let i = k + 1; i < n; i++) {
        Vt.re[row * n + i] -= vRe[i] * re - vIm[i] * im;
        Vt.im[row * n + i] -= vRe[i] * im + vIm[i] * re;
      }
    }
  }
  return { d, e, Vt };
}

/** Builds v for column k (rows k+1 …), writes the reflected column into A, returns τ (0: nothing to reflect). */
function reflector(A: Complex, n: number, k: number, vRe: Float64Array, vIm: Float64Array): number {
  let below = 0;
  let size = 0;
  for (let i = k + 1; i < n; i++) {
    vRe[i] = A.re[i * n + k];
    vIm[i] = A.im[i * n + k];
    const part = Math.hypot(vRe[i], vIm[i]);
    size = Math.hypot(size, part);
    if (i > k + 1) below = Math.max(below, part);
  }
  if (below < NEGLIGIBLE) return 0;
  // x ↦ −e^{iθ}‖x‖ e₁ with θ the phase of x₀: the sum below cannot cancel.
  const first = Math.hypot(vRe[k + 1], vIm[k + 1]);
  const cos = first > NEGLIGIBLE ? vRe[k + 1] / first : 1;
  const sin = first > NEGLIGIBLE ? vIm[k + 1] / first : 0;
  vRe[k + 1] += cos * size;
  vIm[k + 1] += sin * size;
  A.re[(k + 1) * n + k] = -cos * size;
  A.im[(k + 1) * n + k] = -sin * size;
  // v is scaled to unit length, so that squares of tiny columns do not vanish.
  const length = Math.sqrt(2 * size) * Math.sqrt(size + first);
  for (let i = k + 1; i < n; i++) {
    vRe[i] /= length;
    vIm[i] /= length;
  }
  return 2;
}

/** Implicit QL on the tridiagonal matrix (d, e); the plane rotations are applied to the rows of Vt. */
function qlImplicit(d: Float64Array, e: Float64Array, Vt: Complex, n: number): void {
  let norm = 0;
  for (let i = 0; i < n; i++) norm = Math.max(norm, Math.abs(d[i]) + Math.abs(e[i]));
  const floor = Number.EPSILON * Number.EPSILON * norm;
  for (let l = 0; l < n; l++)
    for (let iteration = 0; ; iteration++) {
      let m = l;
      while (m < n - 1) {
        const neighbours = Math.abs(d[m]) + Math.abs(d[m + 1]);
        // After many rounds the test is against the norm: a zero diagonal would never satisfy the relative one.
        const limit = Number.EPSILON * (iteration < 30 ? neighbours : norm);
        if (Math.abs(e[m]) <= Math.max(limit, floor)) break;
        m++;
      }
      if (m === l) break;
      if (iteration === 90)
        throw new ArgumentError(
          `eigHermitian: no convergence for eigenvalue ${l} of ${n}; the matrix is badly scaled, scale it first`,
        );
      // Wilkinson's shift: the eigenvalue of the leading 2 × 2 block that is closer to d[l].
      const ratio = (d[l + 1] - d[l]) / (2 * e[l]);
      const shift = d[l] - e[l] / (ratio + (ratio < 0 ? -1 : 1) * Math.hypot(ratio, 1));
      let g = d[m] - shift;
      let sin = 1;
      let cos = 1;
      let carried = 0;
      let i = m - 1;
      for (; i >= l; i--) {
        const f = sin * e[i];
        const b = cos * e[i];
        const r = Math.hypot(f, g);
        e[i + 1] = r;
        if (r === 0) {
          d[i + 1] -= carried;
          break;
        }
        sin = f / r;
        cos = g / r;
        const base = d[i + 1] - carried;
        const t = (d[i] - base) * sin + 2 * cos * b;
        carried = sin * t;
        d[i + 1] = base + carried;
        g = cos * t - b;
        rotate(Vt.re, n, i, cos, sin);
        rotate(Vt.im, n, i, cos, sin);
      }
      if (i < l) {
        d[l] -= carried;
        e[l] = g;
      }
      e[m] = 0;
    }
}

/** Rows i and i + 1 of M ← (cos·Mᵢ − sin·Mᵢ₊₁, sin·Mᵢ + cos·Mᵢ₊₁). */
function rotate(M: Float64Array, n: number, i: number, cos: number, sin: number): void {
  const upper = i * n;
  const lower = upper + n;
  for (let j = 0; j < n; j++) {
    const a = M[upper + j];
    const b = M[lower + j];
    M[lower + j] = sin * a + cos * b;
    M[upper + j] = cos * a - sin * b;
  }
}

function hermitianFromLower(H: Complex, n: number): Complex {
  const a = complexZeros(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      a.re[i * n + j] = a.re[j * n + i] = H.re[i * n + j];
      if (i === j) continue;
      a.im[i * n + j] = H.im[i * n + j];
      a.im[j * n + i] = -H.im[i * n + j];
    }
  return a;
}

/** The power of two that brings the largest entry near 1: nothing below can overflow or fade into subnormals. */
function powerOfTwoScale(a: Complex): number {
  let largest = 0;
  for (let i = 0; i < a.re.length; i++) largest = Math.max(largest, Math.abs(a.re[i]), Math.abs(a.im[i]));
  if (largest === 0) return 1;
  return 2 ** Math.min(Math.max(-Math.floor(Math.log2(largest)), -1000), 1000);
}
