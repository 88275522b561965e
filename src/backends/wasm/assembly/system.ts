// A dense system in discrete time, in float64: y = C x + D u, then x ← A x + B u, as one product with M = [C D; A B],
// whose rows are the lanes; every row's sum runs over x, then over u.

import * as at from '../layout';
import { madd2, roundToSingle, single } from './wide';

/** State below 2⁻⁵⁰⁰ becomes 0: a filter that rings out never runs on subnormal numbers. */
// @ts-ignore: decorator
@inline
function settled(x: v128): v128 {
  return v128.andnot(x, f64x2.lt(f64x2.abs(x), f64x2.splat(3.054936363499605e-151)));
}

export function system(d: usize, frames: i32): void {
  const states = load<i32>(d, at.SYSTEM_STATES);
  const inputs = load<i32>(d, at.SYSTEM_INPUTS);
  const outputs = load<i32>(d, at.SYSTEM_OUTPUTS);
  const outputVectors = load<i32>(d, at.SYSTEM_OUTPUT_VECTORS);
  const stateVectors = load<i32>(d, at.SYSTEM_STATE_VECTORS);
  const isRounded = load<i32>(d, at.SYSTEM_ROUNDED) != 0;
  const matrix = load<usize>(d, at.SYSTEM_MATRIX);
  const x = load<usize>(d, at.SYSTEM_SCRATCH);
  const u = x + (<usize>states << 3);
  const next = x + (<usize>((states + inputs + 1) & ~1) << 3);
  const columns = states + inputs;
  const columnBytes = <usize>(outputVectors + stateVectors) << 4;
  let from = load<usize>(d, at.SYSTEM_INPUT);
  let to = load<usize>(d, at.SYSTEM_OUTPUT);
  read(d, x, states, isRounded);
  for (; frames > 0; frames--) {
    for (let i = 0; i < inputs; i++, from += 4) store<f64>(u + (<usize>i << 3), <f64>load<f32>(from));
    let row = matrix;
    for (let i = 0; i < outputs; i += 2, row += 16) {
      const y = product(row, columnBytes, x, columns);
      store<f32>(to, single(f64x2.extract_lane(y, 0)));
      if (i + 1 < outputs) store<f32>(to, single(f64x2.extract_lane(y, 1)), 4);
      to += <usize>min(2, outputs - i) << 2;
    }
    for (let i = 0; i < stateVectors; i++, row += 16) {
      let value = settled(product(row, columnBytes, x, columns));
      if (isRounded) value = roundToSingle(value);
      v128.store(next + (<usize>i << 4), value);
    }
    // Element by element: of an odd number of states the last vector holds one, and u stands behind it.
    for (let i: usize = 0; i < <usize>states << 3; i += 8) store<f64>(x + i, load<f64>(next + i));
  }
  write(d, x, states, isRounded);
}

// @ts-ignore: decorator
@inline
function product(row: usize, columnBytes: usize, x: usize, columns: i32): v128 {
  let total = f64x2.mul(v128.load(row), v128.load64_splat(x));
  for (let left = columns - 1; left > 0; left--) {
    row += columnBytes;
    x += 8;
    total = madd2(v128.load(row), v128.load64_splat(x), total);
  }
  return total;
}

function read(d: usize, x: usize, states: i32, isSingle: bool): void {
  let from = load<usize>(d, at.SYSTEM_STATE);
  if (!isSingle) {
    memory.copy(x, from, <usize>states << 3);
    return;
  }
  for (; states > 0; states--, from += 4, x += 8) store<f64>(x, <f64>load<f32>(from));
}

function write(d: usize, x: usize, states: i32, isSingle: bool): void {
  let to = load<usize>(d, at.SYSTEM_STATE);
  if (!isSingle) {
    memory.copy(to, x, <usize>states << 3);
    return;
  }
  for (; states > 0; states--, to += 4, x += 8) store<f32>(to, <f32>load<f64>(x));
}
