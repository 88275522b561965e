/**
 * Small dense complex matrices in float64: separate real and imaginary parts, each row-major.
 *
 * | symbol | meaning | shape |
 * | --- | --- | --- |
 * | A | left factor, or matrix of a linear system | r × k, n × n |
 * | B | right factor, or right-hand sides | k × c, n × c |
 * | X | solution of A X = B | n × c |
 */
import { ArgumentError } from '../errors.ts';
import { identity } from './real.ts';

/** Real and imaginary parts of a vector or a row-major matrix. */
export interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** Zeros. */
export function complexZeros(length: number): Complex {
  return { re: new Float64Array(length), im: new Float64Array(length) };
}

/** A (r × k) · B (k × c) → r × c. */
export function complexMatmul(
  A: Complex, // (r × k)
  B: Complex, // (k × c)
  r: number,
  k: number,
  c: number,
): Complex {
  const out = complexZeros(r * c);
  for (let i = 0; i < r; i++)
    for (let p = 0; p < k; p++) {
      const aRe = A.re[i * k + p];
      const aIm = A.im[i * k + p];
      for (let j = 0; j < c; j++) {
        const bRe = B.re[p * c + j];
        const bIm = B.im[p * c + j];
        out.re[i * c + j] += aRe * bRe - aIm * bIm;
        out.im[i * c + j] += aRe * bIm + aIm * bRe;
      }
    }
  return out;
}

/** The conjugate transpose M* of M (r × c) → c × r. */
export function adjoint(M: Complex, r: number, c: number): Complex {
  const out = complexZeros(r * c);
  for (let i = 0; i < r; i++)
    for (let j = 0; j < c; j++) {
      out.re[j * r + i] = M.re[i * c + j];
      out.im[j * r + i] = -M.im[i * c + j];
    }
  return out;
}

/**
 * A^exponent of A (n × n) by repeated squaring; exponent a non-negative integer.
 * S4 needs it for C̃ = (I − Ā^L)ᵀ C (Gu, Goel & Ré 2022, "Efficiently Modeling Long Sequences", algorithm 1).
 */
export function complexPower(A: Complex, n: number, exponent: number): Complex {
  if (!Number.isSafeInteger(exponent) || exponent < 0)
    throw new ArgumentError(
      `complexPower: the exponent is ${exponent}; give a non-negative integer, or solve for an inverse`,
    );
  let result: Complex = { re: identity(n), im: new Float64Array(n * n) };
  let square = A;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = complexMatmul(square, result, n, n, n);
    if (left > 1) square = complexMatmul(square, square, n, n, n);
  }
  return result;
}

/**
 * X of A X = B by LU factorisation with partial pivoting; A and B are left as they are.
 *
 * @throws {ArgumentError} when a pivot is 0 or not finite: A is singular, or holds NaN or infinities.
 */
export function complexSolve(
  A: Complex, // (n × n)
  B: Complex, // (n × columns)
  n: number,
  columns: number,
): Complex {
  const uRe = A.re.slice();
  const uIm = A.im.slice();
  const xRe = B.re.slice();
  const xIm = B.im.slice();
  for (let k = 0; k < n; k++) {
    let pivot = k;
    let largest = -1;
    for (let i = k; i < n; i++) {
      const size = Math.hypot(uRe[i * n + k], uIm[i * n + k]);
      if (size > largest) [largest, pivot] = [size, i];
    }
    if (!(largest > 0 && largest < Infinity))
      throw new ArgumentError(
        `complexSolve: the ${n} × ${n} matrix is singular or not finite (pivot of modulus ${largest} in column ${k}); ` +
          'there is no unique solution, check the matrix or perturb its parameters',
      );
    if (pivot !== k)
      for (const [M, columnsOfM] of [
        [uRe, n],
        [uIm, n],
        [xRe, columns],
        [xIm, columns],
      ] as const) {
        for (let j = 0; j < columnsOfM; j++) {
          const held = M[pivot * columnsOfM + j];
          M[pivot * columnsOfM + j] = M[k * columnsOfM + j];
          M[k * columnsOfM + j] = held;
        }
      }
    // 1/p as conj(p)/|p|², divided twice by |p| so that |p|² cannot overflow or vanish.
    const invRe = uRe[k * n + k] / largest / largest;
    const invIm = -uIm[k * n + k] / largest / largest;
    for (let i = k + 1; i < n; i++) {
      const aRe = uRe[i * n + k];
      const aIm = uIm[i * n + k];
      const fRe = aRe * invRe - aIm * invIm;
      const fIm = aRe * invIm + aIm * invRe;
      for (let j = k + 1; j < n; j++) {
        const pRe = uRe[k * n + j];
        const pIm = uIm[k * n + j];
        uRe[i * n + j] -= fRe * pRe - fIm * pIm;
        uIm[i * n + j] -= fRe * pIm + fIm * pRe;
      }
      for (let j = 0; j < columns; j++) {
        const pRe = xRe[k * columns + j];
        const pIm = xIm[k * columns + j];
        xRe[i * columns + j] -= fRe * pRe - fIm * pIm;
        xIm[i * columns + j] -= fRe * pIm + fIm * pRe;
      }
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    const dRe = uRe[i * n + i];
    const dIm = uIm[i * n + i];
    const size = Math.hypot(dRe, dIm);
    const invRe = dRe / size / size;
    const invIm = -dIm / size / size;
    for (let j = 0; j < columns; j++) {
      let re = xRe[i * columns + j];
      let im = xIm[i * columns + j];
      for (let p = i + 1; p < n; p++) {
        const aRe = uRe[i * n + p];
        const aIm = uIm[i * n + p];
        const vRe = xRe[p * columns + j];
        const vIm = xIm[p * columns + j];
        re -= aRe * vRe - aIm * vIm;
        im -= aRe * vIm + aIm * vRe;
      }
      xRe[i * columns + j] = re * invRe - im * invIm;
      xIm[i * columns + j] = re * invIm + im * invRe;
    }
  }
  return { re: xRe, im: xIm };
}
