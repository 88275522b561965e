/**
 * A polynomial and its derivative in double-double, for finding roots: near a root the value is all cancellation.
 * `p` is in descending powers, `reversed` the same coefficients the other way round.
 */
import { divide, magnitude, multiply, ONE, subtract, ZERO } from './complex.ts';
import { addDouble, scaleDouble, type DoubleDouble } from './double-double.ts';
import type { Complex } from './types.ts';

/** p'(z)/p(z), and whether p(z) is already below the rounding of its own evaluation. */
export function logarithmicDerivative(
  p: readonly number[],
  reversed: readonly number[],
  z: Complex,
): Complex & { atNoise: boolean } {
  const n = p.length - 1;
  const inside = magnitude(z) <= 1;
  const x = inside ? z : divide(ONE, z);
  const { value, derivative, noise } = evaluateTwice(inside ? p : reversed, x);
  const atNoise = magnitude(value) <= noise;
  if (value.re === 0 && value.im === 0) return { ...ZERO, atNoise };
  const quotient = divide(derivative, value);
  if (inside) return { ...quotient, atNoise };
  // With x = 1/z and q the reversed polynomial: p'(z)/p(z) = x (n - x q'(x)/q(x)).
  return { ...multiply(x, subtract({ re: n, im: 0 }, multiply(x, quotient))), atNoise };
}

type DoubleComplex = { readonly re: DoubleDouble; readonly im: DoubleDouble };

/** x · by + plus */
const multiplyAdd = (x: DoubleComplex, by: Complex, plus: DoubleComplex): DoubleComplex => ({
  re: addDouble(addDouble(scaleDouble(x.re, by.re), scaleDouble(x.im, -by.im)), plus.re),
  im: addDouble(addDouble(scaleDouble(x.re, by.im), scaleDouble(x.im, by.re)), plus.im),
});

/** p(x), p'(x) by Horner's rule in double-double, |x| ≤ 1, and a bound of the first one's rounding. */
export function evaluateTwice(p: readonly number[], x: Complex) {
  const size = magnitude(x);
  let value: DoubleComplex = { re: [0, 0], im: [0, 0] };
  let derivative = value;
  let bound = 0;
  for (const coefficient of p) {
    derivative = multiplyAdd(derivative, x, value);
    value = multiplyAdd(value, x, { re: [coefficient, 0], im: [0, 0] });
    bound = bound * size + Math.abs(coefficient);
  }
  return {
    value: { re: value.re[0], im: value.im[0] },
    derivative: { re: derivative.re[0], im: derivative.im[0] },
    noise: Number.EPSILON ** 2 * bound,
  };
}
