import type { StateSpace } from './state-space.ts';

/**
 * A way to turn a continuous-time system into a discrete one. A method is data: one object, in a file of its own.
 */
export interface Discretization {
  /** The name by which configurations and the command line know it: `zoh`, `gbt(0.3)`, … */
  readonly name: string;
  /**
   * A dense system at step dt, in the classical convention (control, scipy `cont2discrete`):
   * `y[k] = C̄ x[k] + D̄ u[k]`, then `x[k+1] = Ā x[k] + B̄ u[k]`. Methods that evaluate the input inside the step
   * (bilinear, gbt, backward difference, foh, trapezoidal) change C and D too.
   *
   * @param dt seconds, finite, 0 or more
   * @throws {ArgumentError} on a bad step, matrices that do not fit or are not finite, or a singular implicit step
   */
  dense(system: StateSpace, dt: number): StateSpace;
  /** One diagonal mode x′ = a x + b u, in the layers' convention. */
  readonly diagonal: DiagonalMethod;
}

/**
 * One diagonal mode at z = dt·a, in the layers' convention (S4, S5, Mamba: the output sees the current input,
 * C and D are untouched):
 *
 *     x[k] = f(z) x[k−1] + dt·g(z)·b·u[k] + dt·gPrevious(z)·b·u[k−1]
 *
 * The last term exists where `usesPreviousInput` says so.
 */
export interface DiagonalMethod {
  readonly name: string;
  /** Which family of numbers a backend has to compute: f and g follow from it. */
  readonly family: DiagonalFamily;
  /** Whether the previous input has a weight of its own (foh, trapezoidal). */
  readonly usesPreviousInput?: boolean;
  /**
   * Writes f, g and their complex derivatives with respect to z, allocating nothing:
   * `[fRe, fIm, f′Re, f′Im, gRe, gIm, g′Re, g′Im]`, and where `usesPreviousInput`, at 8 to 11,
   * `[gPreviousRe, gPreviousIm, gPrevious′Re, gPrevious′Im]`.
   *
   * @param out 8 entries, 12 where `usesPreviousInput`
   */
  evaluate(zRe: number, zIm: number, out: Float64Array): void;
}

/**
 * - `rational`: f = (1 + (1 − α) z) / (1 − α z), g = 1 / (1 − α z).
 * - `exponential`: f = e^z, and g, the weight of the current input:
 *
 * | input | g | gPrevious |
 * | --- | --- | --- |
 * | `phi1` | (e^z − 1)/z | |
 * | `one` | 1 | |
 * | `exp` | e^z | |
 * | `phi2` | (e^z − 1 − z)/z² | φ₁ − φ₂ |
 * | `half` | ½ | ½ e^z |
 */
export type DiagonalFamily =
  | { readonly kind: 'rational'; readonly alpha: number }
  | { readonly kind: 'exponential'; readonly input: 'phi1' | 'one' | 'exp' | 'phi2' | 'half' };
