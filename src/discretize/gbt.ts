import { ArgumentError } from '../errors.ts';
import { identity, matmul, solve, transpose } from '../linalg/real.ts';
import type { DiagonalMethod, Discretization } from './discretization.ts';
import { checkStateSpace, checkStep } from './state-space.ts';
import type { StateSpace } from './state-space.ts';

/**
 * Generalised bilinear transform: the input and the state are evaluated at the fraction α of the step.
 * Ā = (I − α dt A)⁻¹ (I + (1 − α) dt A), B̄ = (I − α dt A)⁻¹ B dt; for a mode f = (1 + (1 − α) z)/(1 − α z),
 * g = 1/(1 − α z). In the dense form C̄ = C (I − α dt A)⁻¹ and D̄ = D + α C B̄ too.
 * Zhang, Chen & Chen, "Model reference control based on generalised bilinear transform", 2009; scipy `cont2discrete`.
 *
 * α = 0 is `euler`, ½ `bilinear`, 1 `backward-difference`. For α ≥ ½ a stable system stays stable at any step.
 *
 * ```ts
 * gbt(0.3).name; // 'gbt(0.3)'
 * ```
 *
 * @param alpha 0 … 1
 * @throws {ArgumentError} for any other α
 */
export function gbt(alpha: number): Discretization {
  return generalisedBilinear(alpha, `gbt(${alpha})`);
}

/** `gbt(alpha)` under a name of its own. */
export function generalisedBilinear(alpha: number, name: string): Discretization {
  if (!(alpha >= 0 && alpha <= 1))
    throw new ArgumentError(
      `${name}: alpha is ${alpha}; it is a fraction of the step, so it has to lie between 0 and 1`,
    );
  return { name, dense: (system, dt) => dense(system, dt, alpha, name), diagonal: diagonal(alpha, name) };
}

function dense(system: StateSpace, dt: number, alpha: number, name: string): StateSpace {
  checkStep(dt, name);
  checkStateSpace(system, name);
  const { n, inputs, outputs, A, B, C, D } = system;
  const implicit = identity(n);
  const explicit = identity(n);
  for (let i = 0; i < n * n; i++) {
    implicit[i] -= alpha * dt * A[i];
    explicit[i] += (1 - alpha) * dt * A[i];
  }
  const aBar = solve(implicit, explicit, n, n);
  const bBar = solve(
    implicit,
    B.map((value) => value * dt),
    n,
    inputs,
  );
  const cBar = transpose(solve(transpose(implicit, n, n), transpose(C, outputs, n), n, outputs), n, outputs);
  const feedthrough = matmul(C, bBar, outputs, n, inputs);
  return { ...system, A: aBar, B: bBar, C: cBar, D: D.map((value, i) => value + alpha * feedthrough[i]) };
}

function diagonal(alpha: number, name: string): DiagonalMethod {
  const beta = 1 - alpha;
  return {
    name,
    family: { kind: 'rational', alpha },
    evaluate(zRe, zIm, out) {
      // g = 1/(1 − α z); f = (1 + (1 − α) z) g and not 1 + z g, which cancels where f is small.
      const dRe = 1 - alpha * zRe;
      const dIm = -alpha * zIm;
      const size = dRe * dRe + dIm * dIm;
      const gRe = dRe / size;
      const gIm = -dIm / size;
      const nRe = 1 + beta * zRe;
      const nIm = beta * zIm;
      const squareRe = gRe * gRe - gIm * gIm;
      const squareIm = 2 * gRe * gIm;
      out[0] = nRe * gRe - nIm * gIm;
      out[1] = nRe * gIm + nIm * gRe;
      out[2] = squareRe; // f′ = g²
      out[3] = squareIm;
      out[4] = gRe;
      out[5] = gIm;
      out[6] = alpha * squareRe; // g′ = α g²
      out[7] = alpha * squareIm;
    },
  };
}
