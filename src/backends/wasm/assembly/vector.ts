// Vector helpers. RELAXED is set by the build: 1 lets the processor fuse a multiplication and an addition.

/** Kinds of state. One body serves both: `isFloat<S>()` is decided when compiled. */
export type Real = i32;
export type Complex = f32;
/** Complex, with imaginary parts over Im Ā (`contract`). */
export type Scaled = f64;

/**
 * A constant that is kept in memory and loaded: engines build a literal vector anew wherever it is used, in three
 * instructions, which doubles the cost of a polynomial.
 */
export function constant(x: f32): v128 {
  return f32x4.splat(x);
}

/** 2⁻¹⁰⁰ */
const LEAST: v128 = constant(7.888609052210118e-31);
const LEAST_WIDE: v128 = f64x2.promote_low_f32x4(LEAST);
const TWO_60: v128 = constant(1152921504606846976);
const TWO_20: v128 = constant(1048576);

/** a·b + c */
// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  if (RELAXED) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** c − a·b */
// @ts-ignore: decorator
@inline
export function nmadd(a: v128, b: v128, c: v128): v128 {
  if (RELAXED) return f32x4.relaxed_nmadd(a, b, c);
  return f32x4.sub(c, f32x4.mul(a, b));
}

/**
 * State below 2⁻¹⁰⁰ becomes 0, so that silence does not run on subnormal numbers; NaN stays. Done after as many
 * frames as a mode takes at least from 2⁻¹⁰⁰ to 2⁻¹²⁶, counted from the stream's start, so that chunks never show.
 */
// @ts-ignore: decorator
@inline
export function flushed(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), LEAST));
}

/**
 * a·b, and 0 where that is below 2⁻¹⁰⁰: told by the product of both times 2⁶⁰, so that a signal that decays never makes
 * a subnormal number on the way. NaN and infinities as ever.
 */
// @ts-ignore: decorator
@inline
export function product(a: v128, b: v128): v128 {
  const large = f32x4.mul(f32x4.mul(a, TWO_60), f32x4.mul(b, TWO_60));
  const tiny = f32x4.lt(f32x4.abs(large), TWO_20);
  return f32x4.mul(v128.andnot(a, tiny), v128.andnot(b, tiny));
}

// @ts-ignore: decorator
@inline
export function flushedWide(x: v128): v128 {
  return v128.andnot(x, f64x2.lt(f64x2.abs(x), LEAST_WIDE));
}

/** Lanes 2 and 3 in float64. */
// @ts-ignore: decorator
@inline
export function promoteHigh(x: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 1));
}

/** Two halves in float64 as one vector in float32. */
// @ts-ignore: decorator
@inline
export function demote(low: v128, high: v128): v128 {
  return v128.shuffle<i64>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 2);
}

/** The sum of the four lanes. */
// @ts-ignore: decorator
@inline
export function sum(x: v128): f32 {
  const pairs = f32x4.add(x, v128.shuffle<i64>(x, x, 1, 0));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}
