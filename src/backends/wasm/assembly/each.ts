// Small ops on the numbers of a frame, with bounds, windows or state of their own.

import * as at from '../layout';
import { storeLanes } from './linear';
import { loadPair, single, storePair } from './wide';

// @ts-ignore: decorator
@inline
function put(to: usize, value: v128, lanes: i32): void {
  if (lanes >= at.LANES) v128.store(to, value);
  else storeLanes(to, value, lanes);
}

/** min(max(x, low), high) of `count` numbers; NaN stays NaN. */
export function clamp(d: usize, count: i32): void {
  const low = f32x4.splat(load<f32>(d, at.EACH_LOW));
  const high = f32x4.splat(load<f32>(d, at.EACH_HIGH));
  let x = load<usize>(d, at.EACH_INPUT);
  let y = load<usize>(d, at.EACH_OUTPUT);
  for (; count > 0; count -= at.LANES, x += 16, y += 16) {
    put(y, f32x4.pmin(f32x4.pmax(v128.load(x), low), high), count);
  }
}

/** The largest of every EACH_WIDTH numbers, the first of equals; `count` rows. A first NaN stays, a later one is passed. */
export function maximum(d: usize, count: i32): void {
  const size = load<i32>(d, at.EACH_WIDTH);
  let x = load<usize>(d, at.EACH_INPUT);
  let y = load<usize>(d, at.EACH_OUTPUT);
  for (; count > 0; count--, y += 4) {
    let most = load<f32>(x);
    const end = x + (<usize>size << 2);
    for (; x + 16 <= end; x += 16) {
      const four = v128.load(x);
      const a = f32x4.extract_lane(four, 0);
      const b = f32x4.extract_lane(four, 1);
      const c = f32x4.extract_lane(four, 2);
      const e = f32x4.extract_lane(four, 3);
      if (a > most) most = a;
      if (b > most) most = b;
      if (c > most) most = c;
      if (e > most) most = e;
    }
    for (; x < end; x += 4) if (load<f32>(x) > most) most = load<f32>(x);
    store<f32>(y, most);
  }
}

/** max so far, and how far it rose; in float64. */
export function runningMaximum(d: usize, frames: i32): void {
  const width = load<i32>(d, at.EACH_WIDTH);
  let x = load<usize>(d, at.EACH_INPUT);
  let y = load<usize>(d, at.EACH_OUTPUT);
  const step = <usize>width << 2;
  for (; frames > 0; frames--, y += 2 * step) {
    let state = load<usize>(d, at.EACH_STATE);
    let to = y;
    for (let i = 0; i < width; i++, x += 4, to += 4, state += 8) {
      const before = load<f64>(state);
      const now = max(before, <f64>load<f32>(x));
      store<f64>(state, now);
      store<f32>(to, <f32>now);
      store<f32>(to + step, before == -Infinity ? 0 : <f32>(now - before));
    }
  }
}

const TURN: f64 = 6.283185307179586;

/** (θ + x) mod 2π in float64. */
export function phase(d: usize, frames: i32): void {
  const width = load<i32>(d, at.EACH_WIDTH);
  let x = load<usize>(d, at.EACH_INPUT);
  let y = load<usize>(d, at.EACH_OUTPUT);
  for (; frames > 0; frames--) {
    let state = load<usize>(d, at.EACH_STATE);
    let left = width;
    for (; left >= 2; left -= 2, x += 8, y += 8, state += 16) {
      const sum = f64x2.add(v128.load(state), loadPair(x));
      const turns = f64x2.floor(f64x2.div(sum, f64x2.splat(TURN)));
      const angle = f64x2.sub(sum, f64x2.mul(turns, f64x2.splat(TURN)));
      v128.store(state, angle);
      storePair(y, angle);
    }
    if (left > 0) {
      const sum = load<f64>(state) + <f64>load<f32>(x);
      const angle = sum - TURN * Math.floor(sum / TURN);
      store<f64>(state, angle);
      store<f32>(y, <f32>angle);
      x += 4;
      y += 4;
    }
  }
}

/** The mean or the largest of EACH_SIZE frames, every EACH_STRIDE frames. */
export function pool(d: usize, firings: i32): void {
  const width = load<i32>(d, at.EACH_WIDTH);
  const size = load<i32>(d, at.EACH_SIZE);
  const isMax = load<i32>(d, at.EACH_IS_MAX) != 0;
  const frame = <usize>width << 2;
  const step = frame * load<usize>(d, at.EACH_STRIDE);
  const share = f32x4.splat(<f32>size);
  let input = load<usize>(d, at.EACH_INPUT);
  let y = load<usize>(d, at.EACH_OUTPUT);
  for (; firings > 0; firings--, input += step) {
    let from = input;
    for (let left = width; left > 0; left -= at.LANES, from += 16) {
      let x = from + frame;
      let value = v128.load(from);
      for (let k = 1; k < size; k++, x += frame) {
        value = isMax ? f32x4.max(value, v128.load(x)) : f32x4.add(value, v128.load(x));
      }
      put(y, isMax ? value : f32x4.div(value, share), left);
      y += <usize>min(left, at.LANES) << 2;
    }
  }
}

/** m += (x − m) / min(k + 1 + n₀, N) in float64. */
export function runningMean(d: usize, frames: i32): void {
  const width = load<i32>(d, at.EACH_WIDTH);
  const memory_ = load<f64>(d, at.EACH_MEMORY);
  let count = load<f64>(d, at.EACH_FIRST) + 1 + load<f64>(d, at.EACH_PRIOR);
  let x = load<usize>(d, at.EACH_INPUT);
  let y = load<usize>(d, at.EACH_OUTPUT);
  for (; frames > 0; frames--, count += 1) {
    const share = 1 / Math.min(count, memory_);
    let state = load<usize>(d, at.EACH_STATE);
    for (let i = 0; i < width; i++, x += 4, y += 4, state += 8) {
      const mean = load<f64>(state);
      const next = mean + (<f64>load<f32>(x) - mean) * share;
      store<f64>(state, next);
      store<f32>(y, single(next));
    }
  }
}

/** 1 at the first frame, 0 at all others. */
export function atStart(d: usize, frames: i32): void {
  const state = load<usize>(d, at.EACH_STATE);
  let y = load<usize>(d, at.EACH_OUTPUT);
  for (; frames > 0; frames--, y += 4) {
    store<f32>(y, load<f32>(state) == 0 ? 1 : 0);
    store<f32>(state, 1);
  }
}
