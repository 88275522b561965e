// x[k] = Ā x[k−1] + B̄ u[k] of one slot over one tile, and the same backwards for λ.
//
// The tile of X holds the state before the first frame, then the state at every frame; that of λ starts with its
// first frame. In float32 the step is x += m x + B̄ u with m = Ā − 1 (see `discretise`).

import * as at from '../layout';
import { pointer, stride, tile } from './operand';
import { demote, flushed, flushedWide, madd, nmadd, promoteHigh } from './vector';

/** In float32; `state` holds re and im. The first frame stands `phase` frames behind a multiple of the tile. */
export function advance<S>(d: usize, state: usize, frames: i32, phase: i32): void {
  let m = pointer(d, at.M);
  let mIm = pointer(d, at.M_IM);
  let b = pointer(d, at.B_BAR);
  let bIm = pointer(d, at.B_BAR_IM);
  let u = pointer(d, at.U);
  let uIm = pointer(d, at.U_IM);
  const mStep = stride(d, at.M);
  const bStep = stride(d, at.B_BAR);
  const uStep = stride(d, at.U);
  const uImStep = stride(d, at.U_IM);
  let x = tile(d, at.X);
  let xIm = tile(d, at.X_IM);
  let re = v128.load(state);
  let im = v128.load(state, 16);
  v128.store(x, re);
  v128.store(xIm, im);
  for (const end = phase + frames; phase < end; ) {
    phase++;
    const isFlushed = (phase & (at.FLUSH - 1)) == 0;
    const ur = v128.load(u);
    const mr = v128.load(m);
    const br = v128.load(b);
    if (isFloat<S>()) {
      const ui = v128.load(uIm);
      const mi = v128.load(mIm);
      const bi = v128.load(bIm);
      const kick = nmadd(bi, ui, f32x4.mul(br, ur));
      const kickIm = madd(bi, ur, f32x4.mul(br, ui));
      const next = f32x4.add(re, madd(mr, re, nmadd(mi, im, kick)));
      im = f32x4.add(im, madd(mr, im, madd(mi, re, kickIm)));
      re = next;
      if (isFlushed) im = flushed(im);
      xIm += at.VECTOR;
      v128.store(xIm, im);
      uIm += uImStep;
      mIm += mStep;
      bIm += bStep;
    } else {
      re = f32x4.add(re, madd(mr, re, f32x4.mul(br, ur)));
    }
    if (isFlushed) re = flushed(re);
    x += at.VECTOR;
    v128.store(x, re);
    u += uStep;
    m += mStep;
    b += bStep;
  }
  v128.store(state, re);
  v128.store(state, im, 16);
}

/** In float64, for coefficients that stand still; X is rounded to float32 for whoever reads it. */
export function advanceWide<S>(d: usize, coefficients: usize, state: usize, frames: i32, isFlushed: bool): void {
  for (let half = 0; half < 2; half++) {
    const a = v128.load(coefficients, 0);
    const aIm = v128.load(coefficients, 32);
    const b = v128.load(coefficients, 64);
    const bIm = v128.load(coefficients, 96);
    let u = pointer(d, at.U) + (half << 3);
    let uIm = pointer(d, at.U_IM) + (half << 3);
    const uStep = stride(d, at.U);
    const uImStep = stride(d, at.U_IM);
    let x = tile(d, at.X) + (half << 3);
    let xIm = tile(d, at.X_IM) + (half << 3);
    let re = v128.load(state, 0);
    let im = v128.load(state, 32);
    storeHalf(x, re);
    storeHalf(xIm, im);
    for (let k = 0; k < frames; k++) {
      const ur = loadHalf(u);
      let next = f64x2.add(f64x2.mul(a, re), f64x2.mul(b, ur));
      if (isFloat<S>()) {
        const ui = loadHalf(uIm);
        next = f64x2.sub(next, f64x2.add(f64x2.mul(aIm, im), f64x2.mul(bIm, ui)));
        const turned = f64x2.add(f64x2.mul(a, im), f64x2.mul(aIm, re));
        im = f64x2.add(turned, f64x2.add(f64x2.mul(b, ui), f64x2.mul(bIm, ur)));
        xIm += at.VECTOR;
        storeHalf(xIm, im);
        uIm += uImStep;
      }
      re = next;
      x += at.VECTOR;
      storeHalf(x, re);
      u += uStep;
    }
    if (isFlushed) {
      re = flushedWide(re);
      im = flushedWide(im);
      storeHalf(x, re);
      storeHalf(xIm, im);
    }
    v128.store(state, re, 0);
    v128.store(state, im, 32);
    coefficients += at.VECTOR;
    state += at.VECTOR;
  }
}

// @ts-ignore: decorator
@inline
function loadHalf(from: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(from));
}

// @ts-ignore: decorator
@inline
function storeHalf(to: usize, value: v128): void {
  v128.store64_lane(to, f32x4.demote_f64x2_zero(value), 0);
}

/**
 * λ[k] = dL/dx[k]: the tiles of λ hold what reaches x[k] from the output, and get what comes from later frames:
 * λ[k] += conj(Ā[k+1]) λ[k+1]. `carry` holds conj(Ā) λ of the frame behind the tile.
 */
export function retreat<S>(d: usize, carry: usize, frames: i32): void {
  const last = frames - 1;
  let m = pointer(d, at.M) + <usize>last * stride(d, at.M);
  let mIm = pointer(d, at.M_IM) + <usize>last * stride(d, at.M);
  const mStep = stride(d, at.M);
  let lambda = tile(d, at.LAMBDA_RE) + (last << 4);
  let lambdaIm = tile(d, at.LAMBDA_IM) + (last << 4);
  let re = v128.load(carry);
  let im = v128.load(carry, 16);
  for (; frames > 0; frames--) {
    re = f32x4.add(re, v128.load(lambda));
    v128.store(lambda, re);
    const mr = v128.load(m);
    if (isFloat<S>()) {
      im = f32x4.add(im, v128.load(lambdaIm));
      v128.store(lambdaIm, im);
      const mi = v128.load(mIm);
      const next = f32x4.add(re, madd(mr, re, f32x4.mul(mi, im)));
      im = f32x4.add(im, nmadd(mi, re, f32x4.mul(mr, im)));
      re = next;
      lambdaIm -= at.VECTOR;
      mIm -= mStep;
    } else {
      re = madd(mr, re, re);
    }
    if ((frames & (at.FLUSH - 1)) == 1) {
      re = flushed(re);
      im = flushed(im);
    }
    lambda -= at.VECTOR;
    m -= mStep;
  }
  v128.store(carry, re);
  v128.store(carry, im, 16);
}

export function retreatWide<S>(d: usize, coefficients: usize, carry: usize, frames: i32, isFlushed: bool): void {
  for (let half = 0; half < 2; half++) {
    const a = v128.load(coefficients, 0);
    const aIm = v128.load(coefficients, 32);
    let lambda = tile(d, at.LAMBDA_RE) + ((frames - 1) << 4) + (half << 3);
    let lambdaIm = tile(d, at.LAMBDA_IM) + ((frames - 1) << 4) + (half << 3);
    let re = v128.load(carry, 0);
    let im = v128.load(carry, 32);
    for (let k = 0; k < frames; k++) {
      re = f64x2.add(re, loadHalf(lambda));
      storeHalf(lambda, re);
      if (isFloat<S>()) {
        im = f64x2.add(im, loadHalf(lambdaIm));
        storeHalf(lambdaIm, im);
        const next = f64x2.add(f64x2.mul(a, re), f64x2.mul(aIm, im));
        im = f64x2.sub(f64x2.mul(a, im), f64x2.mul(aIm, re));
        re = next;
      } else {
        re = f64x2.mul(a, re);
      }
      lambda -= at.VECTOR;
      lambdaIm -= at.VECTOR;
    }
    if (isFlushed) {
      re = flushedWide(re);
      im = flushedWide(im);
    }
    v128.store(carry, re, 0);
    v128.store(carry, im, 32);
    coefficients += at.VECTOR;
    carry += at.VECTOR;
  }
}
