// Softmax attention over a sliding window, frame by frame and head by head: scores of all keys, their exponentials
// relative to the largest, then the values' sum in stretches of SEGMENT frames, and one division at the end. The
// window is counted from its oldest frame, so that chunks never show.

import * as at from '../layout';
import { storeLanes } from './linear';
import { exp } from './transcendental';
import { madd, sum } from './vector';

export function attend(d: usize, frames: i32): void {
  const heads = load<i32>(d, at.ATTEND_HEADS);
  const groups = load<i32>(d, at.ATTEND_GROUPS);
  const keys = load<i32>(d, at.ATTEND_KEYS);
  const values = load<i32>(d, at.ATTEND_VALUES);
  const window = load<i32>(d, at.ATTEND_WINDOW);
  const scale = load<f32>(d, at.ATTEND_SCALE);
  const section = load<usize>(d, at.ATTEND_SEEN);
  const weights = load<usize>(d, at.ATTEND_WEIGHTS);
  const kStep = <usize>(groups * keys) << 2;
  const vStep = <usize>(groups * values) << 2;
  let q = load<usize>(d, at.ATTEND_Q);
  let k = load<usize>(d, at.ATTEND_K);
  let v = load<usize>(d, at.ATTEND_V);
  let y = load<usize>(d, at.ATTEND_OUTPUT);
  for (; frames > 0; frames--, k += kStep, v += vStep) {
    const seen = <i32>Math.min(load<f64>(section) + 1, <f64>window);
    store<f64>(section, <f64>seen);
    const absent = <usize>(window - seen);
    for (let h = 0; h < heads; h++) {
      const group = <usize>((h * groups) / heads);
      const largest = scores(q, k + absent * kStep + ((group * keys) << 2), kStep, keys, seen, scale, weights);
      const inverse: f32 = 1 / exponentials(weights, seen, largest);
      mean(weights, v + absent * vStep + ((group * values) << 2), vStep, values, seen, inverse, y);
      q += <usize>keys << 2;
      y += <usize>values << 2;
    }
  }
}

/** The sums of each of four vectors. */
// @ts-ignore: decorator
@inline
function sums(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 1, 4, 5), v128.shuffle<f32>(a, b, 2, 3, 6, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 1, 4, 5), v128.shuffle<f32>(c, d, 2, 3, 6, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 2, 4, 6), v128.shuffle<f32>(ab, cd, 1, 3, 5, 7));
}

/** scale · q·k of every frame into the weights, and the largest of them. */
function scores(q: usize, k: usize, step: usize, keys: i32, seen: i32, scale: f32, weights: usize): f32 {
  const whole = <usize>(keys & ~3) << 2;
  const size = <usize>keys << 2;
  let most = f32x4.splat(-Infinity);
  let left = seen;
  for (; left >= 4; left -= 4, weights += 16) {
    const k1 = k + step;
    const k2 = k1 + step;
    const k3 = k2 + step;
    let a = f32x4.splat(0);
    let b = a;
    let c = a;
    let e = a;
    for (let i: usize = 0; i < whole; i += 16) {
      const query = v128.load(q + i);
      a = madd(query, v128.load(k + i), a);
      b = madd(query, v128.load(k1 + i), b);
      c = madd(query, v128.load(k2 + i), c);
      e = madd(query, v128.load(k3 + i), e);
    }
    let score = sums(a, b, c, e);
    for (let i = whole; i < size; i += 4) {
      const column = f32x4(load<f32>(k + i), load<f32>(k1 + i), load<f32>(k2 + i), load<f32>(k3 + i));
      score = madd(v128.load32_splat(q + i), column, score);
    }
    score = f32x4.mul(score, f32x4.splat(scale));
    v128.store(weights, score);
    most = f32x4.max(most, score);
    k = k3 + step;
  }
  let largest: f32 = max(
    max(f32x4.extract_lane(most, 0), f32x4.extract_lane(most, 1)),
    max(f32x4.extract_lane(most, 2), f32x4.extract_lane(most, 3)),
  );
  for (; left > 0; left--, weights += 4, k += step) {
    let a = f32x4.splat(0);
    for (let i: usize = 0; i < whole; i += 16) a = madd(v128.load(q + i), v128.load(k + i), a);
    let score: f32 = sum(a);
    for (let i = whole; i < size; i += 4) score += load<f32>(q + i) * load<f32>(k + i);
    score *= scale;
    store<f32>(weights, score);
    largest = max(largest, score);
  }
  return largest;
}

/** weights ← e^(weights − largest), and their sum. */
function exponentials(weights: usize, seen: i32, largest: f32): f32 {
  // What stands behind the last weight is none.
  for (let k = seen; (k & 3) != 0; k++) store<f32>(weights + (<usize>k << 2), -Infinity);
  const top = f32x4.splat(largest);
  let total = f32x4.splat(0);
  for (; seen > 0; seen -= 4, weights += 16) {
    const weight = exp(f32x4.sub(v128.load(weights), top));
    v128.store(weights, weight);
    total = f32x4.add(total, weight);
  }
  return sum(total);
}

/** y = Σ weight · v / Σ weight. */
function mean(weights: usize, v: usize, step: usize, values: i32, seen: i32, inverse: f32, y: usize): void {
  const scale = f32x4.splat(inverse);
  let left = values;
  for (; left >= 16; left -= 16, v += 64, y += 64) mean16(weights, v, step, seen, scale, y);
  for (; left > 0; left -= 4, v += 16, y += 16) mean4(weights, v, step, seen, scale, y, min(left, 4));
}

function mean16(weights: usize, v: usize, step: usize, seen: i32, scale: v128, y: usize): void {
  let y0 = f32x4.splat(0);
  let y1 = y0;
  let y2 = y0;
  let y3 = y0;
  for (; seen > 0; seen -= at.SEGMENT) {
    let a0 = f32x4.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    for (const end = weights + (<usize>min(seen, at.SEGMENT) << 2); weights < end; weights += 4, v += step) {
      const weight = v128.load32_splat(weights);
      a0 = madd(weight, v128.load(v), a0);
      a1 = madd(weight, v128.load(v, 16), a1);
      a2 = madd(weight, v128.load(v, 32), a2);
      a3 = madd(weight, v128.load(v, 48), a3);
    }
    y0 = f32x4.add(y0, a0);
    y1 = f32x4.add(y1, a1);
    y2 = f32x4.add(y2, a2);
    y3 = f32x4.add(y3, a3);
  }
  v128.store(y, f32x4.mul(y0, scale));
  v128.store(y, f32x4.mul(y1, scale), 16);
  v128.store(y, f32x4.mul(y2, scale), 32);
  v128.store(y, f32x4.mul(y3, scale), 48);
}

function mean4(weights: usize, v: usize, step: usize, seen: i32, scale: v128, y: usize, lanes: i32): void {
  let total = f32x4.splat(0);
  for (; seen > 0; seen -= at.SEGMENT) {
    let part = f32x4.splat(0);
    for (const end = weights + (<usize>min(seen, at.SEGMENT) << 2); weights < end; weights += 4, v += step) {
      part = madd(v128.load32_splat(weights), v128.load(v), part);
    }
    total = f32x4.add(total, part);
  }
  const result = f32x4.mul(total, scale);
  if (lanes == at.LANES) v128.store(y, result);
  else storeLanes(y, result, lanes);
}
