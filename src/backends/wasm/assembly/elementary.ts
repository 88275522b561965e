// e^z − 1 and its kin on four lanes, relative error below 1e-6 (of the modulus where complex).

import { madd, nmadd } from './vector';

/**
 * e^z − 1 = 2^n (e^r − 1) + (2^n − 1) with z = n ln 2 + r, |r| ≤ 0.35, and e^r − 1 by its series to r^7 / 7!
 * (the first term left out is 6e-9). Near 0, n = 0 and nothing cancels. z is held within [−87, 88].
 */
// @ts-ignore: decorator
@inline
export function expm1(z: v128): v128 {
  const held = f32x4.min(f32x4.max(z, f32x4.splat(-87)), f32x4.splat(88));
  const n = f32x4.nearest(f32x4.mul(held, f32x4.splat(1.4426950408889634)));
  // ln 2 in two parts; the first has 9 bits, so that n times it is exact.
  const r = nmadd(n, f32x4.splat(-2.1219444005471377e-4), nmadd(n, f32x4.splat(0.693359375), held));
  let p = madd(r, f32x4.splat(1.0 / 5040.0), f32x4.splat(1.0 / 720.0));
  p = madd(r, p, f32x4.splat(1.0 / 120.0));
  p = madd(r, p, f32x4.splat(1.0 / 24.0));
  p = madd(r, p, f32x4.splat(1.0 / 6.0));
  p = madd(r, p, f32x4.splat(0.5));
  p = madd(f32x4.mul(r, r), p, r);
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return madd(power, p, f32x4.sub(power, f32x4.splat(1)));
}

/** y = q π + 2 r with |r| ≤ π/4: the q of `halfTurn`'s remainder. */
// @ts-ignore: decorator
@inline
export function halfTurns(y: v128): v128 {
  return f32x4.nearest(f32x4.mul(y, f32x4.splat(0.3183098861837907)));
}

/** r = (y − q π) / 2, with π/2 in three parts, the first two short enough that q times them is exact to q = 2^13. */
// @ts-ignore: decorator
@inline
export function halfRemainder(y: v128, q: v128): v128 {
  const half = f32x4.mul(y, f32x4.splat(0.5));
  const r = nmadd(q, f32x4.splat(4.837512969970703e-4), nmadd(q, f32x4.splat(1.5703125), half));
  return nmadd(q, f32x4.splat(7.549789948768648e-8), r);
}

/** sin r for |r| ≤ π/4, series to r^9 / 9!. */
// @ts-ignore: decorator
@inline
export function sinNear(r: v128): v128 {
  const s = f32x4.mul(r, r);
  let p = madd(s, f32x4.splat(1.0 / 362880.0), f32x4.splat(-1.0 / 5040.0));
  p = madd(s, p, f32x4.splat(1.0 / 120.0));
  p = madd(s, p, f32x4.splat(-1.0 / 6.0));
  return madd(f32x4.mul(s, p), r, r);
}

/** cos r for |r| ≤ π/4, series to r^8 / 8!. */
// @ts-ignore: decorator
@inline
export function cosNear(r: v128): v128 {
  const s = f32x4.mul(r, r);
  let p = madd(s, f32x4.splat(1.0 / 40320.0), f32x4.splat(-1.0 / 720.0));
  p = madd(s, p, f32x4.splat(1.0 / 24.0));
  p = madd(s, p, f32x4.splat(-0.5));
  return madd(s, p, f32x4.splat(1));
}
