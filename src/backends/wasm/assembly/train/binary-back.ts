// da += dy ∂f/∂a and db += dy ∂f/∂b of the functions of two, where either may be broadcast within a frame.

import * as codes from '../../layout';
import { storeLanes } from '../linear';
import { sum } from '../vector';
import * as at from '../../train/layout';

// One body for all: which function it is, is known when it is compiled.
type Add = i32;
type Sub = i64;
type Mul = f32;
type Div = f64;

export function binaryBack(code: i32, d: usize, frames: i32): void {
  if (code == codes.ADD) rows<Add>(d, frames);
  else if (code == codes.SUB) rows<Sub>(d, frames);
  else if (code == codes.MUL) rows<Mul>(d, frames);
  else rows<Div>(d, frames);
}

function rows<F>(d: usize, frames: i32): void {
  const size = load<i32>(d, at.BACK_SIZE);
  const table = load<usize>(d, at.BACK_TABLE);
  const last = table + (load<usize>(d, at.BACK_ROWS) << 3);
  const aMoves = load<i32>(d, at.BACK_A_MOVES) != 0;
  const bMoves = load<i32>(d, at.BACK_B_MOVES) != 0;
  const aStep = load<usize>(d, at.BACK_A_STEP);
  const bStep = load<usize>(d, at.BACK_B_STEP);
  const hasA = load<usize>(d, at.BACK_DA) != 0;
  const hasB = load<usize>(d, at.BACK_DB) != 0;
  let a = load<usize>(d, at.BACK_A);
  let b = load<usize>(d, at.BACK_B);
  let da = load<usize>(d, at.BACK_DA);
  let db = load<usize>(d, at.BACK_DB);
  let dy = load<usize>(d, at.BACK_DY);
  for (; frames > 0; frames--) {
    for (let row = table; row < last; row += 8) {
      const aAt = load<usize>(row);
      const bAt = load<usize>(row, 4);
      if (hasA) toA<F>(a + aAt, b + bAt, dy, da + aAt, size, aMoves, bMoves);
      if (hasB) toB<F>(a + aAt, b + bAt, dy, db + bAt, size, aMoves, bMoves);
      dy += <usize>size << 2;
    }
    a += aStep;
    da += aStep;
    b += bStep;
    db += bStep;
  }
}

/** The first `count` lanes, the others 0. */
// @ts-ignore: decorator
@inline
function held(value: v128, count: i32): v128 {
  const lanes = i32x4.lt_s(i32x4(0, 1, 2, 3), i32x4.splat(count));
  return v128.and(value, lanes);
}

// @ts-ignore: decorator
@inline
function give(to: usize, value: v128, count: i32): void {
  const total = f32x4.add(v128.load(to), value);
  if (count >= 4) v128.store(to, total);
  else storeLanes(to, total, count);
}

// @ts-ignore: decorator
@inline
function toA<F>(a: usize, b: usize, dy: usize, da: usize, size: i32, aMoves: bool, bMoves: bool): void {
  let total = f32x4.splat(0);
  for (let left = size; left > 0; left -= 4, dy += 16) {
    let value = v128.load(dy);
    if (isFloat<F>()) {
      const y = bMoves ? v128.load(b) : v128.load32_splat(b);
      value = sizeof<F>() == 4 ? f32x4.mul(value, y) : f32x4.div(value, y);
      if (bMoves) b += 16;
    }
    if (aMoves) {
      give(da, value, left);
      da += 16;
    } else {
      total = f32x4.add(total, left >= 4 ? value : held(value, left));
    }
  }
  if (!aMoves) store<f32>(da, load<f32>(da) + sum(total));
}

// @ts-ignore: decorator
@inline
function toB<F>(a: usize, b: usize, dy: usize, db: usize, size: i32, aMoves: bool, bMoves: bool): void {
  let total = f32x4.splat(0);
  for (let left = size; left > 0; left -= 4, dy += 16) {
    let value = v128.load(dy);
    if (isFloat<F>()) {
      const x = aMoves ? v128.load(a) : v128.load32_splat(a);
      value = f32x4.mul(value, x);
      if (sizeof<F>() == 8) {
        const y = bMoves ? v128.load(b) : v128.load32_splat(b);
        value = f32x4.neg(f32x4.div(f32x4.div(value, y), y));
        if (bMoves) b += 16;
      }
      if (aMoves) a += 16;
    } else if (sizeof<F>() == 8) {
      value = f32x4.neg(value);
    }
    if (bMoves) {
      give(db, value, left);
      db += 16;
    } else {
      total = f32x4.add(total, left >= 4 ? value : held(value, left));
    }
  }
  if (!bMoves) store<f32>(db, load<f32>(db) + sum(total));
}
