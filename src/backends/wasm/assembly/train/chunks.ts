// The scan whose coefficients and read-out stand still, of a real input, in chunks of L frames: matrix products within
// a chunk, and one step of the recurrence in float64 from chunk to chunk. Time and memory are linear in the frames.
//
//     y[t] = Σ_{s ≤ t} K[t − s] u[s] + Σ_d W[t, d] x[d]          within a chunk, from the state x before it
//     x ← Ā^L x + Σ_s V[·, s] u[s]
//
// | symbol | name | shape, of one channel |
// | --- | --- | --- |
// | x | state before a chunk, re and im of every mode, the input's weight left to the read-out | (D × R chunks) |
// | V | Ā^(L−1−s) | (D × L) |
// | W | Re and −Im of c̃ Ā^(t+1) | (L × D) |
// | T | K[t − s] = Re Σ c̃ Ā^(t−s) | (L × L), lower triangle |
//
// Four channels are the lanes of all of it, and R chunks the columns. Back:
//
//     λ ← dx of the chunk behind;  dS = λ;  λ ← Wᵀ dy + conj(Ā^L) λ
//     du = Vᵀ dS + Tᵀ dy;  dV += dS uᵀ,  dW += dy xᵀ,  dT += dy uᵀ,  dĀ^L += λ conj(x)
//
// Source: the block form of state space duality (Dao & Gu, arXiv 2405.21060, §6), for a diagonal that stands still.

import { storeLanes } from '../linear';
import { demote, promoteHigh } from '../vector';
import * as at from '../../train/layout';
import { block, product, productOfRows } from './lane-product';
import { widen } from './sums';

/** Bytes of a block of four rows of L vectors. */
const BLOCK_OF_L: usize = at.CHUNK * 64;
const L_BY_ROW: usize = at.CHUNK * at.CHUNK_ROW;

// @ts-ignore: decorator
@inline
function dims(d: usize): i32 {
  return load<i32>(d, at.CHUNK_DIMS);
}

/** Bytes of a (D × L) table. */
// @ts-ignore: decorator
@inline
function tableBytes(d: usize): usize {
  return <usize>dims(d) * at.CHUNK * 16;
}

// @ts-ignore: decorator
@inline
function tablesOf(d: usize, group: i32): usize {
  return load<usize>(d, at.CHUNK_TABLES) + <usize>group * (4 * tableBytes(d) + 2 * at.CHUNK * at.CHUNK * 16);
}

/** Numbers of a group's sums. */
// @ts-ignore: decorator
@inline
function sumCount(d: usize): usize {
  return (2 * <usize>dims(d) * at.CHUNK + at.CHUNK * at.CHUNK) * 4;
}

// @ts-ignore: decorator
@inline
function stateBytes(d: usize): usize {
  return <usize>load<i32>(d, at.CHUNK_MODES) * 64;
}

// @ts-ignore: decorator
@inline
function groupsOf(d: usize): i32 {
  return (load<i32>(d, at.CHUNK_CHANNELS) + 3) >> 2;
}

// Scratch: U, DY, Y (L × R), S, X, G, Λ (D × R); then of four groups states, and sums in float32.
// @ts-ignore: decorator
@inline
function narrow(d: usize, index: usize): usize {
  return load<usize>(d, at.CHUNK_SCRATCH) + index * L_BY_ROW;
}

// @ts-ignore: decorator
@inline
function wide(d: usize, index: usize): usize {
  return narrow(d, 3) + index * <usize>dims(d) * at.CHUNK_ROW;
}

// @ts-ignore: decorator
@inline
function stateOf(d: usize, slot: i32): usize {
  return wide(d, 4) + <usize>slot * stateBytes(d);
}

// @ts-ignore: decorator
@inline
function sumsOf(d: usize, slot: i32): usize {
  return wide(d, 4) + at.CHUNK_GROUPS * stateBytes(d) + <usize>slot * (sumCount(d) << 2);
}

export function chunksForward(d: usize, frames: i32): void {
  const groups = groupsOf(d);
  const tiles = (frames + at.CHUNK_TILE - 1) / at.CHUNK_TILE;
  const bytes = stateBytes(d);
  for (let first = 0; first < groups; first += at.CHUNK_GROUPS) {
    const count = min(at.CHUNK_GROUPS, groups - first);
    for (let slot = 0; slot < count; slot++) begin(d, stateOf(d, slot), first + slot);
    for (let tile = 0; tile < tiles; tile++) {
      const start = tile * at.CHUNK_TILE;
      const left = min(at.CHUNK_TILE, frames - start);
      for (let slot = 0; slot < count; slot++) {
        const group = first + slot;
        memory.copy(load<usize>(d, at.CHUNK_KEPT) + <usize>(group * tiles + tile) * bytes, stateOf(d, slot), bytes);
        tileForward(d, group, stateOf(d, slot), start, left);
        if (tile == tiles - 1) leave(d, group, slot, tiles, left);
      }
    }
  }
}

/** The state behind the last whole chunk, for whoever goes on from there; the tile's numbers are still in place. */
function leave(d: usize, group: i32, slot: i32, tiles: i32, frames: i32): void {
  const bytes = stateBytes(d);
  const end = load<usize>(d, at.CHUNK_END) + <usize>group * bytes;
  const kept = load<usize>(d, at.CHUNK_KEPT) + <usize>(group * tiles + tiles - 1) * bytes;
  memory.copy(end, kept, bytes);
  carry(d, group, end, frames / at.CHUNK);
}

function begin(d: usize, state: usize, group: i32): void {
  memory.copy(state, load<usize>(d, at.CHUNK_BEGIN) + <usize>group * stateBytes(d), stateBytes(d));
}

function tileForward(d: usize, group: i32, state: usize, start: i32, frames: i32): void {
  const columns = columnsFor(frames);
  const tables = tablesOf(d, group);
  gather(d, load<usize>(d, at.CHUNK_INPUT), group, start, frames, narrow(d, 0));
  product(dims(d), columns, at.CHUNK, tables, BLOCK_OF_L, narrow(d, 0), wide(d, 0), at.CHUNK_ROW, false);
  carry(d, group, state, columns);
  const W = tables + 2 * tableBytes(d);
  product(at.CHUNK, columns, dims(d), W, <usize>dims(d) * 64, wide(d, 1), narrow(d, 2), at.CHUNK_ROW, false);
  lower(tables + 4 * tableBytes(d), columns, narrow(d, 0), narrow(d, 2));
  scatter(d, narrow(d, 2), group, start, frames, load<usize>(d, at.CHUNK_OUTPUT), false);
}

/** Columns that hold so many frames, in whole pairs. */
// @ts-ignore: decorator
@inline
function columnsFor(frames: i32): i32 {
  return ((frames + at.CHUNK - 1) / at.CHUNK + 1) & ~1;
}

/** Y += T U of the lower triangle, by blocks of four rows. */
function lower(T: usize, columns: i32, u: usize, y: usize): void {
  for (let i = 0; i < at.CHUNK; i += 4, T += BLOCK_OF_L, y += 4 * at.CHUNK_ROW) {
    block(columns, i + 4, T, u, y, at.CHUNK_ROW, true);
  }
}

/** dU += Tᵀ dY of the upper triangle. */
function upper(T: usize, columns: i32, dy: usize, du: usize): void {
  for (let i = 0; i < at.CHUNK; i += 4, T += BLOCK_OF_L, du += 4 * at.CHUNK_ROW) {
    block(columns, at.CHUNK - i, T + (<usize>i << 6), dy + <usize>i * at.CHUNK_ROW, du, at.CHUNK_ROW, true);
  }
}

/** Four channels of `frames` frames as (L × R) vectors; zeros behind the end and beyond the last channel. */
function gather(d: usize, source: usize, group: i32, start: i32, frames: i32, to: usize): void {
  const channels = load<i32>(d, at.CHUNK_CHANNELS);
  const step = <usize>channels << 2;
  const lanes = min(4, channels - 4 * group);
  let from = source + <usize>start * step + (<usize>group << 4);
  const chunks = (frames + at.CHUNK - 1) / at.CHUNK;
  for (let r = 0; r < columnsFor(frames); r++) {
    let cell = to + (<usize>r << 4);
    const count = r < chunks ? min(at.CHUNK, frames - r * at.CHUNK) : 0;
    let s = 0;
    if (lanes == 4) {
      for (; s < count; s++, from += step, cell += at.CHUNK_ROW) v128.store(cell, v128.load(from));
    } else {
      for (; s < count; s++, from += step, cell += at.CHUNK_ROW) {
        v128.store(cell, f32x4.splat(0));
        storeLanes(cell, v128.load(from), lanes);
      }
    }
    for (; s < at.CHUNK; s++, cell += at.CHUNK_ROW) v128.store(cell, f32x4.splat(0));
  }
}

/** The reverse; adds where it is a gradient. */
function scatter(d: usize, from: usize, group: i32, start: i32, frames: i32, target: usize, isSum: bool): void {
  const channels = load<i32>(d, at.CHUNK_CHANNELS);
  const step = <usize>channels << 2;
  const lanes = min(4, channels - 4 * group);
  let to = target + <usize>start * step + (<usize>group << 4);
  for (let r = 0; frames > 0; r++) {
    let cell = from + (<usize>r << 4);
    for (let s = min(at.CHUNK, frames); s > 0; s--, cell += at.CHUNK_ROW, to += step) {
      let value = v128.load(cell);
      if (isSum) value = f32x4.add(value, v128.load(to));
      if (lanes == 4) v128.store(to, value);
      else storeLanes(to, value, lanes);
    }
    frames -= at.CHUNK;
  }
}

/** X[·, r] = x, x ← Ā^L x + S[·, r] for every chunk, x in float64. */
function carry(d: usize, group: i32, state: usize, columns: i32): void {
  const modes = load<i32>(d, at.CHUNK_MODES);
  const isComplex = load<i32>(d, at.CHUNK_PARTS) == 2;
  let power = load<usize>(d, at.CHUNK_POWERS) + <usize>group * stateBytes(d);
  let S = wide(d, 0);
  let X = wide(d, 1);
  for (let n = 0; n < modes; n++, power += 64, state += 64) {
    const a0 = v128.load(power);
    const a1 = v128.load(power, 16);
    const b0 = v128.load(power, 32);
    const b1 = v128.load(power, 48);
    let x0 = v128.load(state);
    let x1 = v128.load(state, 16);
    let y0 = v128.load(state, 32);
    let y1 = v128.load(state, 48);
    for (let r: usize = 0; r < <usize>columns << 4; r += 16) {
      v128.store(X + r, demote(x0, x1));
      const s = v128.load(S + r);
      const p0 = f64x2.add(f64x2.mul(a0, x0), f64x2.promote_low_f32x4(s));
      const p1 = f64x2.add(f64x2.mul(a1, x1), promoteHigh(s));
      if (isComplex) {
        v128.store(X + r, demote(y0, y1), at.CHUNK_ROW);
        const t = v128.load(S + r, at.CHUNK_ROW);
        const q0 = f64x2.add(f64x2.add(f64x2.mul(a0, y0), f64x2.mul(b0, x0)), f64x2.promote_low_f32x4(t));
        const q1 = f64x2.add(f64x2.add(f64x2.mul(a1, y1), f64x2.mul(b1, x1)), promoteHigh(t));
        x0 = f64x2.sub(p0, f64x2.mul(b0, y0));
        x1 = f64x2.sub(p1, f64x2.mul(b1, y1));
        y0 = q0;
        y1 = q1;
      } else {
        x0 = p0;
        x1 = p1;
      }
    }
    v128.store(state, quiet(x0));
    v128.store(state, quiet(x1), 16);
    v128.store(state, quiet(y0), 32);
    v128.store(state, quiet(y1), 48);
    S += isComplex ? 2 * at.CHUNK_ROW : at.CHUNK_ROW;
    X += isComplex ? 2 * at.CHUNK_ROW : at.CHUNK_ROW;
  }
}

/** What has decayed is 0: silence never runs on subnormals. */
// @ts-ignore: decorator
@inline
function quiet(x: v128): v128 {
  return v128.andnot(x, f64x2.lt(f64x2.abs(x), f64x2.splat(7.888609052210118e-31)));
}

/** The same backwards: λ stands behind chunk r; Λ[·, r] = λ, dĀ^L += λ conj(x_r), λ ← G[·, r] + conj(Ā^L) λ. */
function carryBack(d: usize, group: i32, state: usize, columns: i32): void {
  const modes = load<i32>(d, at.CHUNK_MODES);
  const isComplex = load<i32>(d, at.CHUNK_PARTS) == 2;
  let power = load<usize>(d, at.CHUNK_POWERS) + <usize>group * stateBytes(d);
  let sums = load<usize>(d, at.CHUNK_POWER_SUMS) + <usize>group * stateBytes(d);
  let X = wide(d, 1);
  let G = wide(d, 2);
  let R = wide(d, 3);
  for (let n = 0; n < modes; n++, power += 64, state += 64, sums += 64) {
    for (let half: usize = 0; half < 2; half++) {
      const a = v128.load(power + (half << 4));
      const b = v128.load(power + (half << 4), 32);
      let x = v128.load(state + (half << 4));
      let y = v128.load(state + (half << 4), 32);
      let da = v128.load(sums + (half << 4));
      let db = v128.load(sums + (half << 4), 32);
      for (let r = ((<usize>columns - 1) << 4) + (half << 3); ; r -= 16) {
        v128.store64_lane(R + r, f32x4.demote_f64x2_zero(x), 0);
        const past = f64x2.promote_low_f32x4(v128.load64_zero(X + r));
        const g = f64x2.promote_low_f32x4(v128.load64_zero(G + r));
        da = f64x2.add(da, f64x2.mul(x, past));
        const p = f64x2.add(f64x2.mul(a, x), g);
        if (isComplex) {
          v128.store64_lane(R + r + at.CHUNK_ROW, f32x4.demote_f64x2_zero(y), 0);
          const pastIm = f64x2.promote_low_f32x4(v128.load64_zero(X + r, at.CHUNK_ROW));
          const h = f64x2.promote_low_f32x4(v128.load64_zero(G + r, at.CHUNK_ROW));
          da = f64x2.add(da, f64x2.mul(y, pastIm));
          db = f64x2.add(db, f64x2.sub(f64x2.mul(y, past), f64x2.mul(x, pastIm)));
          const q = f64x2.add(f64x2.sub(f64x2.mul(a, y), f64x2.mul(b, x)), h);
          x = f64x2.add(p, f64x2.mul(b, y));
          y = q;
        } else {
          x = p;
        }
        if (r < 16) break;
      }
      v128.store(state + (half << 4), quiet(x));
      v128.store(state + (half << 4), quiet(y), 32);
      v128.store(sums + (half << 4), da);
      v128.store(sums + (half << 4), db, 32);
    }
    X += isComplex ? 2 * at.CHUNK_ROW : at.CHUNK_ROW;
    G += isComplex ? 2 * at.CHUNK_ROW : at.CHUNK_ROW;
    R += isComplex ? 2 * at.CHUNK_ROW : at.CHUNK_ROW;
  }
}

export function chunksBack(d: usize, frames: i32): void {
  const groups = groupsOf(d);
  const tiles = (frames + at.CHUNK_TILE - 1) / at.CHUNK_TILE;
  const bytes = stateBytes(d);
  const sumBytes = sumCount(d) << 2;
  const isWanted = load<i32>(d, at.CHUNK_WANTED) != 0;
  for (let first = 0; first < groups; first += at.CHUNK_GROUPS) {
    const count = min(at.CHUNK_GROUPS, groups - first);
    memory.fill(stateOf(d, 0), 0, <usize>count * bytes);
    memory.fill(sumsOf(d, 0), 0, <usize>count * sumBytes);
    for (let tile = tiles - 1; tile >= 0; tile--) {
      const start = tile * at.CHUNK_TILE;
      const left = min(at.CHUNK_TILE, frames - start);
      for (let slot = 0; slot < count; slot++) {
        const kept = load<usize>(d, at.CHUNK_KEPT) + <usize>((first + slot) * tiles + tile) * bytes;
        tileBack(d, first + slot, slot, kept, start, left, isWanted);
      }
      if (!isWanted || tile % at.CHUNK_WIDEN != 0) continue;
      for (let slot = 0; slot < count; slot++) {
        const to = load<usize>(d, at.CHUNK_SUMS) + <usize>(first + slot) * (sumBytes << 1);
        widen(sumsOf(d, slot), to, <i32>sumCount(d));
      }
    }
  }
}

function tileBack(
  d: usize,
  group: i32,
  slot: i32,
  kept: usize,
  start: i32,
  frames: i32,
  isWanted: bool,
): void {
  const columns = columnsFor(frames);
  const D = dims(d);
  const tables = tablesOf(d, group);
  const bytes = tableBytes(d);
  gather(d, load<usize>(d, at.CHUNK_INPUT), group, start, frames, narrow(d, 0));
  gather(d, load<usize>(d, at.CHUNK_D_OUTPUT), group, start, frames, narrow(d, 1));
  product(D, columns, at.CHUNK, tables, BLOCK_OF_L, narrow(d, 0), wide(d, 0), at.CHUNK_ROW, false);
  carry(d, group, kept, columns);
  product(D, columns, at.CHUNK, tables + 3 * bytes, BLOCK_OF_L, narrow(d, 1), wide(d, 2), at.CHUNK_ROW, false);
  carryBack(d, group, stateOf(d, slot), columns);
  const target = load<usize>(d, at.CHUNK_D_INPUT);
  if (target != 0) {
    product(at.CHUNK, columns, D, tables + bytes, <usize>D * 64, wide(d, 3), narrow(d, 2), at.CHUNK_ROW, false);
    upper(tables + 4 * bytes + at.CHUNK * at.CHUNK * 16, columns, narrow(d, 1), narrow(d, 2));
    scatter(d, narrow(d, 2), group, start, frames, target, true);
  }
  if (!isWanted) return;
  const sums = sumsOf(d, slot);
  productOfRows(D, at.CHUNK, columns, wide(d, 3), narrow(d, 0), at.CHUNK_ROW, sums, at.CHUNK * 16);
  productOfRows(at.CHUNK, D, columns, narrow(d, 1), wide(d, 1), at.CHUNK_ROW, sums + bytes, <usize>D * 16);
  let to = sums + 2 * bytes;
  let dy = narrow(d, 1);
  for (let i = 0; i < at.CHUNK; i += 4, dy += 4 * at.CHUNK_ROW, to += 4 * at.CHUNK * 16) {
    productOfRows(4, i + 4, columns, dy, narrow(d, 0), at.CHUNK_ROW, to, at.CHUNK * 16);
  }
}
