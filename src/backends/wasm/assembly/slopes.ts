// f′(z) and g′(z) of one slot over one tile, from m = f − 1 and g, which `discretise` left; for the adjoint.

import * as at from '../layout';
import { pointAtTile, pointer, tile } from './operand';
import { madd, nmadd } from './vector';

/** Records that no family below fills keep pointing at what the caller set: f′ = 1, g′ = 0. */
export function slopes<S>(d: usize, frames: i32): void {
  const method = load<i32>(d, at.METHOD);
  if (method == at.GIVEN) return;
  if (method == at.EXP_PHI1) phi1Slope<S>(d, frames);
  if (method == at.RATIONAL) rationalSlopes<S>(d, frames);
  else transitionSlope<S>(d, at.F_SLOPE, frames);
  if (method == at.EXP_EXP) transitionSlope<S>(d, at.G_SLOPE, frames);
}

/** f = g = e^z have the slope e^z = 1 + m. */
function transitionSlope<S>(d: usize, role: i32, frames: i32): void {
  pointAtTile(d, role);
  pointAtTile(d, role + 1);
  const m = tile(d, at.M);
  const slope = tile(d, role);
  for (let k: usize = 0; k < <usize>frames << 4; k += at.VECTOR) {
    v128.store(slope + k, f32x4.add(v128.load(m + k), f32x4.splat(1)));
  }
  if (isFloat<S>()) memory.copy(tile(d, role + 1), tile(d, at.M_IM), frames << 4);
}

/** f′ = g², g′ = α g². */
function rationalSlopes<S>(d: usize, frames: i32): void {
  for (let role = at.F_SLOPE; role <= at.G_SLOPE_IM; role++) pointAtTile(d, role);
  const alpha = f32x4.splat(load<f32>(d, at.ALPHA));
  const g = tile(d, at.G);
  for (let k: usize = 0; k < <usize>frames << 4; k += at.VECTOR) {
    const re = v128.load(g + k);
    let square = f32x4.mul(re, re);
    if (isFloat<S>()) {
      const im = v128.load(tile(d, at.G_IM) + k);
      square = nmadd(im, im, square);
      const squareIm = f32x4.mul(f32x4.add(re, re), im);
      v128.store(tile(d, at.F_SLOPE_IM) + k, squareIm);
      v128.store(tile(d, at.G_SLOPE_IM) + k, f32x4.mul(alpha, squareIm));
    }
    v128.store(tile(d, at.F_SLOPE) + k, square);
    v128.store(tile(d, at.G_SLOPE) + k, f32x4.mul(alpha, square));
  }
}

/** Coefficients k/(k + 1)! of φ₁′, k = 8 … 1; the first left out moves it by 3e-8 at |z| = ½. */
// @ts-ignore: decorator
@inline
function series(index: i32): f32 {
  if (index == 8) return 1.0 / 45360.0;
  if (index == 7) return 1.0 / 5760.0;
  if (index == 6) return 1.0 / 840.0;
  if (index == 5) return 1.0 / 144.0;
  if (index == 4) return 1.0 / 30.0;
  if (index == 3) return 1.0 / 8.0;
  if (index == 2) return 1.0 / 3.0;
  return 0.5;
}

/** g′ = φ₁′ = (e^z − φ₁)/z, and its series where |z| < ½, since the quotient cancels there. */
function phi1Slope<S>(d: usize, frames: i32): void {
  pointAtTile(d, at.G_SLOPE);
  pointAtTile(d, at.G_SLOPE_IM);
  const one = f32x4.splat(1);
  // `discretise` left z in the tiles of f′.
  const z = tile(d, at.F_SLOPE);
  const zIm = tile(d, at.F_SLOPE_IM);
  for (let k: usize = 0; k < <usize>frames << 4; k += at.VECTOR) {
    const zr = v128.load(z + k);
    const over = f32x4.sub(f32x4.add(v128.load(tile(d, at.M) + k), one), v128.load(tile(d, at.G) + k));
    let near = f32x4.splat(series(8));
    if (isFloat<S>()) {
      const zi = v128.load(zIm + k);
      const overIm = f32x4.sub(v128.load(tile(d, at.M_IM) + k), v128.load(tile(d, at.G_IM) + k));
      let nearIm = f32x4.splat(0);
      for (let i = 7; i > 0; i--) {
        const next = madd(near, zr, nmadd(nearIm, zi, f32x4.splat(series(i))));
        nearIm = madd(near, zi, f32x4.mul(nearIm, zr));
        near = next;
      }
      const size = madd(zr, zr, f32x4.mul(zi, zi));
      const isNear = f32x4.lt(size, f32x4.splat(0.25));
      const inverse = f32x4.div(one, size);
      const far = f32x4.mul(madd(over, zr, f32x4.mul(overIm, zi)), inverse);
      const farIm = f32x4.mul(nmadd(over, zi, f32x4.mul(overIm, zr)), inverse);
      v128.store(tile(d, at.G_SLOPE) + k, v128.bitselect(near, far, isNear));
      v128.store(tile(d, at.G_SLOPE_IM) + k, v128.bitselect(nearIm, farIm, isNear));
    } else {
      for (let i = 7; i > 0; i--) near = madd(near, zr, f32x4.splat(series(i)));
      const isNear = f32x4.lt(f32x4.abs(zr), f32x4.splat(0.5));
      v128.store(tile(d, at.G_SLOPE) + k, v128.bitselect(near, f32x4.div(over, zr), isNear));
    }
  }
}
