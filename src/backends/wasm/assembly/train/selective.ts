// The selective scan as Mamba has it: a stands still, dt comes by channel, b and c by state, shared by all channels.
//
//     m = e^{dt a} − 1,   x ← x + m x + dt u b,   y = Σₙ c x
//
// | symbol | shape |
// | --- | --- |
// | a, x, λ | a vector of four channels for every group and state |
// | u, dt, dt u, y and their gradients | a vector a frame, of one group and tile |
// | db, dc | (tile × states) vectors, summed over the groups |
//
// Back, from the last frame of a tile to its first, λ being what the frames behind give to x:
//
//     λ ← λ + c dy;   dc = dy x,  d(dt u) = λ b,  db = λ dt u,  dz = λ x[k−1] (1 + m),  da = dz dt,  d(dt) = dz a
//     λ ← λ + m λ
//
// Source: Gu & Dao (arXiv 2312.00752), algorithm 2.

import { expm1 } from '../elementary';
import { storeLanes } from '../linear';
import { madd, promoteHigh, sum } from '../vector';
import * as at from '../../train/layout';

const TILE_BYTES: usize = at.SELECT_TILE * 16;

// @ts-ignore: decorator
@inline
function groupsOf(d: usize): i32 {
  return (load<i32>(d, at.SELECT_CHANNELS) + 3) >> 2;
}

// @ts-ignore: decorator
@inline
function rowBytes(d: usize): usize {
  return load<usize>(d, at.SELECT_STATES) << 4;
}

// Scratch: vectors of a tile, then λ of all groups, then db and dc.
const U = 0;
const DT = 1;
const DTU = 2;
const Y = 3;
const M = 4;
/** With the state before the tile in front. */
const X = 5;
const D_DT = 7;
const D_DTU = 8;
const TILES = 9;

// @ts-ignore: decorator
@inline
function tile(d: usize, index: usize): usize {
  return load<usize>(d, at.SELECT_SCRATCH) + index * TILE_BYTES;
}

// @ts-ignore: decorator
@inline
function lambdaOf(d: usize): usize {
  return tile(d, TILES);
}

// @ts-ignore: decorator
@inline
function sumsOf(d: usize): usize {
  return lambdaOf(d) + <usize>groupsOf(d) * rowBytes(d);
}

/** Four channels of a tile as vectors; lanes beyond the last channel are 0. */
function gather(d: usize, source: usize, group: i32, first: i32, frames: i32, to: usize): void {
  const channels = load<i32>(d, at.SELECT_CHANNELS);
  const step = <usize>channels << 2;
  const lanes = min(4, channels - 4 * group);
  let from = source + <usize>first * step + (<usize>group << 4);
  for (; frames > 0; frames--, from += step, to += 16) {
    if (lanes == 4) v128.store(to, v128.load(from));
    else {
      v128.store(to, f32x4.splat(0));
      storeLanes(to, v128.load(from), lanes);
    }
  }
}

function scatter(d: usize, from: usize, group: i32, first: i32, frames: i32, target: usize, isSum: bool): void {
  const channels = load<i32>(d, at.SELECT_CHANNELS);
  const step = <usize>channels << 2;
  const lanes = min(4, channels - 4 * group);
  let to = target + <usize>first * step + (<usize>group << 4);
  for (; frames > 0; frames--, from += 16, to += step) {
    let value = v128.load(from);
    if (isSum) value = f32x4.add(value, v128.load(to));
    if (lanes == 4) v128.store(to, value);
    else storeLanes(to, value, lanes);
  }
}

/** u, dt and dt u of a group. */
function prepare(d: usize, group: i32, first: i32, frames: i32): void {
  gather(d, load<usize>(d, at.SELECT_U), group, first, frames, tile(d, U));
  gather(d, load<usize>(d, at.SELECT_DT), group, first, frames, tile(d, DT));
  for (let k: usize = 0; k < <usize>frames << 4; k += 16) {
    v128.store(tile(d, DTU) + k, f32x4.mul(v128.load(tile(d, U) + k), v128.load(tile(d, DT) + k)));
  }
}

export function selectiveForward(d: usize, frames: i32): void {
  const groups = groupsOf(d);
  const states = load<i32>(d, at.SELECT_STATES);
  const bytes = rowBytes(d);
  const all = <usize>groups * bytes;
  const end = load<usize>(d, at.SELECT_END);
  memory.copy(end, load<usize>(d, at.SELECT_BEGIN), all);
  let kept = load<usize>(d, at.SELECT_KEPT);
  for (let first = 0; first < frames; first += at.SELECT_TILE, kept += all) {
    const count = min(at.SELECT_TILE, frames - first);
    memory.copy(kept, end, all);
    for (let g = 0; g < groups; g++) {
      prepare(d, g, first, count);
      memory.fill(tile(d, Y), 0, <usize>count << 4);
      const row = <usize>g * bytes;
      let n = 0;
      for (; n + 2 <= states; n += 2) twoStates(d, row, n, first, count);
      if (n < states) oneState(d, row, n, first, count);
      scatter(d, tile(d, Y), g, first, count, load<usize>(d, at.SELECT_Y), false);
    }
  }
}

/** Two states side by side, which do not wait for each other. */
function twoStates(d: usize, row: usize, n: i32, first: i32, frames: i32): void {
  const step = load<usize>(d, at.SELECT_STATES) << 2;
  const state = load<usize>(d, at.SELECT_END) + row + (<usize>n << 4);
  const a0 = v128.load(load<usize>(d, at.SELECT_A) + row + (<usize>n << 4));
  const a1 = v128.load(load<usize>(d, at.SELECT_A) + row + (<usize>n << 4), 16);
  let b = load<usize>(d, at.SELECT_B) + <usize>first * step + (<usize>n << 2);
  let c = load<usize>(d, at.SELECT_C) + <usize>first * step + (<usize>n << 2);
  let dt = tile(d, DT);
  let dtu = tile(d, DTU);
  let y = tile(d, Y);
  let x0 = v128.load(state);
  let x1 = v128.load(state, 16);
  for (; frames > 0; frames--, dt += 16, dtu += 16, y += 16, b += step, c += step) {
    const time = v128.load(dt);
    const input = v128.load(dtu);
    const m0 = expm1(f32x4.mul(time, a0));
    const m1 = expm1(f32x4.mul(time, a1));
    x0 = f32x4.add(x0, madd(m0, x0, f32x4.mul(input, v128.load32_splat(b))));
    x1 = f32x4.add(x1, madd(m1, x1, f32x4.mul(input, v128.load32_splat(b, 4))));
    const seen = madd(v128.load32_splat(c), x0, v128.load(y));
    v128.store(y, madd(v128.load32_splat(c, 4), x1, seen));
  }
  v128.store(state, quiet(x0));
  v128.store(state, quiet(x1), 16);
}

function oneState(d: usize, row: usize, n: i32, first: i32, frames: i32): void {
  const step = load<usize>(d, at.SELECT_STATES) << 2;
  const state = load<usize>(d, at.SELECT_END) + row + (<usize>n << 4);
  const a = v128.load(load<usize>(d, at.SELECT_A) + row + (<usize>n << 4));
  let b = load<usize>(d, at.SELECT_B) + <usize>first * step + (<usize>n << 2);
  let c = load<usize>(d, at.SELECT_C) + <usize>first * step + (<usize>n << 2);
  let dt = tile(d, DT);
  let dtu = tile(d, DTU);
  let y = tile(d, Y);
  let x = v128.load(state);
  for (; frames > 0; frames--, dt += 16, dtu += 16, y += 16, b += step, c += step) {
    const m = expm1(f32x4.mul(v128.load(dt), a));
    x = f32x4.add(x, madd(m, x, f32x4.mul(v128.load(dtu), v128.load32_splat(b))));
    v128.store(y, madd(v128.load32_splat(c), x, v128.load(y)));
  }
  v128.store(state, quiet(x));
}

/** What has decayed is 0: silence never runs on subnormals. */
// @ts-ignore: decorator
@inline
function quiet(x: v128): v128 {
  return v128.andnot(x, f32x4.lt(f32x4.abs(x), f32x4.splat(7.888609052210118e-31)));
}

export function selectiveBack(d: usize, frames: i32): void {
  const groups = groupsOf(d);
  const states = load<i32>(d, at.SELECT_STATES);
  const bytes = rowBytes(d);
  const all = <usize>groups * bytes;
  const sums = sumsOf(d);
  const sumBytes = at.SELECT_TILE * bytes;
  memory.fill(lambdaOf(d), 0, all);
  const tiles = (frames + at.SELECT_TILE - 1) / at.SELECT_TILE;
  for (let index = tiles - 1; index >= 0; index--) {
    const first = index * at.SELECT_TILE;
    const count = min(at.SELECT_TILE, frames - first);
    const kept = load<usize>(d, at.SELECT_KEPT) + <usize>index * all;
    memory.fill(sums, 0, 2 * sumBytes);
    for (let g = 0; g < groups; g++) {
      prepare(d, g, first, count);
      gather(d, load<usize>(d, at.SELECT_Y), g, first, count, tile(d, Y));
      memory.fill(tile(d, D_DT), 0, 2 * TILE_BYTES);
      for (let n = 0; n < states; n++) back(d, kept, <usize>g * bytes, n, first, count);
      finish(d, g, first, count);
    }
    emit(d, at.SELECT_D_B, sums, first, count);
    emit(d, at.SELECT_D_C, sums + sumBytes, first, count);
  }
}

function back(d: usize, kept: usize, row: usize, n: i32, first: i32, frames: i32): void {
  const cell = row + (<usize>n << 4);
  const step = load<usize>(d, at.SELECT_STATES) << 2;
  const a = v128.load(load<usize>(d, at.SELECT_A) + cell);
  const bAt = load<usize>(d, at.SELECT_B) + <usize>first * step + (<usize>n << 2);
  const cAt = load<usize>(d, at.SELECT_C) + <usize>first * step + (<usize>n << 2);
  const dt = tile(d, DT);
  const dtu = tile(d, DTU);
  const xs = tile(d, X);
  const ms = tile(d, M);
  let x = v128.load(kept + cell);
  v128.store(xs, x);
  let b = bAt;
  const end = <usize>frames << 4;
  for (let k: usize = 0; k < end; k += 16, b += step) {
    const m = expm1(f32x4.mul(v128.load(dt + k), a));
    x = f32x4.add(x, madd(m, x, f32x4.mul(v128.load(dtu + k), v128.load32_splat(b))));
    v128.store(ms + k, m);
    v128.store(xs + k, x, 16);
  }

  const bytes = rowBytes(d);
  const lambdaAt = lambdaOf(d) + cell;
  let lambda = v128.load(lambdaAt);
  let da = f32x4.splat(0);
  b = bAt + <usize>(frames - 1) * step;
  let c = cAt + <usize>(frames - 1) * step;
  let db = sumsOf(d) + <usize>(frames - 1) * bytes + (<usize>n << 4);
  const dcOffset = at.SELECT_TILE * bytes;
  const ys = tile(d, Y);
  const dDt = tile(d, D_DT);
  const dDtu = tile(d, D_DTU);
  for (let k: usize = end; k > 0; b -= step, c -= step, db -= bytes) {
    k -= 16;
    const dy = v128.load(ys + k);
    const m = v128.load(ms + k);
    lambda = madd(dy, v128.load32_splat(c), lambda);
    v128.store(db + dcOffset, madd(dy, v128.load(xs + k, 16), v128.load(db + dcOffset)));
    v128.store(db, madd(lambda, v128.load(dtu + k), v128.load(db)));
    v128.store(dDtu + k, madd(lambda, v128.load32_splat(b), v128.load(dDtu + k)));
    const passed = madd(m, lambda, lambda);
    const dz = f32x4.mul(passed, v128.load(xs + k));
    v128.store(dDt + k, madd(dz, a, v128.load(dDt + k)));
    da = madd(dz, v128.load(dt + k), da);
    lambda = passed;
  }
  v128.store(lambdaAt, quiet(lambda));
  const to = load<usize>(d, at.SELECT_A_SUMS) + (cell << 1);
  v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(da)));
  v128.store(to, f64x2.add(v128.load(to, 16), promoteHigh(da)), 16);
}

/** du = dt d(dt u), and what d(dt u) gives to dt. */
function finish(d: usize, group: i32, first: i32, frames: i32): void {
  const dDt = tile(d, D_DT);
  const dDtu = tile(d, D_DTU);
  for (let k: usize = 0; k < <usize>frames << 4; k += 16) {
    const slope = v128.load(dDtu + k);
    v128.store(dDt + k, madd(slope, v128.load(tile(d, U) + k), v128.load(dDt + k)));
    v128.store(dDtu + k, f32x4.mul(slope, v128.load(tile(d, DT) + k)));
  }
  const du = load<usize>(d, at.SELECT_D_U);
  if (du != 0) scatter(d, dDtu, group, first, frames, du, true);
  const time = load<usize>(d, at.SELECT_D_DT);
  if (time != 0) scatter(d, dDt, group, first, frames, time, true);
}

/** Sums over the channels, which are lanes and groups. */
function emit(d: usize, field: usize, from: usize, first: i32, frames: i32): void {
  let to = load<usize>(d + field);
  if (to == 0) return;
  const count = <usize>frames * load<usize>(d, at.SELECT_STATES);
  to += (<usize>first * load<usize>(d, at.SELECT_STATES)) << 2;
  for (let i: usize = 0; i < count; i++, from += 16, to += 4) {
    store<f32>(to, load<f32>(to) + sum(v128.load(from)));
  }
}
