// The matrix scan of endless sums, its state in float64: S ← diag(w) S + k vᵀ, y = qᵀ S. Values are the lanes, keys
// follow each other. A head goes through all frames of the run before the next.

import * as at from '../layout';
import { loadPair, madd2, roundToSingle, single } from './wide';
import { flushedWide } from './vector';

// @ts-ignore: decorator
@inline
function operand(d: usize, role: i32, h: i32, t: i32): usize {
  const record = d + at.ENDLESS_OPERANDS + role * at.MATRIX_OPERAND_BYTES;
  return (
    load<usize>(record, at.MATRIX_SOURCE) +
    <usize>t * load<usize>(record, at.MATRIX_STEP) +
    load<usize>(load<usize>(record, at.MATRIX_OFFSETS) + (h << 2))
  );
}

/** `frames` frames, the first of which stands `phase` frames behind a multiple of WIDE_FLUSH. */
export function endless(d: usize, frames: i32, phase: i32): void {
  const heads = load<i32>(d, at.ENDLESS_HEADS);
  const keys = load<i32>(d, at.ENDLESS_KEYS);
  const values = load<i32>(d, at.ENDLESS_VALUES);
  let state = load<usize>(d, at.ENDLESS_STATE);
  for (let h = 0; h < heads; h++) {
    for (let t = 0; t < frames; t++) {
      const isFlushed = ((phase + t + 1) & (at.WIDE_FLUSH - 1)) == 0;
      const y = load<usize>(d, at.ENDLESS_OUTPUT) + ((<usize>(t * heads + h) * values) << 2);
      const q = operand(d, 0, h, t);
      const k = operand(d, 1, h, t);
      const v = operand(d, 2, h, t);
      const w = operand(d, 3, h, t);
      let j = 0;
      for (; j + 8 <= values; j += 8) columns8(d, state + (j << 3), q, k, v + (j << 2), w, y + (j << 2), isFlushed);
      for (; j < values; j++) column(d, state + (j << 3), q, k, v + (j << 2), w, y + (j << 2), isFlushed);
    }
    state += <usize>(keys * values) << 3;
  }
}

/** 8 neighbouring values of all keys. */
function columns8(d: usize, S: usize, q: usize, k: usize, v: usize, w: usize, y: usize, isFlushed: bool): void {
  const row = load<usize>(d, at.ENDLESS_VALUES) << 3;
  const decayStep = load<usize>(d, at.ENDLESS_DECAY_STEP);
  const isBefore = load<i32>(d, at.ENDLESS_BEFORE) != 0;
  const isRounded = load<i32>(d, at.ENDLESS_ROUNDED) != 0;
  const v0 = loadPair(v);
  const v1 = loadPair(v + 8);
  const v2 = loadPair(v + 16);
  const v3 = loadPair(v + 24);
  let y0 = f64x2.splat(0);
  let y1 = y0;
  let y2 = y0;
  let y3 = y0;
  for (const end = q + (load<usize>(d, at.ENDLESS_KEYS) << 2); q < end; q += 4, k += 4, w += decayStep, S += row) {
    const query = f64x2.splat(<f64>load<f32>(q));
    const key = f64x2.splat(<f64>load<f32>(k));
    const kept = f64x2.splat(<f64>load<f32>(w));
    let s0 = v128.load(S);
    let s1 = v128.load(S, 16);
    let s2 = v128.load(S, 32);
    let s3 = v128.load(S, 48);
    if (isBefore) {
      y0 = madd2(query, s0, y0);
      y1 = madd2(query, s1, y1);
      y2 = madd2(query, s2, y2);
      y3 = madd2(query, s3, y3);
    }
    s0 = madd2(key, v0, f64x2.mul(kept, s0));
    s1 = madd2(key, v1, f64x2.mul(kept, s1));
    s2 = madd2(key, v2, f64x2.mul(kept, s2));
    s3 = madd2(key, v3, f64x2.mul(kept, s3));
    if (isFlushed) {
      s0 = flushedWide(s0);
      s1 = flushedWide(s1);
      s2 = flushedWide(s2);
      s3 = flushedWide(s3);
    }
    if (isRounded) {
      s0 = roundToSingle(s0);
      s1 = roundToSingle(s1);
      s2 = roundToSingle(s2);
      s3 = roundToSingle(s3);
    }
    v128.store(S, s0);
    v128.store(S, s1, 16);
    v128.store(S, s2, 32);
    v128.store(S, s3, 48);
    if (!isBefore) {
      y0 = madd2(query, s0, y0);
      y1 = madd2(query, s1, y1);
      y2 = madd2(query, s2, y2);
      y3 = madd2(query, s3, y3);
    }
  }
  v128.store64_lane(y, f32x4.demote_f64x2_zero(flushedWide(y0)), 0);
  v128.store64_lane(y, f32x4.demote_f64x2_zero(flushedWide(y1)), 0, 8);
  v128.store64_lane(y, f32x4.demote_f64x2_zero(flushedWide(y2)), 0, 16);
  v128.store64_lane(y, f32x4.demote_f64x2_zero(flushedWide(y3)), 0, 24);
}

/** The same of one value. */
function column(d: usize, S: usize, q: usize, k: usize, v: usize, w: usize, y: usize, isFlushed: bool): void {
  const row = load<usize>(d, at.ENDLESS_VALUES) << 3;
  const decayStep = load<usize>(d, at.ENDLESS_DECAY_STEP);
  const isBefore = load<i32>(d, at.ENDLESS_BEFORE) != 0;
  const isRounded = load<i32>(d, at.ENDLESS_ROUNDED) != 0;
  const value = <f64>load<f32>(v);
  let total: f64 = 0;
  for (const end = q + (load<usize>(d, at.ENDLESS_KEYS) << 2); q < end; q += 4, k += 4, w += decayStep, S += row) {
    const old = load<f64>(S);
    let next = <f64>load<f32>(w) * old + <f64>load<f32>(k) * value;
    if (isFlushed && abs(next) < 7.888609052210118e-31) next = 0;
    if (isRounded) next = <f64>(<f32>next);
    store<f64>(S, next);
    total += <f64>load<f32>(q) * (isBefore ? old : next);
  }
  store<f32>(y, single(total));
}
