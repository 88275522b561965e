// The diagonal plus low rank scan of S4 in float64, two channels in each vector:
//
//     x[k] = a x[k−1] − Σᵣ Fᵣ ηᵣ + b u[k],   ηᵣ = 2 Re Σₙ Gᵣ x[k−1],   y[k] = Re Σₙ c x[k]
//
// A pair of channels goes through all frames of the run before the next, and stays in the nearest cache.

import * as at from '../layout';
import { madd2, nmadd2, roundToSingle, single } from './wide';
import { flushedWide } from './vector';

/** `frames` frames, the first of which stands `phase` frames behind a multiple of WIDE_FLUSH. */
export function dplr(d: usize, frames: i32, phase: i32): void {
  const channels = load<i32>(d, at.DPLR_CHANNELS);
  const states = load<i32>(d, at.DPLR_STATES);
  const rank = load<i32>(d, at.DPLR_RANK);
  const record = <usize>(6 + 4 * rank) << 4;
  const step = <usize>channels << 2;
  let coefficients = load<usize>(d, at.DPLR_COEFFICIENTS);
  let x = load<usize>(d, at.DPLR_STATE);
  for (let h = 0; h < channels; h += 2) {
    let u = load<usize>(d, at.DPLR_INPUT) + (<usize>h << 2);
    let y = load<usize>(d, at.DPLR_OUTPUT) + (<usize>h << 2);
    const isPair = h + 1 < channels;
    for (let k = 1; k <= frames; k++, u += step, y += step) {
      const low = <f64>load<f32>(u);
      const input = isPair ? f64x2(low, <f64>load<f32>(u, 4)) : f64x2(low, 0);
      const output = frame(d, coefficients, x, input, ((phase + k) & (at.WIDE_FLUSH - 1)) == 0);
      store<f32>(y, single(f64x2.extract_lane(output, 0)));
      if (isPair) store<f32>(y, single(f64x2.extract_lane(output, 1)), 4);
    }
    coefficients += <usize>states * record;
    x += <usize>states << 5;
  }
}

function frame(d: usize, coefficients: usize, state: usize, u: v128, isFlushed: bool): v128 {
  const states = load<usize>(d, at.DPLR_STATES);
  const rank = load<usize>(d, at.DPLR_RANK);
  const isRounded = load<i32>(d, at.DPLR_ROUNDED) != 0;
  const feedback = load<usize>(d, at.DPLR_FEEDBACK);
  const record = (6 + 4 * rank) << 4;
  const end = state + (states << 5);
  for (let r: usize = 0; r < rank; r++) {
    let g = coefficients + ((8 + 4 * r) << 4);
    let re = f64x2.splat(0);
    let im = re;
    for (let x = state; x < end; x += 32, g += record) {
      re = madd2(v128.load(g), v128.load(x), re);
      im = madd2(v128.load(g, 16), v128.load(x, 16), im);
    }
    v128.store(feedback + (r << 4), f64x2.sub(re, im));
  }
  const eta = v128.load(feedback);
  let sumRe = f64x2.splat(0);
  let sumIm = sumRe;
  for (let x = state; x < end; x += 32, coefficients += record) {
    const xRe = v128.load(x);
    const xIm = v128.load(x, 16);
    const aRe = v128.load(coefficients);
    const aIm = v128.load(coefficients, 16);
    let re = f64x2.mul(v128.load(coefficients, 32), u);
    let im = f64x2.mul(v128.load(coefficients, 48), u);
    re = nmadd2(v128.load(coefficients, 96), eta, re);
    im = nmadd2(v128.load(coefficients, 112), eta, im);
    for (let r: usize = 1; r < rank; r++) {
      const more = v128.load(feedback + (r << 4));
      re = nmadd2(v128.load(coefficients + (r << 6), 96), more, re);
      im = nmadd2(v128.load(coefficients + (r << 6), 112), more, im);
    }
    re = madd2(aRe, xRe, nmadd2(aIm, xIm, re));
    im = madd2(aRe, xIm, madd2(aIm, xRe, im));
    if (isRounded) {
      re = roundToSingle(re);
      im = roundToSingle(im);
    }
    if (isFlushed) {
      re = flushedWide(re);
      im = flushedWide(im);
    }
    v128.store(x, re);
    v128.store(x, im, 16);
    sumRe = madd2(v128.load(coefficients, 64), re, sumRe);
    sumIm = madd2(v128.load(coefficients, 80), im, sumIm);
  }
  return f64x2.sub(sumRe, sumIm);
}
