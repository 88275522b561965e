/**
 * The exact matrices of a step by one matrix exponential, after C. F. Van Loan, "Computing integrals involving the
 * matrix exponential", IEEE Trans. Automatic Control 23 (1978): no A⁻¹, so a singular A (integrators) is no case
 * of its own.
 *
 * | symbol | meaning | shape |
 * | --- | --- | --- |
 * | M | [A dt, B dt / σ, 0; 0, 0, I; 0, 0, 0], its last block for foh alone | n + m or n + 2m |
 * | σ | power of two that keeps B from setting the scale of M | 1 |
 */
import { expm } from '../linalg/expm.ts';
import { norm1 } from '../linalg/real.ts';
import { checkStateSpace, checkStep } from './state-space.ts';
import type { StateSpace } from './state-space.ts';

/** e^{A dt} (n × n) and, for k up to the order asked for, φₖ(A dt) B dt (n × inputs). */
export interface ExactStep {
  readonly transition: Float64Array;
  readonly phi1: Float64Array;
  readonly phi2: Float64Array;
}

/** Computes an exact step; `order` 0: the transition alone, 1: and φ₁, 2: and φ₂. The others are empty. */
export function exactStep(system: StateSpace, dt: number, order: 0 | 1 | 2, where: string): ExactStep {
  checkStep(dt, where);
  checkStateSpace(system, where);
  const { n, inputs: m, A, B } = system;
  const size = n + order * m;
  // The blocks of B are linear in B. A B much larger than A would make expm scale down, and round A away.
  const ratio = (norm1(B, n, m) * dt) / Math.max(1, norm1(A, n, n) * dt);
  const sigma = ratio > 1 && ratio < Infinity ? 2 ** Math.ceil(Math.log2(ratio)) : 1;
  const M = new Float64Array(size * size);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) M[i * size + j] = A[i * n + j] * dt;
    if (order > 0) for (let j = 0; j < m; j++) M[i * size + n + j] = (B[i * m + j] / sigma) * dt;
  }
  if (order === 2) for (let j = 0; j < m; j++) M[(n + j) * size + n + m + j] = 1;
  const E = expm(M, size);
  const block = (column: number, columns: number, factor: number): Float64Array => {
    const out = new Float64Array(n * columns);
    for (let i = 0; i < n; i++)
      for (let j = 0; j < columns; j++) out[i * columns + j] = E[i * size + column + j] * factor;
    return out;
  };
  return {
    transition: block(0, n, 1),
    phi1: block(n, order > 0 ? m : 0, sigma),
    phi2: block(n + m, order > 1 ? m : 0, sigma),
  };
}
