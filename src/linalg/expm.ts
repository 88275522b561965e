/**
 * The matrix exponential by the [13/13] Padé approximant with scaling and squaring:
 * N. J. Higham, "The Scaling and Squaring Method for the Matrix Exponential Revisited",
 * SIAM J. Matrix Anal. Appl. 26 (2005), algorithm 2.3.
 *
 * | symbol | meaning | shape |
 * | --- | --- | --- |
 * | A | exponent, scaled by 2^−s | n × n |
 * | b | numerator of the approximant, b[0] = 1 | 14 |
 * | U, V | its odd and even parts: e^A ≈ (V − U)⁻¹ (V + U) | n × n |
 */
import { ArgumentError } from '../errors.ts';
import { identity, matmul, norm1, solve } from './real.ts';

/** The largest 1-norm for which the approximant needs no scaling (Higham 2005, table 2.3). */
const THETA_13 = 5.371920351148152;

/** b[k] = (26 − k)! 13! / (26! k! (13 − k)!): Higham's coefficients over b₀, so that V is exactly I for A = 0. */
const PADE_13 = padeNumerator(13);

function padeNumerator(m: number): Float64Array {
  const b = new Float64Array(m + 1);
  // Exact integers, divided once per coefficient with 140 bits to spare (b[13] is about 2^−56).
  let numerator = 1n;
  let denominator = 1n;
  for (let k = 0; k <= m; k++) {
    b[k] = Number((numerator << 200n) / denominator) / 2 ** 200;
    numerator *= BigInt(m - k);
    denominator *= BigInt((2 * m - k) * (k + 1));
  }
  return b;
}

/**
 * e^A of A (n × n, row-major) → n × n.
 *
 * ```ts
 * expm(new Float64Array([0, 1, 0, 0]), 2); // [1, 1, 0, 1]
 * ```
 *
 * @throws {ArgumentError} when an entry of A is NaN or infinite, or when e^A overflows float64.
 */
export function expm(A: Float64Array, n: number): Float64Array {
  const size = norm1(A, n, n);
  if (!Number.isFinite(size))
    throw new ArgumentError(
      `expm: the ${n} × ${n} matrix has 1-norm ${size}; every entry has to be finite, check the step and the parameters`,
    );
  const squarings = size > THETA_13 ? Math.ceil(Math.log2(size / THETA_13)) : 0;
  let X = pade13(squarings === 0 ? A : scaled(A, 2 ** -squarings), n);
  for (let i = 0; i < squarings; i++) X = matmul(X, X, n, n, n);
  for (let i = 0; i < X.length; i++)
    if (!Number.isFinite(X[i]))
      throw new ArgumentError(
        `expm: e^A overflows float64 (1-norm of A ${size}); take a smaller step or a stable matrix`,
      );
  return X;
}

function pade13(A: Float64Array, n: number): Float64Array {
  const b = PADE_13;
  const I = identity(n);
  const A2 = matmul(A, A, n, n, n);
  const A4 = matmul(A2, A2, n, n, n);
  const A6 = matmul(A4, A2, n, n, n);
  const length = n * n;
  const odd = new Float64Array(length);
  const even = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    odd[i] = b[13] * A6[i] + b[11] * A4[i] + b[9] * A2[i];
    even[i] = b[12] * A6[i] + b[10] * A4[i] + b[8] * A2[i];
  }
  const oddHigh = matmul(A6, odd, n, n, n);
  const V = matmul(A6, even, n, n, n);
  for (let i = 0; i < length; i++) {
    oddHigh[i] += b[7] * A6[i] + b[5] * A4[i] + b[3] * A2[i] + b[1] * I[i];
    V[i] += b[6] * A6[i] + b[4] * A4[i] + b[2] * A2[i] + b[0] * I[i];
  }
  const U = matmul(A, oddHigh, n, n, n);
  const minus = new Float64Array(length);
  const plus = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    minus[i] = V[i] - U[i];
    plus[i] = V[i] + U[i];
  }
  return solve(minus, plus, n, n);
}

function scaled(A: Float64Array, factor: number): Float64Array {
  return A.map((value) => value * factor);
}
