// Functions of four numbers in float32. Relative error 5e-7 at most where the function itself is well conditioned;
// NaN stays NaN: pmin and pmax give their first argument where it is NaN, at the cost of one instruction.

import { madd, nmadd } from './vector';

/** 1.5 · 2²³: added to a number, it leaves the nearest whole one in the lowest bits. */
const ROUNDING: f32 = 12582912.0;

/** e^r − 1 for |r| ≤ 0.35: r times a polynomial through Chebyshev's nodes, 1.3e-8 off at most. */
// @ts-ignore: decorator
@inline
export function expm1Near(r: v128): v128 {
  let q = madd(r, f32x4.splat(1.3933649995697785e-3), f32x4.splat(8.369155667671437e-3));
  q = madd(r, q, f32x4.splat(4.166646492529356e-2));
  q = madd(r, q, f32x4.splat(0.16666505195758333));
  q = madd(r, q, f32x4.splat(0.5000000013465808));
  q = madd(r, q, f32x4.splat(1.0000000107780402));
  return f32x4.mul(r, q);
}

/** x = n ln 2 + r: r for a whole n; ln 2 in two parts, the first of 9 bits, so that n times it is exact. */
// @ts-ignore: decorator
@inline
function remainder(x: v128, n: v128): v128 {
  return nmadd(n, f32x4.splat(-2.1219444005471377e-4), nmadd(n, f32x4.splat(0.693359375), x));
}

/** e^x, to infinity above 88.7; 0 below −87, where it would be subnormal. */
// @ts-ignore: decorator
@inline
export function exp(x: v128): v128 {
  const held = f32x4.pmin(f32x4.pmax(x, f32x4.splat(-87.33)), f32x4.splat(89));
  const rounded = madd(held, f32x4.splat(1.4426950408889634), f32x4.splat(ROUNDING));
  const r = remainder(held, f32x4.sub(rounded, f32x4.splat(ROUNDING)));
  const near = expm1Near(r);
  // 2 e^r 2^(n−1), since n reaches 128; n = −126 gives 0.
  const scale = i32x4.add(i32x4.shl(rounded, 23), i32x4.splat(0x3f000000));
  const two = f32x4.splat(2);
  return f32x4.mul(madd(two, near, two), scale);
}

/** e^x − 1 for x ≤ 0; −1 below −40. */
// @ts-ignore: decorator
@inline
function expm1Negative(x: v128): v128 {
  const held = f32x4.pmax(x, f32x4.splat(-40));
  const rounded = madd(held, f32x4.splat(1.4426950408889634), f32x4.splat(ROUNDING));
  const r = remainder(held, f32x4.sub(rounded, f32x4.splat(ROUNDING)));
  const scale = i32x4.add(i32x4.shl(rounded, 23), i32x4.splat(0x3f800000));
  return madd(scale, expm1Near(r), f32x4.sub(scale, f32x4.splat(1)));
}

/** 1 / (1 + e^−x) */
// @ts-ignore: decorator
@inline
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))));
}

/** x / (1 + e^−x) */
// @ts-ignore: decorator
@inline
export function silu(x: v128): v128 {
  return f32x4.div(x, f32x4.add(f32x4.splat(1), exp(f32x4.neg(x))));
}

/** −e / (2 + e) with e = e^(−2|x|) − 1, and the sign of x. */
// @ts-ignore: decorator
@inline
export function tanh(x: v128): v128 {
  const sign = v128.and(x, f32x4.splat(-0.0));
  const e = expm1Negative(f32x4.mul(f32x4.abs(x), f32x4.splat(-2)));
  return v128.or(f32x4.div(f32x4.neg(e), f32x4.add(f32x4.splat(2), e)), sign);
}

/** atanh(s) / s for 0 ≤ s² ≤ 1/9: its series to s^14 / 15. */
// @ts-ignore: decorator
@inline
function atanhSeries(square: v128): v128 {
  let p = madd(square, f32x4.splat(1.0 / 15.0), f32x4.splat(1.0 / 13.0));
  p = madd(square, p, f32x4.splat(1.0 / 11.0));
  p = madd(square, p, f32x4.splat(1.0 / 9.0));
  p = madd(square, p, f32x4.splat(1.0 / 7.0));
  p = madd(square, p, f32x4.splat(1.0 / 5.0));
  p = madd(square, p, f32x4.splat(1.0 / 3.0));
  return madd(square, p, f32x4.splat(1));
}

/** max(x, 0) + ln(1 + y) with y = e^−|x| and ln(1 + y) = 2 atanh(y / (2 + y)). */
// @ts-ignore: decorator
@inline
export function softplus(x: v128): v128 {
  const y = exp(f32x4.neg(f32x4.abs(x)));
  const s = f32x4.div(y, f32x4.add(y, f32x4.splat(2)));
  return madd(f32x4.add(s, s), atanhSeries(f32x4.mul(s, s)), f32x4.pmax(x, f32x4.splat(0)));
}

/** x = 2^n m, m from √½ to √2, ln m = 2 atanh((m − 1) / (m + 1)); NaN below 0. */
// @ts-ignore: decorator
@inline
export function log(x: v128): v128 {
  const least = f32x4.splat(1.1754943508222875e-38);
  const isSmall = f32x4.lt(x, least);
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(8388608)), x, isSmall);
  // The exponent of x / √½, whose mantissa is below √½ · 2.
  const shifted = i32x4.sub(scaled, i32x4.splat(0x3f3504f3));
  const exponent = i32x4.shr_s(shifted, 23);
  const m = i32x4.sub(scaled, i32x4.shl(exponent, 23));
  const less = v128.and(isSmall, f32x4.splat(23));
  const n = f32x4.sub(f32x4.convert_i32x4_s(exponent), less);
  const one = f32x4.splat(1);
  const s = f32x4.div(f32x4.sub(m, one), f32x4.add(m, one));
  const near = f32x4.mul(f32x4.add(s, s), atanhSeries(f32x4.mul(s, s)));
  const low = madd(n, f32x4.splat(-2.1219444005471377e-4), near);
  const value = madd(n, f32x4.splat(0.693359375), low);
  // Infinity and NaN are their own logarithms.
  const beyond = v128.not(f32x4.lt(x, f32x4.splat(Infinity)));
  const positive = v128.bitselect(x, value, beyond);
  const isZero = f32x4.eq(x, f32x4.splat(0));
  const edge = v128.bitselect(f32x4.splat(-Infinity), f32x4.splat(NaN), isZero);
  return v128.bitselect(edge, positive, f32x4.le(x, f32x4.splat(0)));
}

/**
 * Φ(x). Φ(−|x|) = t e^(P(s) − x²/2) with t = 1 / (1 + |x| / √8), s = 2t − 1, and P the polynomial through
 * ln(e^(x²/2) Φ(−|x|) / t) at Chebyshev's nodes, of degree 11: 1e-8 off at most.
 */
// @ts-ignore: decorator
@inline
export function normalCdf(x: v128): v128 {
  const one = f32x4.splat(1);
  const t = f32x4.div(one, madd(f32x4.abs(x), f32x4.splat(0.35355339059327373), one));
  const s = f32x4.sub(f32x4.add(t, t), one);
  let p = madd(s, f32x4.splat(-8.728381070000069e-5), f32x4.splat(8.000738088043136e-6));
  p = madd(s, p, f32x4.splat(5.737663733249576e-4));
  p = madd(s, p, f32x4.splat(-2.279109657479239e-4));
  p = madd(s, p, f32x4.splat(-2.288765239919499e-3));
  p = madd(s, p, f32x4.splat(1.7940662494302373e-3));
  p = madd(s, p, f32x4.splat(8.808825369984619e-3));
  p = madd(s, p, f32x4.splat(-9.880019323852351e-3));
  p = madd(s, p, f32x4.splat(-4.6893640560080774e-2));
  p = madd(s, p, f32x4.splat(4.734388761294857e-2));
  p = madd(s, p, f32x4.splat(0.6726431547745512));
  p = madd(s, p, f32x4.splat(-1.3649412722407184));
  const tail = f32x4.mul(t, exp(nmadd(f32x4.mul(x, x), f32x4.splat(0.5), p)));
  const isNegative = f32x4.lt(x, f32x4.splat(0));
  return v128.bitselect(tail, f32x4.sub(one, tail), isNegative);
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
  const square = f32x4.mul(x, x);
  const v = f32x4.mul(x, madd(square, f32x4.splat(0.07135481627159236), f32x4.splat(1.5957691216057308)));
  return f32x4.mul(x, sigmoid(v));
}
