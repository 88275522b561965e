// Functions of four numbers in float32. Relative error 5e-7 at most where the function itself is well conditioned;
// NaN stays NaN: pmin and pmax give their first argument where it is NaN, at the cost of one instruction.

import { constant, madd, nmadd, product } from './vector';

const MINUS_TWO: v128 = constant(-2);
const TWO: v128 = constant(2);
const ONE: v128 = constant(1);
const HALF: v128 = constant(0.5);
const SIGN: v128 = constant(-0.0);
/** 1.5 · 2²³: added to a number, it leaves the nearest whole one in the lowest bits. */
const ROUNDING: v128 = constant(12582912.0);
const LN2_LOW: v128 = constant(-2.1219444005471377e-4);
const LN2_HIGH: v128 = constant(0.693359375);
const LOG2E: v128 = constant(1.4426950408889634);
const LEAST_EXP: v128 = constant(-87.33);
const MOST_EXP: v128 = constant(89);
const LEAST_EXPM1: v128 = constant(-40);

// Of (e^r − 1) / r.
const E5: v128 = constant(1.3933649995697785e-3);
const E4: v128 = constant(8.369155667671437e-3);
const E3: v128 = constant(4.166646492529356e-2);
const E2: v128 = constant(0.16666505195758333);
const E1: v128 = constant(0.5000000013465808);
const E0: v128 = constant(1.0000000107780402);

// Of atanh(s) / s.
const A15: v128 = constant(1.0 / 15.0);
const A13: v128 = constant(1.0 / 13.0);
const A11: v128 = constant(1.0 / 11.0);
const A9: v128 = constant(1.0 / 9.0);
const A7: v128 = constant(1.0 / 7.0);
const A5: v128 = constant(1.0 / 5.0);
const A3: v128 = constant(1.0 / 3.0);

// Of the logarithm.
const LEAST_NORMAL: v128 = constant(1.1754943508222875e-38);
const TWO_23: v128 = constant(8388608);
const TWENTY_THREE: v128 = constant(23);
const INFINITE: v128 = constant(Infinity);
const MINUS_INFINITE: v128 = constant(-Infinity);
const NOT_A_NUMBER: v128 = constant(NaN);
const ROOT_HALF: v128 = constant(reinterpret<f32>(0x3f3504f3));

// Of Φ and of its approximation by tanh.
const ROOT_EIGHTH: v128 = constant(0.35355339059327373);
const P11: v128 = constant(-8.728381070000069e-5);
const P10: v128 = constant(8.000738088043136e-6);
const P9: v128 = constant(5.737663733249576e-4);
const P8: v128 = constant(-2.279109657479239e-4);
const P7: v128 = constant(-2.288765239919499e-3);
const P6: v128 = constant(1.7940662494302373e-3);
const P5: v128 = constant(8.808825369984619e-3);
const P4: v128 = constant(-9.880019323852351e-3);
const P3: v128 = constant(-4.6893640560080774e-2);
const P2: v128 = constant(4.734388761294857e-2);
const P1: v128 = constant(0.6726431547745512);
const P0: v128 = constant(-1.3649412722407184);
const TANH_CUBE: v128 = constant(0.07135481627159236);
const TANH_LINE: v128 = constant(1.5957691216057308);

/** e^r − 1 for |r| ≤ 0.35: r times a polynomial through Chebyshev's nodes, 1.3e-8 off at most. */
// @ts-ignore: decorator
@inline
export function expm1Near(r: v128): v128 {
  let q = madd(r, E5, E4);
  q = madd(r, q, E3);
  q = madd(r, q, E2);
  q = madd(r, q, E1);
  q = madd(r, q, E0);
  return f32x4.mul(r, q);
}

/** x = n ln 2 + r: r for a whole n; ln 2 in two parts, the first of 9 bits, so that n times it is exact. */
// @ts-ignore: decorator
@inline
function remainder(x: v128, n: v128): v128 {
  return nmadd(n, LN2_LOW, nmadd(n, LN2_HIGH, x));
}

/** e^x, to infinity above 88.7; 0 below −87, where it would be subnormal. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const held = f32x4.pmin(f32x4.pmax(x, LEAST_EXP), MOST_EXP);
  const rounded = madd(held, LOG2E, ROUNDING);
  const r = remainder(held, f32x4.sub(rounded, ROUNDING));
  const near = expm1Near(r);
  // 2 e^r 2^(n−1), since n reaches 128; n = −126 gives 0.
  const scale = i32x4.add(i32x4.shl(rounded, 23), HALF);
  return f32x4.mul(madd(TWO, near, TWO), scale);
}

/** e^x − 1 for x ≤ 0; −1 below −40. */
// @ts-ignore: decorator
@inline
function expm1Negative(x: v128): v128 {
  const held = f32x4.pmax(x, LEAST_EXPM1);
  const rounded = madd(held, LOG2E, ROUNDING);
  const r = remainder(held, f32x4.sub(rounded, ROUNDING));
  const scale = i32x4.add(i32x4.shl(rounded, 23), ONE);
  return madd(scale, expm1Near(r), f32x4.sub(scale, ONE));
}

/** 1 / (1 + e^−x) */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  return f32x4.div(ONE, f32x4.add(ONE, exp(f32x4.neg(x))));
}

/** x / (1 + e^−x) */
// @ts-ignore: decorator
@inline
export function silu(x: v128): v128 {
  return f32x4.div(x, f32x4.add(ONE, exp(f32x4.neg(x))));
}

/** −e / (2 + e) with e = e^(−2|x|) − 1, and the sign of x. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const sign = v128.and(x, SIGN);
  const e = expm1Negative(f32x4.mul(f32x4.abs(x), MINUS_TWO));
  return v128.or(f32x4.div(f32x4.neg(e), f32x4.add(TWO, e)), sign);
}

/** atanh(s) / s for 0 ≤ s² ≤ 1/9: its series to s^14 / 15. */
// @ts-ignore: decorator
@inline
function atanhSeries(square: v128): v128 {
  let p = madd(square, A15, A13);
  p = madd(square, p, A11);
  p = madd(square, p, A9);
  p = madd(square, p, A7);
  p = madd(square, p, A5);
  p = madd(square, p, A3);
  return madd(square, p, ONE);
}

/** max(x, 0) + ln(1 + y) with y = e^−|x| and ln(1 + y) = 2 atanh(y / (2 + y)). */
// @ts-ignore: decorator
@inline
export function softplus(x: v128): v128 {
  const y = exp(f32x4.neg(f32x4.abs(x)));
  const s = f32x4.div(y, f32x4.add(y, TWO));
  return madd(f32x4.add(s, s), atanhSeries(f32x4.mul(s, s)), f32x4.pmax(x, f32x4.splat(0)));
}

/** x = 2^n m, m from √½ to √2, ln m = 2 atanh((m − 1) / (m + 1)); NaN below 0. */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  const isSmall = f32x4.lt(x, LEAST_NORMAL);
  const scaled = v128.bitselect(f32x4.mul(x, TWO_23), x, isSmall);
  // The exponent of x / √½, whose mantissa is below √½ · 2.
  const shifted = i32x4.sub(scaled, ROOT_HALF);
  const exponent = i32x4.shr_s(shifted, 23);
  const m = i32x4.sub(scaled, i32x4.shl(exponent, 23));
  const less = v128.and(isSmall, TWENTY_THREE);
  const n = f32x4.sub(f32x4.convert_i32x4_s(exponent), less);
  const s = f32x4.div(f32x4.sub(m, ONE), f32x4.add(m, ONE));
  const near = f32x4.mul(f32x4.add(s, s), atanhSeries(f32x4.mul(s, s)));
  const low = madd(n, LN2_LOW, near);
  const value = madd(n, LN2_HIGH, low);
  // Infinity and NaN are their own logarithms.
  const beyond = v128.not(f32x4.lt(x, INFINITE));
  const positive = v128.bitselect(x, value, beyond);
  const isZero = f32x4.eq(x, f32x4.splat(0));
  const edge = v128.bitselect(MINUS_INFINITE, NOT_A_NUMBER, isZero);
  return v128.bitselect(edge, positive, f32x4.le(x, f32x4.splat(0)));
}

/**
 * Φ(x). Φ(−|x|) = t e^(P(s) − x²/2) with t = 1 / (1 + |x| / √8), s = 2t − 1, and P the polynomial through
 * ln(e^(x²/2) Φ(−|x|) / t) at Chebyshev's nodes, of degree 11: 1e-8 off at most.
 */
// @ts-ignore: decorator
@inline
export function normalCdf(x: v128): v128 {
  const t = f32x4.div(ONE, madd(f32x4.abs(x), ROOT_EIGHTH, ONE));
  const s = f32x4.sub(f32x4.add(t, t), ONE);
  let p = madd(s, P11, P10);
  p = madd(s, p, P9);
  p = madd(s, p, P8);
  p = madd(s, p, P7);
  p = madd(s, p, P6);
  p = madd(s, p, P5);
  p = madd(s, p, P4);
  p = madd(s, p, P3);
  p = madd(s, p, P2);
  p = madd(s, p, P1);
  p = madd(s, p, P0);
  const tail = f32x4.mul(t, exp(nmadd(product(x, x), HALF, p)));
  const isNegative = f32x4.lt(x, f32x4.splat(0));
  return v128.bitselect(tail, f32x4.sub(ONE, tail), isNegative);
}

/** x Φ(x) */
// @ts-ignore: decorator
@inline
export function gelu(x: v128): v128 {
  return f32x4.mul(x, normalCdf(x));
}

/** ½ x (1 + tanh v) = x σ(2v) with v = √(2/π) (x + 0.044715 x³). */
// @ts-ignore: decorator
@inline
export function geluTanh(x: v128): v128 {
  const square = product(x, x);
  const v = f32x4.mul(x, madd(square, TANH_CUBE, TANH_LINE));
  return f32x4.mul(x, sigmoid(v));
}
