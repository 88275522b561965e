// y = (x − mean) / √(variance + eps), group by group of a frame. Sums are in float64: a mean far from 0 costs nothing.

import * as at from '../layout';
import { demote, promoteHigh } from './vector';

/** `frames` frames that follow each other; a group is one stretch of numbers. */
export function normalise(d: usize, frames: i32): void {
  const size = load<i32>(d, at.NORM_SIZE);
  const isCentred = load<i32>(d, at.NORM_CENTRE) != 0;
  const eps = load<f64>(d, at.NORM_EPS);
  let x = load<usize>(d, at.NORM_INPUT);
  let y = load<usize>(d, at.NORM_OUTPUT);
  for (let left = frames * load<i32>(d, at.NORM_GROUPS); left > 0; left--) {
    const mean = isCentred ? total(x, size) / <f64>size : 0;
    const scale = 1 / Math.sqrt(squares(x, size, mean) / <f64>size + eps);
    const mean2 = f64x2.splat(mean);
    const scale2 = f64x2.splat(scale);
    const end = x + (size << 2);
    for (; x + 16 <= end; x += 16, y += 16) {
      const value = v128.load(x);
      const low = f64x2.mul(f64x2.sub(f64x2.promote_low_f32x4(value), mean2), scale2);
      const high = f64x2.mul(f64x2.sub(promoteHigh(value), mean2), scale2);
      v128.store(y, demote(low, high));
    }
    for (; x < end; x += 4, y += 4) store<f32>(y, <f32>((<f64>load<f32>(x) - mean) * scale));
  }
}

export function total(x: usize, size: i32): f64 {
  let low = f64x2.splat(0);
  let high = low;
  const end = x + (size << 2);
  for (; x + 16 <= end; x += 16) {
    const value = v128.load(x);
    low = f64x2.add(low, f64x2.promote_low_f32x4(value));
    high = f64x2.add(high, promoteHigh(value));
  }
  const both = f64x2.add(low, high);
  let result = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; x < end; x += 4) result += <f64>load<f32>(x);
  return result;
}

/** Σ (x − mean)² */
export function squares(x: usize, size: i32, mean: f64): f64 {
  const mean2 = f64x2.splat(mean);
  let low = f64x2.splat(0);
  let high = low;
  const end = x + (size << 2);
  for (; x + 16 <= end; x += 16) {
    const value = v128.load(x);
    const a = f64x2.sub(f64x2.promote_low_f32x4(value), mean2);
    const b = f64x2.sub(promoteHigh(value), mean2);
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const both = f64x2.add(low, high);
  let result = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; x < end; x += 4) {
    const difference = <f64>load<f32>(x) - mean;
    result += difference * difference;
  }
  return result;
}
