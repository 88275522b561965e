// Functions of one number and of two, element by element over frames that follow each other, in float32.
// Relative error 5e-7 at most where the function itself is well conditioned; NaN stays NaN. Products, sums and
// differences below 2⁻¹⁰⁰ are 0, as state is: whoever reads them would run on subnormal numbers.

import * as at from '../layout';
import { circular } from './elementary';
import { storeLanes } from './linear';
import { exp, gelu, geluTanh, log, sigmoid, silu, softplus, tanh } from './transcendental';
import { flushed, product } from './vector';

export { exp, normalCdf, sigmoid, tanh } from './transcendental';

/** `count` numbers. Up to three beyond them are read, never written. */
export function unary(code: i32, from: usize, to: usize, count: i32): void {
  // One loop a function: a decision at every vector would cost as much as the function.
  switch (code) {
    case at.NEG:
      return each(at.NEG, from, to, count);
    case at.ABS:
      return each(at.ABS, from, to, count);
    case at.SQUARE:
      return each(at.SQUARE, from, to, count);
    case at.SQRT:
      return each(at.SQRT, from, to, count);
    case at.RECIPROCAL:
      return each(at.RECIPROCAL, from, to, count);
    case at.EXP:
      return each(at.EXP, from, to, count);
    case at.LOG:
      return each(at.LOG, from, to, count);
    case at.TANH:
      return each(at.TANH, from, to, count);
    case at.RELU:
      return each(at.RELU, from, to, count);
    case at.SIGMOID:
      return each(at.SIGMOID, from, to, count);
    case at.SOFTPLUS:
      return each(at.SOFTPLUS, from, to, count);
    case at.SILU:
      return each(at.SILU, from, to, count);
    case at.GELU:
      return each(at.GELU, from, to, count);
    case at.GELU_TANH:
      return each(at.GELU_TANH, from, to, count);
    case at.SIN:
      return each(at.SIN, from, to, count);
    case at.COS:
      return each(at.COS, from, to, count);
  }
}

// @ts-ignore: decorator
@inline
function each(code: i32, from: usize, to: usize, count: i32): void {
  for (; count > 0; count -= 4, from += 16, to += 16) {
    const value = apply(code, v128.load(from));
    if (count >= 4) v128.store(to, value);
    else storeLanes(to, value, count);
  }
}

/** Two inputs of `count` numbers each. */
export function binary(code: i32, a: usize, b: usize, to: usize, count: i32): void {
  for (; count >= 4; count -= 4, a += 16, b += 16, to += 16) {
    v128.store(to, combine(code, v128.load(a), v128.load(b)));
  }
  if (count > 0) storeLanes(to, combine(code, v128.load(a), v128.load(b)), count);
}

/** The same where b is a constant: whole vectors that begin anew after `period` bytes. */
export function binaryConstant(code: i32, a: usize, b: usize, period: usize, to: usize, count: i32): void {
  const end = b + period;
  let c = b;
  for (; count >= 4; count -= 4, a += 16, to += 16) {
    v128.store(to, combine(code, v128.load(a), v128.load(c)));
    c += 16;
    if (c == end) c = b;
  }
  if (count > 0) storeLanes(to, combine(code, v128.load(a), v128.load(c)), count);
}

/** Two signals that broadcast, row by row of the output's frames. */
export function binaryRows(code: i32, d: usize, frames: i32): void {
  const size = load<i32>(d, at.ROWS_SIZE);
  const aMoves = load<i32>(d, at.ROWS_A_MOVES) != 0;
  const bMoves = load<i32>(d, at.ROWS_B_MOVES) != 0;
  const table = load<usize>(d, at.ROWS_TABLE);
  const last = table + (load<usize>(d, at.ROWS_COUNT) << 3);
  let a = load<usize>(d, at.ROWS_A);
  let b = load<usize>(d, at.ROWS_B);
  let to = load<usize>(d, at.ROWS_OUTPUT);
  for (; frames > 0; frames--) {
    for (let row = table; row < last; row += 8) {
      let aAt = a + load<usize>(row);
      let bAt = b + load<usize>(row, 4);
      for (let left = size; left > 0; left -= at.LANES) {
        const x = aMoves ? v128.load(aAt) : v128.load32_splat(aAt);
        const y = bMoves ? v128.load(bAt) : v128.load32_splat(bAt);
        const value = combine(code, x, y);
        const lanes = min(left, at.LANES);
        if (lanes == at.LANES) v128.store(to, value);
        else storeLanes(to, value, lanes);
        to += <usize>lanes << 2;
        if (aMoves) aAt += at.VECTOR;
        if (bMoves) bAt += at.VECTOR;
      }
    }
    a += load<usize>(d, at.ROWS_A_STEP);
    b += load<usize>(d, at.ROWS_B_STEP);
  }
}

function combine(code: i32, a: v128, b: v128): v128 {
  switch (code) {
    case at.ADD:
      return flushed(f32x4.add(a, b));
    case at.SUB:
      return flushed(f32x4.sub(a, b));
    case at.MUL:
      return product(a, b);
    case at.DIV:
      return f32x4.div(a, b);
    case at.SUB_FROM:
      return flushed(f32x4.sub(b, a));
    default:
      return f32x4.div(b, a);
  }
}

// @ts-ignore: decorator
@inline
function apply(code: i32, x: v128): v128 {
  switch (code) {
    case at.NEG:
      return f32x4.neg(x);
    case at.ABS:
      return f32x4.abs(x);
    case at.SQUARE:
      return product(x, x);
    case at.SQRT:
      return f32x4.sqrt(x);
    case at.RECIPROCAL:
      return f32x4.div(f32x4.splat(1), x);
    case at.EXP:
      return exp(x);
    case at.LOG:
      return log(x);
    case at.TANH:
      return tanh(x);
    case at.RELU:
      return f32x4.pmax(x, f32x4.splat(0));
    case at.SIGMOID:
      return sigmoid(x);
    case at.SOFTPLUS:
      return softplus(x);
    case at.SILU:
      return silu(x);
    case at.GELU:
      return gelu(x);
    case at.SIN:
      return circular(x, false);
    case at.COS:
      return circular(x, true);
    default:
      return geluTanh(x);
  }
}
