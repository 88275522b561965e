import type { FloatArray } from '../signal/index.ts';
import type { FlatKalmanSystem, KalmanStep } from './kalman-system.ts';

/** A belief: mean x (n) and covariance P (n × n), changed in place. */
export interface Belief {
  readonly x: FloatArray;
  readonly P: FloatArray;
}

/** Memory for what lies in between, so that a running filter allocates nothing. */
export interface KalmanScratch {
  readonly vector: Float64Array;
  readonly gain: Float64Array;
  readonly matrix: Float64Array;
}

export const kalmanScratch = (n: number): KalmanScratch => ({
  vector: new Float64Array(n),
  gain: new Float64Array(n),
  matrix: new Float64Array(n * n),
});

/** x ← Ā x + B̄ u, P ← Ā P Āᵀ + Q̄ (R. E. Kalman, "A New Approach to Linear Filtering and Prediction Problems", 1960). */
export function predict(
  { n, m }: FlatKalmanSystem,
  { A, B, Q }: KalmanStep,
  { x, P }: Belief,
  { vector, matrix }: KalmanScratch,
  u?: { readonly data: ArrayLike<number>; readonly at: number },
): void {
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += A[i * n + j]! * x[j]!;
    if (u) for (let j = 0; j < m; j++) sum += B[i * m + j]! * u.data[u.at + j]!;
    vector[i] = sum;
    for (let j = 0; j < n; j++) {
      let product = 0;
      for (let k = 0; k < n; k++) product += A[i * n + k]! * P[k * n + j]!;
      matrix[i * n + j] = product;
    }
  }
  for (let i = 0; i < n; i++) {
    x[i] = vector[i]!;
    for (let j = 0; j <= i; j++) {
      let sum = Q[i * n + j]!;
      for (let k = 0; k < n; k++) sum += matrix[i * n + k]! * A[j * n + k]!;
      P[i * n + j] = P[j * n + i] = sum;
    }
  }
}

/**
 * One reading after the other, each as a scalar, since their noises are independent; P in Joseph's form, which stays
 * positive under rounding: K = P cᵀ / (c P cᵀ + r), P ← (I − K c) P (I − K c)ᵀ + r K Kᵀ.
 *
 * @param observed which readings there are; all where absent.
 */
export function correct(
  { n, p, C, R }: FlatKalmanSystem,
  { x, P }: Belief,
  { vector, gain, matrix }: KalmanScratch,
  y: { readonly data: ArrayLike<number>; readonly at: number },
  observed?: { readonly data: ArrayLike<number>; readonly at: number },
): void {
  for (let o = 0; o < p; o++) {
    if (observed && !(observed.data[observed.at + o]! > 0)) continue;
    let spread = R[o]!;
    let innovation = y.data[y.at + o]!;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += P[i * n + j]! * C[o * n + j]!;
      vector[i] = sum;
      spread += C[o * n + i]! * sum;
      innovation -= C[o * n + i]! * x[i]!;
    }
    for (let i = 0; i < n; i++) {
      gain[i] = vector[i]! / spread;
      x[i]! += gain[i]! * innovation;
    }
    // (I − K c) P = P − K (P cᵀ)ᵀ, then the other side of it.
    for (let i = 0; i < n; i++)
      for (let j = 0; j < n; j++) matrix[i * n + j] = P[i * n + j]! - gain[i]! * vector[j]!;
    for (let i = 0; i < n; i++) {
      let along = 0;
      for (let k = 0; k < n; k++) along += matrix[i * n + k]! * C[o * n + k]!;
      for (let j = 0; j <= i; j++) {
        P[i * n + j] = P[j * n + i] = matrix[i * n + j]! - along * gain[j]! + R[o]! * gain[i]! * gain[j]!;
      }
    }
  }
}
