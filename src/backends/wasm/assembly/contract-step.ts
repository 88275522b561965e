// The recurrence of `contract` and its read-out: one definition for blocks and for single frames, so that the same bits
// come out.

import { Scaled, madd, nmadd } from './vector';

// @ts-ignore: decorator
@inline
export function nextRe<S>(a: v128, b: v128, re: v128, im: v128, input: v128): v128 {
  if (isFloat<S>()) return madd(a, re, nmadd(b, im, input));
  return madd(a, re, input);
}

// @ts-ignore: decorator
@inline
export function nextIm<S>(a: v128, b: v128, re: v128, im: v128): v128 {
  if (sizeof<S>() == sizeof<Scaled>()) return madd(a, im, re);
  return madd(a, im, f32x4.mul(b, re));
}

// @ts-ignore: decorator
@inline
export function readOut<S>(c: v128, d: v128, re: v128, im: v128, sum: v128): v128 {
  if (isFloat<S>()) return nmadd(d, im, madd(c, re, sum));
  return madd(c, re, sum);
}
