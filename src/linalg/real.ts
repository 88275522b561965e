/**
 * Small dense real matrices in float64, row-major: entry (i, j) of an `r × c` matrix `M` is `M[i * c + j]`.
 *
 * | symbol | meaning | shape |
 * | --- | --- | --- |
 * | A | left factor, or matrix of a linear system | r × k, n × n |
 * | B | right factor, or right-hand sides | k × c, n × c |
 * | X | solution of A X = B | n × c |
 *
 * Meant for state-space systems (n up to a few hundred), not for large-scale work: nothing is blocked or cached.
 */
import { ArgumentError } from '../errors.ts';

/** The n × n identity. */
export function identity(n: number): Float64Array {
  const I = new Float64Array(n * n);
  for (let i = 0; i < n; i++) I[i * n + i] = 1;
  return I;
}

/** A (r × k) · B (k × c) → r × c. */
export function matmul(
  A: Float64Array, // (r × k)
  B: Float64Array, // (k × c)
  r: number,
  k: number,
  c: number,
): Float64Array {
  const out = new Float64Array(r * c);
  for (let i = 0; i < r; i++)
    for (let p = 0; p < k; p++) {
      const a = A[i * k + p];
      if (a === 0) continue;
      for (let j = 0; j < c; j++) out[i * c + j] += a * B[p * c + j];
    }
  return out;
}

/** The transpose of M (r × c) → c × r. */
export function transpose(M: Float64Array, r: number, c: number): Float64Array {
  const out = new Float64Array(r * c);
  for (let i = 0; i < r; i++) for (let j = 0; j < c; j++) out[j * r + i] = M[i * c + j];
  return out;
}

/** The 1-norm (largest column sum of moduli) of M (r × c). */
export function norm1(M: Float64Array, r: number, c: number): number {
  let largest = 0;
  for (let j = 0; j < c; j++) {
    let sum = 0;
    for (let i = 0; i < r; i++) sum += Math.abs(M[i * c + j]);
    // `!(sum <= largest)` instead of `>`: a NaN has to come out as NaN.
    if (!(sum <= largest)) largest = sum;
  }
  return largest;
}

/**
 * X of A X = B by LU factorisation with partial pivoting; A and B are left as they are.
 *
 * ```ts
 * solve(new Float64Array([2, 1, 0, 4]), new Float64Array([4, 8]), 2, 1); // [1, 2]
 * ```
 *
 * @throws {ArgumentError} when a pivot is 0 or not finite: A is singular, or holds NaN or infinities.
 */
export function solve(
  A: Float64Array, // (n × n)
  B: Float64Array, // (n × columns)
  n: number,
  columns: number,
): Float64Array {
  const lu = A.slice();
  const X = B.slice();
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(lu[i * n + k]) > Math.abs(lu[pivot * n + k])) pivot = i;
    const p = lu[pivot * n + k];
    if (p === 0 || !Number.isFinite(p))
      throw new ArgumentError(
        `solve: the ${n} × ${n} matrix is singular or not finite (pivot ${p} in column ${k}); ` +
          'there is no unique solution, check the matrix or perturb its parameters',
      );
    if (pivot !== k) {
      swapRows(lu, n, pivot, k);
      swapRows(X, columns, pivot, k);
    }
    for (let i = k + 1; i < n; i++) {
      const factor = lu[i * n + k] / p;
      if (factor === 0) continue;
      for (let j = k + 1; j < n; j++) lu[i * n + j] -= factor * lu[k * n + j];
      for (let j = 0; j < columns; j++) X[i * columns + j] -= factor * X[k * columns + j];
    }
  }
  for (let i = n - 1; i >= 0; i--)
    for (let j = 0; j < columns; j++) {
      let sum = X[i * columns + j];
      for (let p = i + 1; p < n; p++) sum -= lu[i * n + p] * X[p * columns + j];
      X[i * columns + j] = sum / lu[i * n + i];
    }
  return X;
}

function swapRows(M: Float64Array, columns: number, a: number, b: number): void {
  for (let j = 0; j < columns; j++) {
    const held = M[a * columns + j];
    M[a * columns + j] = M[b * columns + j];
    M[b * columns + j] = held;
  }
}
