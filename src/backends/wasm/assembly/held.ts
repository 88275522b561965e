// The diagonal scan of rules that look at both ends of a step (first-order hold, the trapezoidal rule), coefficients
// standing still:
//
//     x[k] = Ā x[k−1] + B̄ u[k] + P u[k−1],   y[k] = Re Σₙ c x[k], or x[k]
//
// In float64, two states of a channel in each vector, on the op's own sections. A channel goes through all frames of
// the run before the next.

import * as at from '../layout';
import { flushedWide } from './vector';
import { madd2, nmadd2, roundToSingle, single } from './wide';

/** `frames` frames, the first of which stands `phase` frames behind a multiple of WIDE_FLUSH. */
export function held(d: usize, frames: i32, phase: i32): void {
  const channels = load<usize>(d, at.HELD_CHANNELS);
  const states = load<usize>(d, at.HELD_STATES);
  const record = ((states + 1) >> 1) << 7;
  const hasImaginary = load<usize>(d, at.HELD_U_IM) != 0;
  const outputStep = load<usize>(d, at.HELD_OUTPUT_STEP);
  const isContracted = load<i32>(d, at.HELD_CONTRACTED) != 0;
  const step = channels << 2;
  for (let h: usize = 0; h < channels; h++) {
    let from = load<usize>(d, at.HELD_U) + (h << 2);
    let fromIm = load<usize>(d, at.HELD_U_IM) + (h << 2);
    let to = load<usize>(d, at.HELD_OUTPUT) + (isContracted ? h << 2 : (h * states) << 2);
    const past = load<usize>(d, at.HELD_PAST) + (h << 3);
    const pastIm = past + (channels << 3);
    let v = load<f64>(past);
    let vIm: f64 = hasImaginary ? load<f64>(pastIm) : 0;
    for (let k = 1; k <= frames; k++, from += step, fromIm += step, to += outputStep) {
      const u = <f64>load<f32>(from);
      const uIm: f64 = hasImaginary ? <f64>load<f32>(fromIm) : 0;
      const isFlushed = ((phase + k) & (at.WIDE_FLUSH - 1)) == 0;
      frame(d, h, record, f64x2.splat(u), f64x2.splat(uIm), f64x2.splat(v), f64x2.splat(vIm), isFlushed, to);
      v = u;
      vIm = uIm;
    }
    store<f64>(past, v);
    if (hasImaginary) store<f64>(pastIm, vIm);
  }
}

function frame(
  d: usize,
  h: usize,
  record: usize,
  u: v128,
  uIm: v128,
  v: v128,
  vIm: v128,
  isFlushed: bool,
  to: usize,
): void {
  const states = load<usize>(d, at.HELD_STATES);
  const count = load<usize>(d, at.HELD_CHANNELS) * states;
  const isComplex = load<i32>(d, at.HELD_COMPLEX) != 0;
  const isContracted = load<i32>(d, at.HELD_CONTRACTED) != 0;
  const isRounded = load<i32>(d, at.HELD_ROUNDED) != 0;
  let c = load<usize>(d, at.HELD_COEFFICIENTS) + h * record;
  let x = load<usize>(d, at.HELD_STATE) + ((h * states) << 3);
  const apart = count << 3;
  let y = f64x2.splat(0);
  for (let left = <i32>states; left > 0; left -= 2, c += 128, x += 16) {
    const isPair = left > 1;
    const aRe = v128.load(c);
    const bRe = v128.load(c, 32);
    const pRe = v128.load(c, 64);
    const xRe = get(x, isPair);
    let re = madd2(bRe, u, f64x2.mul(pRe, v));
    if (isComplex) {
      const aIm = v128.load(c, 16);
      const bIm = v128.load(c, 48);
      const pIm = v128.load(c, 80);
      const xIm = get(x + apart, isPair);
      re = nmadd2(bIm, uIm, nmadd2(pIm, vIm, re));
      let im = madd2(bRe, uIm, madd2(bIm, u, madd2(pRe, vIm, f64x2.mul(pIm, v))));
      re = madd2(aRe, xRe, nmadd2(aIm, xIm, re));
      im = madd2(aRe, xIm, madd2(aIm, xRe, im));
      if (isRounded) im = roundToSingle(im);
      if (isFlushed) im = flushedWide(im);
      put(x + apart, im, isPair);
      y = nmadd2(v128.load(c, 112), im, y);
      if (!isContracted) putSingle(to + (count << 2), im, isPair);
    } else {
      re = madd2(aRe, xRe, re);
    }
    if (isRounded) re = roundToSingle(re);
    if (isFlushed) re = flushedWide(re);
    put(x, re, isPair);
    y = madd2(v128.load(c, 96), re, y);
    if (!isContracted) {
      putSingle(to, re, isPair);
      to += 8;
    }
  }
  if (isContracted) store<f32>(to, single(f64x2.extract_lane(y, 0) + f64x2.extract_lane(y, 1)));
}

// @ts-ignore: decorator
@inline
function get(from: usize, isPair: bool): v128 {
  return isPair ? v128.load(from) : v128.load64_zero(from);
}

// @ts-ignore: decorator
@inline
function put(to: usize, value: v128, isPair: bool): void {
  if (isPair) v128.store(to, value);
  else v128.store64_lane(to, value, 0);
}

// @ts-ignore: decorator
@inline
function putSingle(to: usize, value: v128, isPair: bool): void {
  const single = f32x4.demote_f64x2_zero(value);
  if (isPair) v128.store64_lane(to, single, 0);
  else v128.store32_lane(to, single, 0);
}
