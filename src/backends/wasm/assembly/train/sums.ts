// Sums over frames, and from float32 into float64.

import { storeLanes } from '../linear';
import { promoteHigh } from '../vector';

/** to[i] += from[i] in float64; from becomes 0. */
export function widen(from: usize, to: usize, count: i32): void {
  for (; count >= 4; count -= 4, from += 16, to += 32) {
    const value = v128.load(from);
    v128.store(to, f64x2.add(v128.load(to), f64x2.promote_low_f32x4(value)));
    v128.store(to, f64x2.add(v128.load(to, 16), promoteHigh(value)), 16);
    v128.store(from, f32x4.splat(0));
  }
  for (; count > 0; count--, from += 4, to += 8) {
    store<f64>(to, load<f64>(to) + <f64>load<f32>(from));
    store<f32>(from, 0);
  }
}

/** to[i] += from[i] */
export function accumulate(from: usize, to: usize, count: i32): void {
  for (; count >= 4; count -= 4, from += 16, to += 16) {
    v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
  }
  for (; count > 0; count--, from += 4, to += 4) store<f32>(to, load<f32>(to) + load<f32>(from));
}

/** to[i] += Σ_k from[k, i] over `rows` rows of `columns`, in float32: for few rows. */
export function columnSums(from: usize, rows: i32, columns: i32, rowStep: usize, to: usize): void {
  for (; columns > 0; columns -= 4, from += 16, to += 16) {
    let even = f32x4.splat(0);
    let odd = even;
    let at = from;
    let k = rows;
    for (; k >= 2; k -= 2) {
      even = f32x4.add(even, v128.load(at));
      at += rowStep;
      odd = f32x4.add(odd, v128.load(at));
      at += rowStep;
    }
    if (k > 0) even = f32x4.add(even, v128.load(at));
    const sum = f32x4.add(v128.load(to), f32x4.add(even, odd));
    if (columns >= 4) v128.store(to, sum);
    else storeLanes(to, sum, columns);
  }
}

/** Every one of `rows` rows becomes a copy of `from`; 0 where `from` is 0. */
export function fillRows(from: usize, rows: i32, bytes: usize, to: usize, rowStep: usize): void {
  for (; rows > 0; rows--, to += rowStep) {
    if (from != 0) memory.copy(to, from, bytes);
    else memory.fill(to, 0, bytes);
  }
}
