import type { StateSpace } from '../../src/discretize/state-space.ts';

/**
 * Runs a discrete system over an input by the classical recurrence `y[k] = C x[k] + D u[k]`, then
 * `x[k+1] = A x[k] + B u[k]`, x[0] = 0: scipy `dlsim`. An oracle: slow and obvious.
 * `x` has the states that the outputs saw, `last` the one after the last update.
 */
export function dlsim(
  { n, inputs, outputs, A, B, C, D }: StateSpace,
  u: ArrayLike<number>, // (frames × inputs)
): { y: Float64Array; x: Float64Array; last: Float64Array } {
  const frames = u.length / inputs;
  const y = new Float64Array(frames * outputs);
  const x = new Float64Array((frames + 1) * n);
  for (let k = 0; k < frames; k++) {
    for (let i = 0; i < outputs; i++) {
      for (let j = 0; j < n; j++) y[k * outputs + i] += C[i * n + j] * x[k * n + j];
      for (let j = 0; j < inputs; j++) y[k * outputs + i] += D[i * inputs + j] * u[k * inputs + j];
    }
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) x[(k + 1) * n + i] += A[i * n + j] * x[k * n + j];
      for (let j = 0; j < inputs; j++) x[(k + 1) * n + i] += B[i * inputs + j] * u[k * inputs + j];
    }
  }
  return { y, x: x.slice(0, frames * n), last: x.slice(frames * n) };
}
