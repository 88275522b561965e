// Two numbers in float64: helpers and elementary functions.

/** A constant that is kept in memory, as `constant` is. */
export function constant2(x: f64): v128 {
  return f64x2.splat(x);
}

/** The same of two numbers. */
export function pair(a: f64, b: f64): v128 {
  return f64x2.replace_lane(f64x2.splat(a), 1, b);
}

/** a·b + c */
// @ts-ignore: decorator
@inline
export function madd2(a: v128, b: v128, c: v128): v128 {
  if (RELAXED) return f64x2.relaxed_madd(a, b, c);
  return f64x2.add(f64x2.mul(a, b), c);
}

/** c − a·b */
// @ts-ignore: decorator
@inline
export function nmadd2(a: v128, b: v128, c: v128): v128 {
  if (RELAXED) return f64x2.relaxed_nmadd(a, b, c);
  return f64x2.sub(c, f64x2.mul(a, b));
}

/** To float32 and back. */
// @ts-ignore: decorator
@inline
export function roundToSingle(x: v128): v128 {
  return f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(x));
}

/** To float32; 0 below 2⁻¹⁰⁰, so that whoever reads it does not run on subnormal numbers. */
// @ts-ignore: decorator
@inline
export function single(x: f64): f32 {
  return abs(x) < 7.888609052210118e-31 ? 0 : <f32>x;
}

/** Two neighbours in float32, from the first on. */
// @ts-ignore: decorator
@inline
export function loadPair(from: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(from));
}

// @ts-ignore: decorator
@inline
export function storePair(to: usize, value: v128): void {
  v128.store64_lane(to, f32x4.demote_f64x2_zero(value), 0);
}

/** 1.5 · 2⁵²: added to a number, it leaves the nearest whole one in the lowest bits. */
const ROUNDING: v128 = constant2(6755399441055744.0);
const LEAST: v128 = constant2(-700);
const LOG2E: v128 = constant2(1.4426950408889634);
// ln 2 in two parts, the first with zeros where n has digits.
const LN2_HIGH: v128 = constant2(0.69314718036912381649);
const LN2_LOW: v128 = constant2(1.90821492927058770002e-10);
const E10: v128 = constant2(2.7631284168846414e-7);
const E9: v128 = constant2(2.7640730337577818e-6);
const E8: v128 = constant2(2.480145656536506e-5);
const E7: v128 = constant2(1.98411689517123e-4);
const E6: v128 = constant2(1.3888889035004691e-3);
const E5: v128 = constant2(8.333333386799665e-3);
const E4: v128 = constant2(4.166666666576729e-2);
const E3: v128 = constant2(0.16666666666549593);
const HALF: v128 = constant2(0.5);
const ONE: v128 = constant2(1);

/** e^x for x ≤ 0, relative error 1e-14; 0 below −700. */
// @ts-ignore: decorator
@inline
export function expNegative2(x: v128): v128 {
  const held = f64x2.pmax(x, LEAST);
  const rounded = madd2(held, LOG2E, ROUNDING);
  const n = f64x2.sub(rounded, ROUNDING);
  const r = nmadd2(n, LN2_LOW, nmadd2(n, LN2_HIGH, held));
  let p = madd2(r, E10, E9);
  p = madd2(r, p, E8);
  p = madd2(r, p, E7);
  p = madd2(r, p, E6);
  p = madd2(r, p, E5);
  p = madd2(r, p, E4);
  p = madd2(r, p, E3);
  p = madd2(r, p, HALF);
  p = f64x2.add(madd2(f64x2.mul(r, r), p, r), ONE);
  const scale = i64x2.add(i64x2.shl(rounded, 52), ONE);
  return v128.andnot(f64x2.mul(p, scale), f64x2.lt(x, LEAST));
}
