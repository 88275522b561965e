/**
 * The plain data that the filter functions take and give.
 *
 * A transfer function's coefficients are in descending powers of s (analog), or in ascending powers of z^-1
 * (digital: `y[k] a[0] = Σ b[i] u[k-i] - Σ a[i] y[k-i]`), as in scipy.signal.
 */

/** A complex number. */
export type Complex = { readonly re: number; readonly im: number };

/** gain · Π (x - zero) / Π (x - pole), x being s (rad/s) or z. Complex roots come in conjugate pairs, both kept. */
export interface ZerosPolesGain {
  zeros: Complex[];
  poles: Complex[];
  gain: number;
}

/** Numerator `b` and denominator `a`. */
export interface TransferFunction {
  b: number[];
  a: number[];
}

/** A second-order section, scipy's row: (b0 + b1 z^-1 + b2 z^-2) / (1 + a1 z^-1 + a2 z^-2); a0 is 1. */
export type Section = readonly [b0: number, b1: number, b2: number, a0: number, a1: number, a2: number];

/** One input, one output: x' = A x + B u (or x[k+1]), y = C x + D u. */
export interface SisoStateSpace {
  /** (states × states), by rows */
  A: number[][];
  /** (states) */
  B: number[];
  /** (states) */
  C: number[];
  D: number;
}

/** Whether a rational function is in s (`analog: true`) or in z (the default). */
export interface Domain {
  readonly analog?: boolean;
}
