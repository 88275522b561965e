// Functions of one number and of two, element by element over frames that follow each other, in float32.
// Relative error 5e-7 at most where the function itself is well conditioned; NaN stays NaN.

import * as at from '../layout';
import { storeLanes } from './linear';
import { madd, nmadd } from './vector';

/** `count` numbers. Up to three beyond them are read, never written. */
export function unary(code: i32, from: usize, to: usize, count: i32): void {
  for (; count >= 4; count -= 4, from += 16, to += 16) v128.store(to, apply(code, v128.load(from)));
  if (count > 0) storeLanes(to, apply(code, v128.load(from)), count);
}

/** Two inputs of `count` numbers each. */
export function binary(code: i32, a: usize, b: usize, to: usize, count: i32): void {
  for (; count >= 4; count -= 4, a += 16, b += 16, to += 16) {
    v128.store(to, combine(code, v128.load(a), v128.load(b)));
  }
  if (count > 0) storeLanes(to, combine(code, v128.load(a), v128.load(b)), count);
}

/** The same where b is a constant: whole vectors that begin anew after `period` bytes. */
export function binaryConstant(code: i32, a: usize, b: usize, period: usize, to: usize, count: i32): void {
  const end = b + period;
  let c = b;
  for (; count >= 4; count -= 4, a += 16, to += 16) {
    v128.store(to, combine(code, v128.load(a), v128.load(c)));
    c += 16;
    if (c == end) c = b;
  }
  if (count > 0) storeLanes(to, combine(code, v128.load(a), v128.load(c)), count);
}

/** Two signals that broadcast, row by row of the output's frames. */
export function binaryRows(code: i32, d: usize, frames: i32): void {
  const size = load<i32>(d, at.ROWS_SIZE);
  const aMoves = load<i32>(d, at.ROWS_A_MOVES) != 0;
  const bMoves = load<i32>(d, at.ROWS_B_MOVES) != 0;
  const table = load<usize>(d, at.ROWS_TABLE);
  const last = table + (load<usize>(d, at.ROWS_COUNT) << 3);
  let a = load<usize>(d, at.ROWS_A);
  let b = load<usize>(d, at.ROWS_B);
  let to = load<usize>(d, at.ROWS_OUTPUT);
  for (; frames > 0; frames--) {
    for (let row = table; row < last; row += 8) {
      let aAt = a + load<usize>(row);
      let bAt = b + load<usize>(row, 4);
      for (let left = size; left > 0; left -= at.LANES) {
        const x = aMoves ? v128.load(aAt) : v128.load32_splat(aAt);
        const y = bMoves ? v128.load(bAt) : v128.load32_splat(bAt);
        const value = combine(code, x, y);
        const lanes = min(left, at.LANES);
        if (lanes == at.LANES) v128.store(to, value);
        else storeLanes(to, value, lanes);
        to += <usize>lanes << 2;
        if (aMoves) aAt += at.VECTOR;
        if (bMoves) bAt += at.VECTOR;
      }
    }
    a += load<usize>(d, at.ROWS_A_STEP);
    b += load<usize>(d, at.ROWS_B_STEP);
  }
}

function combine(code: i32, a: v128, b: v128): v128 {
  switch (code) {
    case at.ADD:
      return f32x4.add(a, b);
    case at.SUB:
      return f32x4.sub(a, b);
    case at.MUL:
      return f32x4.mul(a, b);
    case at.DIV:
      return f32x4.div(a, b);
    case at.SUB_FROM:
      return f32x4.sub(b, a);
    default:
      return f32x4.div(b, a);
  }
}

function apply(code: i32, x: v128): v128 {
  switch (code) {
    case at.NEG:
      return f32x4.neg(x);
    case at.ABS:
      return f32x4.abs(x);
    case at.SQUARE:
      return f32x4.mul(x, x);
    case at.SQRT:
      return f32x4.sqrt(x);
    case at.RECIPROCAL:
      return f32x4.div(f32x4.splat(1), x);
    case at.EXP:
      return exp(x);
    case at.LOG:
      return log(x);
    case at.TANH:
      return tanh(x);
    case at.RELU:
      return f32x4.max(x, f32x4.splat(0));
    case at.SIGMOID:
      return sigmoid(x);
    case at.SOFTPLUS:
      return softplus(x);
    case at.SILU:
      return f32x4.mul(x, sigmoid(x));
    case at.GELU:
      return f32x4.mul(x, normalCdf(x));
    default:
      return geluTanh(x);
  }
}

/** 2^n for whole n from −126 to 127. */
// @ts-ignore: decorator
@inline
function power(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/** x = n ln 2 + r: r for a whole n; ln 2 in two parts, the first of 9 bits, so that n times it is exact. */
// @ts-ignore: decorator
@inline
function remainder(x: v128, n: v128): v128 {
  return nmadd(n, f32x4.splat(-2.1219444005471377e-4), nmadd(n, f32x4.splat(0.693359375), x));
}

/** e^r − 1 for |r| ≤ 0.35: its series to r^8 / 8! (the first term left out is 2e-10). */
// @ts-ignore: decorator
@inline
function expm1Near(r: v128): v128 {
  let p = madd(r, f32x4.splat(1.0 / 40320.0), f32x4.splat(1.0 / 5040.0));
  p = madd(r, p, f32x4.splat(1.0 / 720.0));
  p = madd(r, p, f32x4.splat(1.0 / 120.0));
  p = madd(r, p, f32x4.splat(1.0 / 24.0));
  p = madd(r, p, f32x4.splat(1.0 / 6.0));
  p = madd(r, p, f32x4.splat(0.5));
  return madd(f32x4.mul(r, r), p, r);
}

// @ts-ignore: decorator
@inline
function halves(x: v128): v128 {
  return f32x4.nearest(f32x4.mul(x, f32x4.splat(1.4426950408889634)));
}

/** e^x, to infinity above 88.7; 0 where it would be subnormal, below −87.3. 2^n in two factors, since n reaches 128. */
export function exp(x: v128): v128 {
  const least = f32x4.splat(-87.33);
  const held = f32x4.min(f32x4.max(x, least), f32x4.splat(89));
  const n = halves(held);
  const p = f32x4.add(f32x4.splat(1), expm1Near(remainder(held, n)));
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  const value = f32x4.mul(f32x4.mul(p, power(half)), power(i32x4.sub(whole, half)));
  return v128.andnot(value, f32x4.lt(x, least));
}

/** 1 / (1 + e^−x) */
export function sigmoid(x: v128): v128 {
  const one = f32x4.splat(1);
  return f32x4.div(one, f32x4.add(one, exp(f32x4.neg(x))));
}

/** −e / (2 + e) with e = e^(−2|x|) − 1, and the sign of x. */
export function tanh(x: v128): v128 {
  const sign = v128.and(x, f32x4.splat(-0.0));
  const z = f32x4.max(f32x4.mul(f32x4.abs(x), f32x4.splat(-2)), f32x4.splat(-40));
  const n = halves(z);
  const scale = power(i32x4.trunc_sat_f32x4_s(n));
  const e = madd(scale, expm1Near(remainder(z, n)), f32x4.sub(scale, f32x4.splat(1)));
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
function softplus(x: v128): v128 {
  const y = exp(f32x4.neg(f32x4.abs(x)));
  const s = f32x4.div(y, f32x4.add(y, f32x4.splat(2)));
  const tail = f32x4.mul(f32x4.add(s, s), atanhSeries(f32x4.mul(s, s)));
  return f32x4.add(f32x4.max(x, f32x4.splat(0)), tail);
}

/** x = 2^n m, m from √½ to √2, ln m = 2 atanh((m − 1) / (m + 1)); NaN below 0. */
function log(x: v128): v128 {
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

/** ½ x (1 + tanh v) = x σ(2v) with v = √(2/π) (x + 0.044715 x³). */
function geluTanh(x: v128): v128 {
  const square = f32x4.mul(x, x);
  const v = f32x4.mul(x, madd(square, f32x4.splat(0.07135481627159236), f32x4.splat(1.5957691216057308)));
  return f32x4.mul(x, sigmoid(v));
}
