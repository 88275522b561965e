// The matrix scan: S ← diag(w) S + b (aᵀ S) + Σᵣ kᵣ vᵣᵀ, y = qᵀ S, in float32.
//
// Values are the lanes of vectors, keys follow each other: every sum runs over the keys in their order, so that
// chunks never show. A head goes through all frames of the run before the next, and stays in the nearest cache.

import * as at from '../layout';
import { flushed, madd } from './vector';

/** `frames` frames, the first of which stands `phase` frames behind a multiple of MATRIX_FLUSH. */
export function matrixScan(d: usize, frames: i32, phase: i32): void {
  const heads = load<i32>(d, at.MATRIX_HEADS);
  const size = load<i32>(d, at.MATRIX_KEYS) * load<i32>(d, at.MATRIX_VALUES);
  let state = load<usize>(d, at.MATRIX_STATE);
  for (let h = 0; h < heads; h++) {
    for (let t = 0; t < frames; t++) {
      frame(d, h, t, heads, state);
      if (((phase + t + 1) & (at.MATRIX_FLUSH - 1)) == 0) flush(state, size);
    }
    state += size << 2;
  }
}

/** Where a head's numbers of an operand stand at a frame. */
// @ts-ignore: decorator
@inline
function operand(d: usize, role: i32, h: i32, t: i32): usize {
  const record = d + at.MATRIX_OPERANDS + role * at.MATRIX_OPERAND_BYTES;
  return (
    load<usize>(record, at.MATRIX_SOURCE) +
    <usize>t * load<usize>(record, at.MATRIX_STEP) +
    load<usize>(load<usize>(record, at.MATRIX_OFFSETS) + (h << 2))
  );
}

function frame(d: usize, h: i32, t: i32, heads: i32, state: usize): void {
  const values = load<i32>(d, at.MATRIX_VALUES);
  const q = operand(d, 0, h, t);
  const k = operand(d, 1, h, t);
  const v = operand(d, 2, h, t);
  const w = operand(d, 3, h, t);
  const a = operand(d, 4, h, t);
  const b = operand(d, 5, h, t);
  const y = load<usize>(d, at.MATRIX_OUTPUT) + ((<usize>(t * heads + h) * values) << 2);
  let j = 0;
  if (load<i32>(d, at.MATRIX_DELTA) == 0 && load<i32>(d, at.MATRIX_RANK) == 1) {
    const isBefore = load<i32>(d, at.MATRIX_BEFORE) != 0;
    for (; j + 16 <= values; j += 16) {
      const S = state + (j << 2);
      if (isBefore) plain16(d, S, q, k, v + (j << 2), w, y + (j << 2), true);
      else plain16(d, S, q, k, v + (j << 2), w, y + (j << 2), false);
    }
  }
  for (; j + 16 <= values; j += 16) columns16(d, state + (j << 2), q, k, v + (j << 2), w, a, b, y + (j << 2));
  for (; j + 4 <= values; j += 4) columns4(d, state + (j << 2), q, k, v + (j << 2), w, a, b, y + (j << 2));
  for (; j < values; j++) column(d, state + (j << 2), q, k, v + (j << 2), w, a, b, y + (j << 2));
}

/**
 * 16 neighbouring values of all keys, one product a frame and no delta rule: what it does then fits the registers.
 * S, v and y begin at the first value.
 */
// @ts-ignore: decorator
@inline
function plain16(d: usize, S: usize, q: usize, k: usize, v: usize, w: usize, y: usize, isBefore: bool): void {
  const row = load<usize>(d, at.MATRIX_VALUES) << 2;
  const decayStep = load<usize>(d, at.MATRIX_DECAY_STEP);
  const v0 = v128.load(v);
  const v1 = v128.load(v, 16);
  const v2 = v128.load(v, 32);
  const v3 = v128.load(v, 48);
  let y0 = f32x4.splat(0);
  let y1 = y0;
  let y2 = y0;
  let y3 = y0;
  for (const end = q + (load<usize>(d, at.MATRIX_KEYS) << 2); q < end; q += 4, k += 4, w += decayStep, S += row) {
    const query = v128.load32_splat(q);
    const kept = v128.load32_splat(w);
    const key = v128.load32_splat(k);
    const s0 = v128.load(S);
    const s1 = v128.load(S, 16);
    const s2 = v128.load(S, 32);
    const s3 = v128.load(S, 48);
    const n0 = madd(key, v0, f32x4.mul(kept, s0));
    const n1 = madd(key, v1, f32x4.mul(kept, s1));
    const n2 = madd(key, v2, f32x4.mul(kept, s2));
    const n3 = madd(key, v3, f32x4.mul(kept, s3));
    v128.store(S, n0);
    v128.store(S, n1, 16);
    v128.store(S, n2, 32);
    v128.store(S, n3, 48);
    y0 = madd(query, isBefore ? s0 : n0, y0);
    y1 = madd(query, isBefore ? s1 : n1, y1);
    y2 = madd(query, isBefore ? s2 : n2, y2);
    y3 = madd(query, isBefore ? s3 : n3, y3);
  }
  v128.store(y, flushed(y0));
  v128.store(y, flushed(y1), 16);
  v128.store(y, flushed(y2), 32);
  v128.store(y, flushed(y3), 48);
}

/** The same with everything that the scan can have. */
function columns16(
  d: usize,
  S: usize,
  q: usize,
  k: usize,
  v: usize,
  w: usize,
  a: usize,
  b: usize,
  y: usize,
): void {
  const keys = load<i32>(d, at.MATRIX_KEYS);
  const rank = load<i32>(d, at.MATRIX_RANK);
  const row = load<usize>(d, at.MATRIX_VALUES) << 2;
  const decayStep = load<usize>(d, at.MATRIX_DECAY_STEP);
  const isBefore = load<i32>(d, at.MATRIX_BEFORE) != 0;
  const isDelta = load<i32>(d, at.MATRIX_DELTA) != 0;
  const end = q + (keys << 2);
  let p0 = f32x4.splat(0);
  let p1 = p0;
  let p2 = p0;
  let p3 = p0;
  if (isDelta) {
    for (let from = S, i = a, last = a + (keys << 2); i < last; i += 4, from += row) {
      const weight = v128.load32_splat(i);
      p0 = madd(weight, v128.load(from), p0);
      p1 = madd(weight, v128.load(from, 16), p1);
      p2 = madd(weight, v128.load(from, 32), p2);
      p3 = madd(weight, v128.load(from, 48), p3);
    }
  }
  const v0 = v128.load(v);
  const v1 = v128.load(v, 16);
  const v2 = v128.load(v, 32);
  const v3 = v128.load(v, 48);
  let y0 = f32x4.splat(0);
  let y1 = y0;
  let y2 = y0;
  let y3 = y0;
  for (; q < end; q += 4, k += 4, b += 4, w += decayStep, S += row) {
    const query = v128.load32_splat(q);
    const kept = v128.load32_splat(w);
    const key = v128.load32_splat(k);
    let s0 = v128.load(S);
    let s1 = v128.load(S, 16);
    let s2 = v128.load(S, 32);
    let s3 = v128.load(S, 48);
    if (isBefore) {
      y0 = madd(query, s0, y0);
      y1 = madd(query, s1, y1);
      y2 = madd(query, s2, y2);
      y3 = madd(query, s3, y3);
    }
    s0 = madd(key, v0, f32x4.mul(kept, s0));
    s1 = madd(key, v1, f32x4.mul(kept, s1));
    s2 = madd(key, v2, f32x4.mul(kept, s2));
    s3 = madd(key, v3, f32x4.mul(kept, s3));
    if (isDelta) {
      const taken = v128.load32_splat(b);
      s0 = madd(taken, p0, s0);
      s1 = madd(taken, p1, s1);
      s2 = madd(taken, p2, s2);
      s3 = madd(taken, p3, s3);
    }
    let more = k;
    let value = v;
    for (let r = 1; r < rank; r++) {
      more += keys << 2;
      value += row;
      const next = v128.load32_splat(more);
      s0 = madd(next, v128.load(value), s0);
      s1 = madd(next, v128.load(value, 16), s1);
      s2 = madd(next, v128.load(value, 32), s2);
      s3 = madd(next, v128.load(value, 48), s3);
    }
    v128.store(S, s0);
    v128.store(S, s1, 16);
    v128.store(S, s2, 32);
    v128.store(S, s3, 48);
    if (!isBefore) {
      y0 = madd(query, s0, y0);
      y1 = madd(query, s1, y1);
      y2 = madd(query, s2, y2);
      y3 = madd(query, s3, y3);
    }
  }
  v128.store(y, flushed(y0));
  v128.store(y, flushed(y1), 16);
  v128.store(y, flushed(y2), 32);
  v128.store(y, flushed(y3), 48);
}

/** The same of 4 values. */
function columns4(
  d: usize,
  S: usize,
  q: usize,
  k: usize,
  v: usize,
  w: usize,
  a: usize,
  b: usize,
  y: usize,
): void {
  const keys = load<i32>(d, at.MATRIX_KEYS);
  const rank = load<i32>(d, at.MATRIX_RANK);
  const row = load<usize>(d, at.MATRIX_VALUES) << 2;
  const decayStep = load<usize>(d, at.MATRIX_DECAY_STEP);
  const isBefore = load<i32>(d, at.MATRIX_BEFORE) != 0;
  const isDelta = load<i32>(d, at.MATRIX_DELTA) != 0;
  const end = q + (keys << 2);
  let p = f32x4.splat(0);
  if (isDelta) {
    for (let from = S, i = a, last = a + (keys << 2); i < last; i += 4, from += row) {
      p = madd(v128.load32_splat(i), v128.load(from), p);
    }
  }
  const v0 = v128.load(v);
  let sum = f32x4.splat(0);
  for (; q < end; q += 4, k += 4, b += 4, w += decayStep, S += row) {
    const query = v128.load32_splat(q);
    const old = v128.load(S);
    let next = madd(v128.load32_splat(k), v0, f32x4.mul(v128.load32_splat(w), old));
    if (isDelta) next = madd(v128.load32_splat(b), p, next);
    let more = k;
    let value = v;
    for (let r = 1; r < rank; r++) {
      more += keys << 2;
      value += row;
      next = madd(v128.load32_splat(more), v128.load(value), next);
    }
    v128.store(S, next);
    sum = madd(query, isBefore ? old : next, sum);
  }
  v128.store(y, flushed(sum));
}

/** The same of one value. */
function column(
  d: usize,
  S: usize,
  q: usize,
  k: usize,
  v: usize,
  w: usize,
  a: usize,
  b: usize,
  y: usize,
): void {
  const keys = load<i32>(d, at.MATRIX_KEYS);
  const rank = load<i32>(d, at.MATRIX_RANK);
  const row = load<usize>(d, at.MATRIX_VALUES) << 2;
  const decayStep = load<usize>(d, at.MATRIX_DECAY_STEP);
  const isBefore = load<i32>(d, at.MATRIX_BEFORE) != 0;
  const isDelta = load<i32>(d, at.MATRIX_DELTA) != 0;
  const end = q + (keys << 2);
  let p: f32 = 0;
  if (isDelta) {
    for (let from = S, i = a, last = a + (keys << 2); i < last; i += 4, from += row) {
      p += load<f32>(i) * load<f32>(from);
    }
  }
  const v0 = load<f32>(v);
  let sum: f32 = 0;
  for (; q < end; q += 4, k += 4, b += 4, w += decayStep, S += row) {
    const old = load<f32>(S);
    let next = load<f32>(w) * old + load<f32>(k) * v0;
    if (isDelta) next += load<f32>(b) * p;
    let more = k;
    let value = v;
    for (let r = 1; r < rank; r++) {
      more += keys << 2;
      value += row;
      next += load<f32>(more) * load<f32>(value);
    }
    store<f32>(S, next);
    sum += load<f32>(q) * (isBefore ? old : next);
  }
  store<f32>(y, sum);
}

function flush(state: usize, size: i32): void {
  const end = state + (size << 2);
  for (; state + 16 <= end; state += 16) v128.store(state, flushed(v128.load(state)));
  for (; state < end; state += 4) {
    const x = load<f32>(state);
    if (abs(x) < <f32>7.888609052210118e-31) store<f32>(state, 0);
  }
}
