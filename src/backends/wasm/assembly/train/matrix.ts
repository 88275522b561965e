// The scan over matrices, forward and back; see src/ops/matrix-scan.ts for the equations. One head at a time: its
// states are kept every STATE_BLOCK frames, and a block's are computed again on the way back.
//
// | symbol | shape |
// | --- | --- |
// | S, λ | (K × V), rows in whole vectors whose last lanes are 0 |
// | v, dy, p, dp, dv | (V), in whole vectors |
// | history | (frames + 1 × K × V): the states of a block |

import { madd, sum } from '../vector';
import * as at from '../../train/layout';
import { accumulate, widen } from './sums';

const Q = 0;
const KEY = 1;
const VALUE = 2;
const DECAY = 3;
const A = 4;
const B = 5;

// @ts-ignore: decorator
@inline
function rowBytes(d: usize): usize {
  return ((load<usize>(d, at.STATE_VALUES) + 3) & ~3) << 2;
}

// @ts-ignore: decorator
@inline
function stateBytes(d: usize): usize {
  return load<usize>(d, at.STATE_KEYS) * rowBytes(d);
}

// @ts-ignore: decorator
@inline
function record(d: usize, role: i32): usize {
  return d + at.STATE_RECORDS + role * at.STATE_RECORD_BYTES;
}

/** An operand's numbers of a head and frame; 0 where it is absent. */
// @ts-ignore: decorator
@inline
function place(d: usize, role: i32, head: i32, t: i32): usize {
  const entry = record(d, role);
  const source = load<usize>(entry, at.STATE_SOURCE);
  if (source == 0) return 0;
  return source + <usize>t * load<usize>(entry, at.STATE_STEP) + offset(entry, head);
}

// @ts-ignore: decorator
@inline
function gradient(d: usize, role: i32, head: i32, t: i32): usize {
  const entry = record(d, role);
  const to = load<usize>(entry, at.STATE_GRADIENT);
  if (to == 0) return 0;
  return to + <usize>t * load<usize>(entry, at.STATE_STEP) + offset(entry, head);
}

// @ts-ignore: decorator
@inline
function offset(entry: usize, head: i32): usize {
  return load<usize>(load<usize>(entry, at.STATE_OFFSETS) + (<usize>head << 2));
}

// Scratch: v of every rank, then dy, p, dp, dv; λ; history.
// @ts-ignore: decorator
@inline
function vector(d: usize, index: i32): usize {
  return load<usize>(d, at.STATE_SCRATCH) + <usize>index * rowBytes(d);
}

// @ts-ignore: decorator
@inline
function lambdaOf(d: usize): usize {
  return vector(d, load<i32>(d, at.STATE_RANK) + 4);
}

/** Numbers into whole vectors, the last lanes 0. */
function fill(d: usize, to: usize, from: usize): void {
  const bytes = load<usize>(d, at.STATE_VALUES) << 2;
  memory.fill(to, 0, rowBytes(d));
  memory.copy(to, from, bytes);
}

export function matrixForward(d: usize, frames: i32): void {
  const heads = load<i32>(d, at.STATE_HEADS);
  const bytes = stateBytes(d);
  const blocks = (frames + at.STATE_BLOCK - 1) / at.STATE_BLOCK;
  const values = load<usize>(d, at.STATE_VALUES) << 2;
  const isBefore = load<i32>(d, at.STATE_BEFORE) != 0;
  for (let h = 0; h < heads; h++) {
    const S = load<usize>(d, at.STATE_END) + <usize>h * bytes;
    memory.copy(S, load<usize>(d, at.STATE_BEGIN) + <usize>h * bytes, bytes);
    let kept = load<usize>(d, at.STATE_KEPT) + <usize>(h * blocks) * bytes;
    let y = load<usize>(d, at.STATE_OUTPUT) + <usize>h * values;
    for (let t = 0; t < frames; t++, y += <usize>heads * values) {
      if (t % at.STATE_BLOCK == 0) {
        memory.copy(kept, S, bytes);
        kept += bytes;
      }
      if (isBefore) look(d, h, t, S, y);
      advance(d, h, t, S, S);
      if (!isBefore) look(d, h, t, S, y);
    }
  }
}

/** y = qᵀ S */
function look(d: usize, h: i32, t: i32, S: usize, y: usize): void {
  const q = place(d, Q, h, t);
  const bytes = rowBytes(d);
  const keys = load<usize>(d, at.STATE_KEYS);
  const to = vector(d, 0);
  for (let j: usize = 0; j < bytes; j += 16) {
    let even = f32x4.splat(0);
    let odd = even;
    let cell = S + j;
    let i: usize = 0;
    for (; i + 2 <= keys; i += 2) {
      even = madd(v128.load32_splat(q + (i << 2)), v128.load(cell), even);
      cell += bytes;
      odd = madd(v128.load32_splat(q + (i << 2), 4), v128.load(cell), odd);
      cell += bytes;
    }
    if (i < keys) even = madd(v128.load32_splat(q + (i << 2)), v128.load(cell), even);
    v128.store(to + j, f32x4.add(even, odd));
  }
  memory.copy(y, to, load<usize>(d, at.STATE_VALUES) << 2);
}

/** p = Σ w_i M_i over the rows of a matrix. */
function project(d: usize, w: usize, M: usize, p: usize): void {
  const bytes = rowBytes(d);
  const keys = load<i32>(d, at.STATE_KEYS);
  memory.fill(p, 0, bytes);
  for (let i = 0; i < keys; i++, M += bytes) {
    const weight = v128.load32_splat(w + (<usize>i << 2));
    for (let j: usize = 0; j < bytes; j += 16) v128.store(p + j, madd(weight, v128.load(M + j), v128.load(p + j)));
  }
}

/** S[t] from S[t−1]; both may be the same. */
function advance(d: usize, h: i32, t: i32, from: usize, to: usize): void {
  const rank = load<i32>(d, at.STATE_RANK);
  const keys = load<i32>(d, at.STATE_KEYS);
  const bytes = rowBytes(d);
  const values = load<usize>(d, at.STATE_VALUES) << 2;
  const k = place(d, KEY, h, t);
  const v = place(d, VALUE, h, t);
  const w = place(d, DECAY, h, t);
  const decayStep = load<usize>(d, at.STATE_DECAY_STEP);
  const isDelta = load<i32>(d, at.STATE_DELTA) != 0;
  const p = vector(d, rank + 1);
  for (let r = 0; r < rank; r++) fill(d, vector(d, r), v + <usize>r * values);
  if (isDelta) project(d, place(d, A, h, t), from, p);
  const b = place(d, B, h, t);
  for (let i = 0; i < keys; i++, from += bytes, to += bytes) {
    const kept = w != 0 ? v128.load32_splat(w + <usize>i * decayStep) : f32x4.splat(1);
    const first = v128.load32_splat(k + (<usize>i << 2));
    const v0 = vector(d, 0);
    for (let j: usize = 0; j < bytes; j += 16) {
      v128.store(to + j, madd(first, v128.load(v0 + j), f32x4.mul(kept, v128.load(from + j))));
    }
    for (let r = 1; r < rank; r++) {
      const key = v128.load32_splat(k + (<usize>(r * keys + i) << 2));
      const value = vector(d, r);
      for (let j: usize = 0; j < bytes; j += 16) v128.store(to + j, madd(key, v128.load(value + j), v128.load(to + j)));
    }
    if (isDelta) {
      const taken = v128.load32_splat(b + (<usize>i << 2));
      for (let j: usize = 0; j < bytes; j += 16) v128.store(to + j, madd(taken, v128.load(p + j), v128.load(to + j)));
    }
  }
}

export function matrixBack(d: usize, frames: i32): void {
  const heads = load<i32>(d, at.STATE_HEADS);
  const bytes = stateBytes(d);
  const blocks = (frames + at.STATE_BLOCK - 1) / at.STATE_BLOCK;
  const values = load<usize>(d, at.STATE_VALUES) << 2;
  const lambda = lambdaOf(d);
  const history = lambda + bytes;
  for (let h = 0; h < heads; h++) {
    memory.fill(lambda, 0, bytes);
    for (let block = blocks - 1; block >= 0; block--) {
      const first = block * at.STATE_BLOCK;
      const count = min(at.STATE_BLOCK, frames - first);
      memory.copy(history, load<usize>(d, at.STATE_KEPT) + <usize>(h * blocks + block) * bytes, bytes);
      for (let t = 0; t < count; t++) {
        const S = history + <usize>t * bytes;
        advance(d, h, first + t, S, S + bytes);
      }
      for (let t = count - 1; t >= 0; t--) {
        const dy = load<usize>(d, at.STATE_OUTPUT) + <usize>((first + t) * heads + h) * values;
        back(d, h, first + t, dy, history + <usize>t * bytes, lambda);
      }
      for (let role = 0; role < 6; role++) {
        const entry = record(d, role);
        const wide = load<usize>(entry, at.STATE_WIDE);
        if (wide != 0) widen(load<usize>(entry, at.STATE_GRADIENT), wide, load<i32>(entry, at.STATE_COUNT));
      }
    }
  }
}

/** One frame: λ of S[t] becomes that of S[t−1]; `old` is S[t−1], S[t] stands behind it. */
function back(d: usize, h: i32, t: i32, slope: usize, old: usize, lambda: usize): void {
  const rank = load<i32>(d, at.STATE_RANK);
  const keys = load<i32>(d, at.STATE_KEYS);
  const bytes = rowBytes(d);
  const values = load<i32>(d, at.STATE_VALUES);
  const isBefore = load<i32>(d, at.STATE_BEFORE) != 0;
  const dy = vector(d, rank);
  const p = vector(d, rank + 1);
  const dp = vector(d, rank + 2);
  const dv = vector(d, rank + 3);
  const q = place(d, Q, h, t);
  const dq = gradient(d, Q, h, t);
  fill(d, dy, slope);
  let seen = isBefore ? old : old + stateBytes(d);
  for (let i = 0; i < keys; i++, seen += bytes) {
    const weight = v128.load32_splat(q + (<usize>i << 2));
    let total = f32x4.splat(0);
    const row = lambda + <usize>i * bytes;
    for (let j: usize = 0; j < bytes; j += 16) {
      const y = v128.load(dy + j);
      total = madd(y, v128.load(seen + j), total);
      if (!isBefore) v128.store(row + j, madd(weight, y, v128.load(row + j)));
    }
    if (dq != 0) add(dq + (<usize>i << 2), sum(total));
  }

  const k = place(d, KEY, h, t);
  const v = place(d, VALUE, h, t);
  const dk = gradient(d, KEY, h, t);
  const dValue = gradient(d, VALUE, h, t);
  for (let r = 0; r < rank; r++) {
    const value = vector(d, r);
    fill(d, value, v + (<usize>(r * values) << 2));
    memory.fill(dv, 0, bytes);
    for (let i = 0; i < keys; i++) {
      const index = <usize>(r * keys + i) << 2;
      const key = v128.load32_splat(k + index);
      const row = lambda + <usize>i * bytes;
      let total = f32x4.splat(0);
      for (let j: usize = 0; j < bytes; j += 16) {
        const l = v128.load(row + j);
        total = madd(l, v128.load(value + j), total);
        v128.store(dv + j, madd(key, l, v128.load(dv + j)));
      }
      if (dk != 0) add(dk + index, sum(total));
    }
    if (dValue != 0) accumulate(dv, dValue + (<usize>(r * values) << 2), values);
  }

  const isDelta = load<i32>(d, at.STATE_DELTA) != 0;
  const a = place(d, A, h, t);
  if (isDelta) {
    project(d, a, old, p);
    project(d, place(d, B, h, t), lambda, dp);
  }
  const w = place(d, DECAY, h, t);
  const dw = gradient(d, DECAY, h, t);
  const da = gradient(d, A, h, t);
  const db = gradient(d, B, h, t);
  const decayStep = load<usize>(d, at.STATE_DECAY_STEP);
  let row = lambda;
  for (let i = 0; i < keys; i++, row += bytes, old += bytes) {
    const index = <usize>i << 2;
    const kept = w != 0 ? v128.load32_splat(w + <usize>i * decayStep) : f32x4.splat(1);
    const weight = isBefore ? v128.load32_splat(q + index) : f32x4.splat(0);
    const taken = isDelta ? v128.load32_splat(a + index) : f32x4.splat(0);
    let decayed = f32x4.splat(0);
    let given = decayed;
    let asked = decayed;
    for (let j: usize = 0; j < bytes; j += 16) {
      const l = v128.load(row + j);
      const past = v128.load(old + j);
      decayed = madd(l, past, decayed);
      let next = f32x4.mul(kept, l);
      if (isBefore) next = madd(weight, v128.load(dy + j), next);
      if (isDelta) {
        const through = v128.load(dp + j);
        given = madd(l, v128.load(p + j), given);
        asked = madd(past, through, asked);
        next = madd(taken, through, next);
      }
      v128.store(row + j, next);
    }
    if (dw != 0) add(dw + <usize>i * decayStep, sum(decayed));
    if (da != 0) add(da + index, sum(asked));
    if (db != 0) add(db + index, sum(given));
  }
}

// @ts-ignore: decorator
@inline
function add(to: usize, value: f32): void {
  store<f32>(to, load<f32>(to) + value);
}
