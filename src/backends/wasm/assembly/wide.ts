// Two numbers in float64: helpers and elementary functions.

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
const ROUNDING2: f64 = 6755399441055744.0;

/** e^x for x ≤ 0, relative error 1e-14; 0 below −700. */
// @ts-ignore: decorator
@inline
export function expNegative2(x: v128): v128 {
  const least = f64x2.splat(-700);
  const held = f64x2.pmax(x, least);
  const rounded = madd2(held, f64x2.splat(1.4426950408889634), f64x2.splat(ROUNDING2));
  const n = f64x2.sub(rounded, f64x2.splat(ROUNDING2));
  // ln 2 in two parts, the first with zeros where n has digits.
  const r = nmadd2(n, f64x2.splat(1.90821492927058770002e-10), nmadd2(n, f64x2.splat(0.693147180369123816490), held));
  let p = madd2(r, f64x2.splat(2.7631284168846414e-7), f64x2.splat(2.7640730337577818e-6));
  p = madd2(r, p, f64x2.splat(2.480145656536506e-5));
  p = madd2(r, p, f64x2.splat(1.98411689517123e-4));
  p = madd2(r, p, f64x2.splat(1.3888889035004691e-3));
  p = madd2(r, p, f64x2.splat(8.333333386799665e-3));
  p = madd2(r, p, f64x2.splat(4.166666666576729e-2));
  p = madd2(r, p, f64x2.splat(0.16666666666549593));
  p = madd2(r, p, f64x2.splat(0.5));
  p = madd2(f64x2.mul(r, r), p, r);
  p = f64x2.add(p, f64x2.splat(1));
  const scale = i64x2.add(i64x2.shl(rounded, 52), i64x2.splat(0x3ff0000000000000));
  return v128.andnot(f64x2.mul(p, scale), f64x2.lt(x, least));
}
