// e^z − 1 and its kin on four lanes, relative error below 1e-6 (of the modulus where complex).

import { constant, demote, madd, nmadd, promoteHigh } from './vector';
import { constant2 } from './wide';

const LEAST: v128 = constant(-87);
const MOST: v128 = constant(88);
const LOG2E: v128 = constant(1.4426950408889634);
const LN2_LOW: v128 = constant(-2.1219444005471377e-4);
const LN2_HIGH: v128 = constant(0.693359375);
const E7: v128 = constant(1.0 / 5040.0);
const E6: v128 = constant(1.0 / 720.0);
const E5: v128 = constant(1.0 / 120.0);
const E4: v128 = constant(1.0 / 24.0);
const E3: v128 = constant(1.0 / 6.0);
const HALF: v128 = constant(0.5);
const ONE: v128 = constant(1);
const INVERSE_PI: v128 = constant(0.3183098861837907);
const HALF_PI_MIDDLE: v128 = constant(4.837512969970703e-4);
const HALF_PI_HIGH: v128 = constant(1.5703125);
const HALF_PI_LOW: v128 = constant(7.549789948768648e-8);
const S9: v128 = constant(1.0 / 362880.0);
const S7: v128 = constant(-1.0 / 5040.0);
const S3: v128 = constant(-1.0 / 6.0);
const C8: v128 = constant(1.0 / 40320.0);
const C6: v128 = constant(-1.0 / 720.0);
const MINUS_HALF: v128 = constant(-0.5);

/**
 * e^z − 1 = 2^n (e^r − 1) + (2^n − 1) with z = n ln 2 + r, |r| ≤ 0.35, and e^r − 1 by its series to r^7 / 7!
 * (the first term left out is 6e-9). Near 0, n = 0 and nothing cancels. z is held within [−87, 88].
 */
// @ts-ignore: decorator
@inline
export function expm1(z: v128): v128 {
  const held = f32x4.min(f32x4.max(z, LEAST), MOST);
  const n = f32x4.nearest(f32x4.mul(held, LOG2E));
  // ln 2 in two parts; the first has 9 bits, so that n times it is exact.
  const r = nmadd(n, LN2_LOW, nmadd(n, LN2_HIGH, held));
  let p = madd(r, E7, E6);
  p = madd(r, p, E5);
  p = madd(r, p, E4);
  p = madd(r, p, E3);
  p = madd(r, p, HALF);
  p = madd(f32x4.mul(r, r), p, r);
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
  return madd(power, p, f32x4.sub(power, ONE));
}

/** y = q π + 2 r with |r| ≤ π/4: the q of `halfTurn`'s remainder. */
// @ts-ignore: decorator
@inline
export function halfTurns(y: v128): v128 {
  return f32x4.nearest(f32x4.mul(y, INVERSE_PI));
}

/** r = (y − q π) / 2, with π/2 in three parts, the first two short enough that q times them is exact to q = 2^13. */
// @ts-ignore: decorator
@inline
export function halfRemainder(y: v128, q: v128): v128 {
  const half = f32x4.mul(y, HALF);
  const r = nmadd(q, HALF_PI_MIDDLE, nmadd(q, HALF_PI_HIGH, half));
  return nmadd(q, HALF_PI_LOW, r);
}

/** sin r for |r| ≤ π/4, series to r^9 / 9!. */
// @ts-ignore: decorator
@inline
export function sinNear(r: v128): v128 {
  const s = f32x4.mul(r, r);
  let p = madd(s, S9, S7);
  p = madd(s, p, E5);
  p = madd(s, p, S3);
  return madd(f32x4.mul(s, p), r, r);
}

/** cos r for |r| ≤ π/4, series to r^8 / 8!. */
// @ts-ignore: decorator
@inline
export function cosNear(r: v128): v128 {
  const s = f32x4.mul(r, r);
  let p = madd(s, C8, C6);
  p = madd(s, p, E4);
  p = madd(s, p, MINUS_HALF);
  return madd(s, p, ONE);
}

/** sin of a quadrant's number and what is left of it, |r| ≤ π/4, from sin r and cos r; cos is that of the next quadrant. */
// @ts-ignore: decorator
@inline
export function inQuadrant(sin: v128, cos: v128, quadrant: v128): v128 {
  const isOdd = i32x4.shr_s(i32x4.shl(quadrant, 31), 31);
  const sign = i32x4.shl(i32x4.shr_u(quadrant, 1), 31);
  return v128.xor(v128.bitselect(cos, sin, isOdd), sign);
}

/** 1.5 · 2⁵²: added to a number, it leaves the nearest whole one in the lowest bits. */
const ROUNDING2: v128 = constant2(6755399441055744.0);
const INVERSE_QUARTER: v128 = constant2(0.6366197723675814);
const QUARTER_HIGH: v128 = constant2(1.5707963267341256);
const QUARTER_LOW: v128 = constant2(6.077100506506192e-11);

/** sin x, or cos x, of four numbers; quarter turns are taken off in float64: 1e-7 off at most up to 1e9. */
// @ts-ignore: decorator
@inline
export function circular(x: v128, isCos: bool): v128 {
  const low = f64x2.promote_low_f32x4(x);
  const high = promoteHigh(x);
  const lowTurns = f64x2.add(f64x2.mul(low, INVERSE_QUARTER), ROUNDING2);
  const highTurns = f64x2.add(f64x2.mul(high, INVERSE_QUARTER), ROUNDING2);
  const r = demote(rest(low, f64x2.sub(lowTurns, ROUNDING2)), rest(high, f64x2.sub(highTurns, ROUNDING2)));
  const quadrant = v128.shuffle<i32>(lowTurns, highTurns, 0, 2, 4, 6);
  return inQuadrant(sinNear(r), cosNear(r), isCos ? i32x4.sub(quadrant, i32x4.splat(-1)) : quadrant);
}

// @ts-ignore: decorator
@inline
function rest(x: v128, turns: v128): v128 {
  return f64x2.sub(f64x2.sub(x, f64x2.mul(turns, QUARTER_HIGH)), f64x2.mul(turns, QUARTER_LOW));
}
