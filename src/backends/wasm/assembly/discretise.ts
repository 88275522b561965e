// Ā and B̄ of one slot over one tile, where an operand varies by frame.
//
// | symbol | meaning |
// | --- | --- |
// | z | dt a |
// | m | Ā − 1 = f(z) − 1: a slow mode's distance from 1 is what float32 has to keep |
// | g | weight of the input: B̄ = dt g(z) b |
//
// The families of methods are those of `DiagonalFamily`.

import * as at from '../layout';
import { cosNear, expm1, halfRemainder, halfTurns, sinNear } from './elementary';
import { pointAtTile, pointer, stride, tile } from './operand';
import { madd, nmadd } from './vector';

/** Fills the tiles of m, g and B̄ from those of a, b and dt. */
export function discretise<S>(d: usize, frames: i32): void {
  const method = load<i32>(d, at.METHOD);
  pointAtTile(d, at.M);
  pointAtTile(d, at.M_IM);
  multiply<S>(d, frames);
  if (method == at.GIVEN) shift(d, frames);
  else if (method == at.RATIONAL) rational<S>(d, frames, f32x4.splat(load<f32>(d, at.ALPHA)));
  else exponential<S>(d, frames);
  if (method == at.EXP_PHI1) phi1<S>(d, frames);
  if (method == at.EXP_EXP) transition<S>(d, frames);
  inputWeight<S>(d, frames);
}

/** z = dt a, into the tile of m. */
function multiply<S>(d: usize, frames: i32): void {
  let dt = pointer(d, at.DT);
  let a = pointer(d, at.A);
  let aIm = pointer(d, at.A_IM);
  const dtStep = stride(d, at.DT);
  const aStep = stride(d, at.A);
  const aImStep = stride(d, at.A_IM);
  let z = tile(d, at.M);
  let zIm = tile(d, at.M_IM);
  for (; frames > 0; frames--, z += at.VECTOR) {
    v128.store(z, f32x4.mul(v128.load(dt), v128.load(a)));
    if (isFloat<S>()) {
      v128.store(zIm, f32x4.mul(v128.load(dt), v128.load(aIm)));
      aIm += aImStep;
      zIm += at.VECTOR;
    }
    dt += dtStep;
    a += aStep;
  }
}

/** m = z − 1: the coefficients are given; g is 1. */
function shift(d: usize, frames: i32): void {
  let m = tile(d, at.M);
  for (; frames > 0; frames--, m += at.VECTOR) v128.store(m, f32x4.sub(v128.load(m), f32x4.splat(1)));
}

/** g = 1 / (1 − α z), m = z g. */
function rational<S>(d: usize, frames: i32, alpha: v128): void {
  pointAtTile(d, at.G);
  pointAtTile(d, at.G_IM);
  const one = f32x4.splat(1);
  let m = tile(d, at.M);
  let mIm = tile(d, at.M_IM);
  let g = tile(d, at.G);
  let gIm = tile(d, at.G_IM);
  for (; frames > 0; frames--, m += at.VECTOR, g += at.VECTOR) {
    const z = v128.load(m);
    const re = nmadd(alpha, z, one);
    if (isFloat<S>()) {
      // 1 / (re − i im) = (re + i im) / (re² + im²)
      const zIm = v128.load(mIm);
      const im = f32x4.mul(alpha, zIm);
      const size = f32x4.div(one, madd(re, re, f32x4.mul(im, im)));
      const gr = f32x4.mul(re, size);
      const gi = f32x4.mul(im, size);
      v128.store(g, gr);
      v128.store(gIm, gi);
      v128.store(m, nmadd(zIm, gi, f32x4.mul(z, gr)));
      v128.store(mIm, madd(z, gi, f32x4.mul(zIm, gr)));
      mIm += at.VECTOR;
      gIm += at.VECTOR;
    } else {
      const gr = f32x4.div(one, re);
      v128.store(g, gr);
      v128.store(m, f32x4.mul(z, gr));
    }
  }
}

/**
 * m = e^z − 1, from z, which stays behind in the tiles of f′ for φ₁. For complex z = x + iy with y = qπ + 2r:
 * Re m = expm1(x)(1 − 2 s²) − 2 s², Im m = e^x 2 s c (negative where q is odd), s² = sin² or cos² of r.
 */
function exponential<S>(d: usize, frames: i32): void {
  const one = f32x4.splat(1);
  let m = tile(d, at.M);
  let mIm = tile(d, at.M_IM);
  let kept = tile(d, at.F_SLOPE);
  let keptIm = tile(d, at.F_SLOPE_IM);
  for (; frames > 0; frames--, m += at.VECTOR, kept += at.VECTOR) {
    const x = v128.load(m);
    v128.store(kept, x);
    const growth = expm1(x);
    if (isFloat<S>()) {
      const y = v128.load(mIm);
      v128.store(keptIm, y);
      const q = halfTurns(y);
      const r = halfRemainder(y, q);
      const s = sinNear(r);
      const c = cosNear(r);
      const odd = i32x4.shl(i32x4.trunc_sat_f32x4_s(q), 31);
      const half = v128.bitselect(c, s, i32x4.shr_s(odd, 31));
      const drop = f32x4.mul(f32x4.add(half, half), half);
      const turn = v128.xor(f32x4.mul(f32x4.add(s, s), c), odd);
      v128.store(m, nmadd(growth, drop, f32x4.sub(growth, drop)));
      v128.store(mIm, madd(growth, turn, turn));
      mIm += at.VECTOR;
      keptIm += at.VECTOR;
    } else {
      v128.store(m, growth);
    }
  }
}

/** g = φ₁(z) = m / z, and 1 + z/2 where |z| < 1e-3 (the next term is below 2e-7). */
function phi1<S>(d: usize, frames: i32): void {
  pointAtTile(d, at.G);
  pointAtTile(d, at.G_IM);
  const one = f32x4.splat(1);
  const half = f32x4.splat(0.5);
  let m = tile(d, at.M);
  let mIm = tile(d, at.M_IM);
  let z = tile(d, at.F_SLOPE);
  let zIm = tile(d, at.F_SLOPE_IM);
  let g = tile(d, at.G);
  let gIm = tile(d, at.G_IM);
  for (; frames > 0; frames--, m += at.VECTOR, z += at.VECTOR, g += at.VECTOR) {
    const zr = v128.load(z);
    const mr = v128.load(m);
    if (isFloat<S>()) {
      const zi = v128.load(zIm);
      const mi = v128.load(mIm);
      const size = madd(zr, zr, f32x4.mul(zi, zi));
      const isSmall = f32x4.lt(size, f32x4.splat(1e-6));
      const inverse = f32x4.div(one, size);
      const re = f32x4.mul(madd(mr, zr, f32x4.mul(mi, zi)), inverse);
      const im = f32x4.mul(nmadd(mr, zi, f32x4.mul(mi, zr)), inverse);
      v128.store(g, v128.bitselect(madd(zr, half, one), re, isSmall));
      v128.store(gIm, v128.bitselect(f32x4.mul(zi, half), im, isSmall));
      zIm += at.VECTOR;
      mIm += at.VECTOR;
      gIm += at.VECTOR;
    } else {
      const isSmall = f32x4.lt(f32x4.abs(zr), f32x4.splat(1e-3));
      v128.store(g, v128.bitselect(madd(zr, half, one), f32x4.div(mr, zr), isSmall));
    }
  }
}

/** g = e^z = 1 + m. */
function transition<S>(d: usize, frames: i32): void {
  pointAtTile(d, at.G);
  pointAtTile(d, at.G_IM);
  let m = tile(d, at.M);
  let g = tile(d, at.G);
  for (let k = 0; k < frames; k++) {
    v128.store(g + (k << 4), f32x4.add(v128.load(m + (k << 4)), f32x4.splat(1)));
  }
  if (isFloat<S>()) memory.copy(tile(d, at.G_IM), tile(d, at.M_IM), frames << 4);
}

/** B̄ = dt g b. */
function inputWeight<S>(d: usize, frames: i32): void {
  pointAtTile(d, at.B_BAR);
  pointAtTile(d, at.B_BAR_IM);
  let dt = pointer(d, at.DT);
  let b = pointer(d, at.B);
  let bIm = pointer(d, at.B_IM);
  let g = pointer(d, at.G);
  let gIm = pointer(d, at.G_IM);
  const dtStep = stride(d, at.DT);
  const bStep = stride(d, at.B);
  const bImStep = stride(d, at.B_IM);
  const gStep = stride(d, at.G);
  const gImStep = stride(d, at.G_IM);
  let bar = tile(d, at.B_BAR);
  let barIm = tile(d, at.B_BAR_IM);
  for (; frames > 0; frames--, bar += at.VECTOR) {
    const step = v128.load(dt);
    const gr = f32x4.mul(step, v128.load(g));
    const br = v128.load(b);
    if (isFloat<S>()) {
      const gi = f32x4.mul(step, v128.load(gIm));
      const bi = v128.load(bIm);
      v128.store(bar, nmadd(gi, bi, f32x4.mul(gr, br)));
      v128.store(barIm, madd(gi, br, f32x4.mul(gr, bi)));
      barIm += at.VECTOR;
      bIm += bImStep;
      gIm += gImStep;
    } else {
      v128.store(bar, f32x4.mul(gr, br));
    }
    dt += dtStep;
    b += bStep;
    g += gStep;
  }
}
