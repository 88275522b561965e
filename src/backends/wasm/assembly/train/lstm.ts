// The recurrence of an LSTM, see src/ops/lstm-cell.ts for the equations. States are kept every CELL_BLOCK frames, and
// a block's are computed again on the way back.
//
// | symbol | shape |
// | --- | --- |
// | gates | (frames × 4H): σ, σ, tanh, σ of the arguments; on the way back their slopes |
// | hs, cs | (frames + 1 × H), from the state before the block on |

import { sigmoid, tanh } from '../pointwise';
import { storeLanes } from '../linear';
import { madd, nmadd } from '../vector';
import * as at from '../../train/layout';
import { product } from './product';
import { accumulate, columnSums, widen } from './sums';

// @ts-ignore: decorator
@inline
function row(d: usize): usize {
  return load<usize>(d, at.CELL_UNITS) << 2;
}

// Scratch: gates, hs, cs, dh, dc.
// @ts-ignore: decorator
@inline
function hsOf(d: usize): usize {
  return load<usize>(d, at.CELL_SCRATCH) + at.CELL_BLOCK * 4 * row(d);
}

// @ts-ignore: decorator
@inline
function csOf(d: usize): usize {
  return hsOf(d) + (at.CELL_BLOCK + 1) * row(d);
}

export function lstmForward(d: usize, frames: i32): void {
  const bytes = row(d);
  const hs = hsOf(d);
  const cs = csOf(d);
  memory.copy(hs, load<usize>(d, at.CELL_BEGIN), bytes);
  memory.copy(cs, load<usize>(d, at.CELL_BEGIN) + bytes, bytes);
  let kept = load<usize>(d, at.CELL_KEPT);
  let gx = load<usize>(d, at.CELL_GX);
  let output = load<usize>(d, at.CELL_OUTPUT);
  for (; frames > 0; frames -= at.CELL_BLOCK) {
    const count = <usize>min(frames, at.CELL_BLOCK);
    memory.copy(kept, hs, bytes);
    memory.copy(kept + bytes, cs, bytes);
    kept += 2 * bytes;
    run(d, gx, <i32>count);
    memory.copy(output, hs + bytes, count * bytes);
    memory.copy(hs, hs + count * bytes, bytes);
    memory.copy(cs, cs + count * bytes, bytes);
    gx += 4 * count * bytes;
    output += count * bytes;
  }
  const end = load<usize>(d, at.CELL_END);
  memory.copy(end, hs, bytes);
  memory.copy(end + bytes, cs, bytes);
}

/** A block from the state in the first rows of hs and cs. */
function run(d: usize, gx: usize, frames: i32): void {
  const units = load<i32>(d, at.CELL_UNITS);
  const bytes = row(d);
  const bias = load<usize>(d, at.CELL_BIAS);
  const weight = load<usize>(d, at.CELL_TRANSPOSED);
  let gates = load<usize>(d, at.CELL_SCRATCH);
  let h = hsOf(d);
  let c = csOf(d);
  memory.copy(gates, gx, 4 * bytes * <usize>frames);
  for (; frames > 0; frames--, gates += 4 * bytes, h += bytes, c += bytes) {
    if (bias != 0) accumulate(bias, gates, 4 * units);
    product(1, 4 * units, units, h, 0, 4, weight, 4 * bytes, gates, 0);
    let offset: usize = 0;
    for (let left = units; left > 0; left -= 4, offset += 16) {
      const i = sigmoid(v128.load(gates + offset));
      const f = sigmoid(v128.load(gates + bytes + offset));
      const g = tanh(v128.load(gates + 2 * bytes + offset));
      const o = sigmoid(v128.load(gates + 3 * bytes + offset));
      const cell = madd(f, v128.load(c + offset), f32x4.mul(i, g));
      const hidden = f32x4.mul(o, tanh(cell));
      put(gates + offset, i, left);
      put(gates + bytes + offset, f, left);
      put(gates + 2 * bytes + offset, g, left);
      put(gates + 3 * bytes + offset, o, left);
      put(c + bytes + offset, cell, left);
      put(h + bytes + offset, hidden, left);
    }
  }
}

// @ts-ignore: decorator
@inline
function put(to: usize, value: v128, left: i32): void {
  if (left >= 4) v128.store(to, value);
  else storeLanes(to, value, left);
}

export function lstmBack(d: usize, frames: i32): void {
  const units = load<i32>(d, at.CELL_UNITS);
  const bytes = row(d);
  const hs = hsOf(d);
  const cs = csOf(d);
  const dh = cs + (at.CELL_BLOCK + 1) * bytes;
  const gates = load<usize>(d, at.CELL_SCRATCH);
  memory.fill(dh, 0, 2 * bytes);
  const blocks = (frames + at.CELL_BLOCK - 1) / at.CELL_BLOCK;
  for (let b = blocks - 1; b >= 0; b--) {
    const first = <usize>b * at.CELL_BLOCK;
    const count = min(at.CELL_BLOCK, frames - <i32>first);
    memory.copy(hs, load<usize>(d, at.CELL_KEPT) + <usize>b * 2 * bytes, bytes);
    memory.copy(cs, load<usize>(d, at.CELL_KEPT) + <usize>b * 2 * bytes + bytes, bytes);
    run(d, load<usize>(d, at.CELL_GX) + first * 4 * bytes, count);
    slopes(d, load<usize>(d, at.CELL_D_OUTPUT) + first * bytes, dh, count);
    const dGx = load<usize>(d, at.CELL_D_GX);
    if (dGx != 0) accumulate(gates, dGx + first * 4 * bytes, count * 4 * units);
    gather(d, gates, 4, hs, count);
  }
  const begin = load<usize>(d, at.CELL_D_BEGIN);
  memory.copy(begin, dh, 2 * bytes);
}

/** dW += daᵀ h and db += Σ da over a block, on to float64. */
export function gather(d: usize, da: usize, gates: i32, hs: usize, frames: i32): void {
  const units = load<i32>(d, at.CELL_UNITS);
  const bytes = row(d);
  const wide = <usize>gates * bytes;
  const dWeight = load<usize>(d, at.CELL_D_WEIGHT);
  if (dWeight != 0) {
    const sums = load<usize>(d, at.CELL_WEIGHT_SUMS);
    product(gates * units, units, frames, da, 4, wide, hs, bytes, sums, bytes);
    widen(sums, dWeight, gates * units * units);
  }
  const dBias = load<usize>(d, at.CELL_D_BIAS);
  if (dBias != 0) {
    const sums = load<usize>(d, at.CELL_BIAS_SUMS);
    columnSums(da, frames, gates * units, wide, sums);
    widen(sums, dBias, gates * units);
  }
}

/** The gates of a block become the slopes of their arguments; dh and dc those of the state before it. */
function slopes(d: usize, dOutput: usize, dh: usize, frames: i32): void {
  const units = load<i32>(d, at.CELL_UNITS);
  const bytes = row(d);
  const weight = load<usize>(d, at.CELL_WEIGHT);
  const one = f32x4.splat(1);
  for (let k = frames - 1; k >= 0; k--) {
    const gates = load<usize>(d, at.CELL_SCRATCH) + <usize>k * 4 * bytes;
    const c = csOf(d) + <usize>k * bytes;
    const dy = dOutput + <usize>k * bytes;
    let offset: usize = 0;
    for (let left = units; left > 0; left -= 4, offset += 16) {
      const i = v128.load(gates + offset);
      const f = v128.load(gates + bytes + offset);
      const g = v128.load(gates + 2 * bytes + offset);
      const o = v128.load(gates + 3 * bytes + offset);
      const t = tanh(v128.load(c + bytes + offset));
      const slope = f32x4.add(v128.load(dy + offset), v128.load(dh + offset));
      const inner = f32x4.mul(f32x4.mul(slope, o), nmadd(t, t, one));
      const dCell = f32x4.add(v128.load(dh + bytes + offset), inner);
      const past = v128.load(c + offset);
      put(gates + offset, f32x4.mul(f32x4.mul(dCell, g), nmadd(i, i, i)), left);
      put(gates + bytes + offset, f32x4.mul(f32x4.mul(dCell, past), nmadd(f, f, f)), left);
      put(gates + 2 * bytes + offset, f32x4.mul(f32x4.mul(dCell, i), nmadd(g, g, one)), left);
      put(gates + 3 * bytes + offset, f32x4.mul(f32x4.mul(slope, t), nmadd(o, o, o)), left);
      put(dh + bytes + offset, f32x4.mul(dCell, f), left);
    }
    memory.fill(dh, 0, bytes);
    product(1, units, 4 * units, gates, 0, 4, weight, bytes, dh, 0);
  }
}
