// The recurrence of a GRU that resets after the product, see src/ops/gru-cell.ts for the equations. States are kept
// every CELL_BLOCK frames, and a block's are computed again on the way back.
//
// | symbol | shape |
// | --- | --- |
// | gates | (frames × 3H): r, z, n; on the way back the slopes of their arguments |
// | inner | (frames × 3H): W h + b, the last third of which r multiplies; on the way back its slopes |
// | hs | (frames + 1 × H), from the state before the block on |

import { sigmoid, tanh } from '../pointwise';
import { storeLanes } from '../linear';
import { madd, nmadd } from '../vector';
import * as at from '../../train/layout';
import { gather } from './lstm';
import { product } from './product';
import { accumulate } from './sums';

// @ts-ignore: decorator
@inline
function row(d: usize): usize {
  return load<usize>(d, at.CELL_UNITS) << 2;
}

// Scratch: gates, inner, hs, dh.
// @ts-ignore: decorator
@inline
function innerOf(d: usize): usize {
  return load<usize>(d, at.CELL_SCRATCH) + at.CELL_BLOCK * 3 * row(d);
}

// @ts-ignore: decorator
@inline
function hsOf(d: usize): usize {
  return innerOf(d) + at.CELL_BLOCK * 3 * row(d);
}

export function gruForward(d: usize, frames: i32): void {
  const bytes = row(d);
  const hs = hsOf(d);
  memory.copy(hs, load<usize>(d, at.CELL_BEGIN), bytes);
  let kept = load<usize>(d, at.CELL_KEPT);
  let gx = load<usize>(d, at.CELL_GX);
  let output = load<usize>(d, at.CELL_OUTPUT);
  for (; frames > 0; frames -= at.CELL_BLOCK) {
    const count = <usize>min(frames, at.CELL_BLOCK);
    memory.copy(kept, hs, bytes);
    kept += bytes;
    run(d, gx, <i32>count);
    memory.copy(output, hs + bytes, count * bytes);
    memory.copy(hs, hs + count * bytes, bytes);
    gx += 3 * count * bytes;
    output += count * bytes;
  }
  memory.copy(load<usize>(d, at.CELL_END), hs, bytes);
}

function run(d: usize, gx: usize, frames: i32): void {
  const units = load<i32>(d, at.CELL_UNITS);
  const bytes = row(d);
  const bias = load<usize>(d, at.CELL_BIAS);
  const weight = load<usize>(d, at.CELL_TRANSPOSED);
  let gates = load<usize>(d, at.CELL_SCRATCH);
  let inner = innerOf(d);
  let h = hsOf(d);
  const one = f32x4.splat(1);
  for (; frames > 0; frames--, gx += 3 * bytes, gates += 3 * bytes, inner += 3 * bytes, h += bytes) {
    if (bias != 0) memory.copy(inner, bias, 3 * bytes);
    else memory.fill(inner, 0, 3 * bytes);
    product(1, 3 * units, units, h, 0, 4, weight, 3 * bytes, inner, 0);
    let offset: usize = 0;
    for (let left = units; left > 0; left -= 4, offset += 16) {
      const r = sigmoid(f32x4.add(v128.load(gx + offset), v128.load(inner + offset)));
      const z = sigmoid(f32x4.add(v128.load(gx + bytes + offset), v128.load(inner + bytes + offset)));
      const n = tanh(madd(r, v128.load(inner + 2 * bytes + offset), v128.load(gx + 2 * bytes + offset)));
      const past = v128.load(h + offset);
      put(gates + offset, r, left);
      put(gates + bytes + offset, z, left);
      put(gates + 2 * bytes + offset, n, left);
      put(h + bytes + offset, madd(z, past, f32x4.mul(f32x4.sub(one, z), n)), left);
    }
  }
}

// @ts-ignore: decorator
@inline
function put(to: usize, value: v128, left: i32): void {
  if (left >= 4) v128.store(to, value);
  else storeLanes(to, value, left);
}

export function gruBack(d: usize, frames: i32): void {
  const units = load<i32>(d, at.CELL_UNITS);
  const bytes = row(d);
  const hs = hsOf(d);
  const dh = hs + (at.CELL_BLOCK + 1) * bytes;
  const gates = load<usize>(d, at.CELL_SCRATCH);
  memory.fill(dh, 0, bytes);
  const blocks = (frames + at.CELL_BLOCK - 1) / at.CELL_BLOCK;
  for (let b = blocks - 1; b >= 0; b--) {
    const first = <usize>b * at.CELL_BLOCK;
    const count = min(at.CELL_BLOCK, frames - <i32>first);
    memory.copy(hs, load<usize>(d, at.CELL_KEPT) + <usize>b * bytes, bytes);
    run(d, load<usize>(d, at.CELL_GX) + first * 3 * bytes, count);
    slopes(d, load<usize>(d, at.CELL_D_OUTPUT) + first * bytes, dh, count);
    const dGx = load<usize>(d, at.CELL_D_GX);
    if (dGx != 0) accumulate(gates, dGx + first * 3 * bytes, count * 3 * units);
    gather(d, innerOf(d), 3, hs, count);
  }
  memory.copy(load<usize>(d, at.CELL_D_BEGIN), dh, bytes);
}

function slopes(d: usize, dOutput: usize, dh: usize, frames: i32): void {
  const units = load<i32>(d, at.CELL_UNITS);
  const bytes = row(d);
  const weight = load<usize>(d, at.CELL_WEIGHT);
  const one = f32x4.splat(1);
  for (let k = frames - 1; k >= 0; k--) {
    const gates = load<usize>(d, at.CELL_SCRATCH) + <usize>k * 3 * bytes;
    const inner = innerOf(d) + <usize>k * 3 * bytes;
    const h = hsOf(d) + <usize>k * bytes;
    const dy = dOutput + <usize>k * bytes;
    let offset: usize = 0;
    for (let left = units; left > 0; left -= 4, offset += 16) {
      const r = v128.load(gates + offset);
      const z = v128.load(gates + bytes + offset);
      const n = v128.load(gates + 2 * bytes + offset);
      const slope = f32x4.add(v128.load(dy + offset), v128.load(dh + offset));
      const dz = f32x4.mul(f32x4.mul(slope, f32x4.sub(v128.load(h + offset), n)), nmadd(z, z, z));
      const dn = f32x4.mul(f32x4.mul(slope, f32x4.sub(one, z)), nmadd(n, n, one));
      const dr = f32x4.mul(f32x4.mul(dn, v128.load(inner + 2 * bytes + offset)), nmadd(r, r, r));
      put(gates + offset, dr, left);
      put(gates + bytes + offset, dz, left);
      put(gates + 2 * bytes + offset, dn, left);
      put(inner + offset, dr, left);
      put(inner + bytes + offset, dz, left);
      put(inner + 2 * bytes + offset, f32x4.mul(dn, r), left);
      put(dh + offset, f32x4.mul(slope, z), left);
    }
    product(1, units, 3 * units, inner, 0, 4, weight, bytes, dh, 0);
  }
}
