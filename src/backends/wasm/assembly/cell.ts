// The recurrences of LSTM and GRU. Rows of the recurrent matrix are the lanes, in panels of 16 rows that begin with
// every gate's own whole vectors; even and odd columns have sums of their own, which are added at the end.

import * as at from '../layout';
import { storeLanes } from './linear';
import { sigmoid, tanh } from './transcendental';
import { flushed, madd } from './vector';

/** y = W x + b by panels; `columns` numbers of x. Gives the address behind the last panel. */
function product(w: usize, bias: usize, x: usize, columns: i32, y: usize, panels: i32): usize {
  const even = <usize>(columns & ~1) << 2;
  for (; panels > 0; panels--, y += 64, bias += 64) {
    let a0 = v128.load(bias);
    let a1 = v128.load(bias, 16);
    let a2 = v128.load(bias, 32);
    let a3 = v128.load(bias, 48);
    let b0 = f32x4.splat(0);
    let b1 = b0;
    let b2 = b0;
    let b3 = b0;
    let from = x;
    for (const end = x + even; from < end; from += 8, w += 128) {
      const first = v128.load32_splat(from);
      const second = v128.load32_splat(from, 4);
      a0 = madd(v128.load(w), first, a0);
      a1 = madd(v128.load(w, 16), first, a1);
      a2 = madd(v128.load(w, 32), first, a2);
      a3 = madd(v128.load(w, 48), first, a3);
      b0 = madd(v128.load(w, 64), second, b0);
      b1 = madd(v128.load(w, 80), second, b1);
      b2 = madd(v128.load(w, 96), second, b2);
      b3 = madd(v128.load(w, 112), second, b3);
    }
    if (columns & 1) {
      const last = v128.load32_splat(from);
      a0 = madd(v128.load(w), last, a0);
      a1 = madd(v128.load(w, 16), last, a1);
      a2 = madd(v128.load(w, 32), last, a2);
      a3 = madd(v128.load(w, 48), last, a3);
      w += 64;
    }
    v128.store(y, f32x4.add(a0, b0));
    v128.store(y, f32x4.add(a1, b1), 16);
    v128.store(y, f32x4.add(a2, b2), 32);
    v128.store(y, f32x4.add(a3, b3), 48);
  }
  return w;
}

/** A fresh stream's state, where there is one to begin with. */
function begin(d: usize, hasCell: bool): void {
  const started = load<usize>(d, at.CELL_STARTED);
  if (started == 0 || load<f32>(started) != 0) return;
  const bytes = load<usize>(d, at.CELL_UNITS) << 2;
  memory.copy(load<usize>(d, at.CELL_H), load<usize>(d, at.CELL_H0), bytes);
  if (hasCell) memory.copy(load<usize>(d, at.CELL_C), load<usize>(d, at.CELL_C0), bytes);
  store<f32>(started, 1);
}

// @ts-ignore: decorator
@inline
function put(to: usize, value: v128, lanes: i32): void {
  if (lanes >= at.LANES) v128.store(to, value);
  else storeLanes(to, value, lanes);
}

/** c = σ(f) c + σ(i) tanh(g), h = σ(o) tanh(c), from gx + W h + b with rows i, f, g, o. */
export function lstm(d: usize, frames: i32): void {
  const units = load<i32>(d, at.CELL_UNITS);
  const gate = <usize>units << 2;
  const padded = load<usize>(d, at.CELL_PADDED) << 2;
  const weights = load<usize>(d, at.CELL_WEIGHTS);
  const bias = load<usize>(d, at.CELL_BIAS);
  const panels = load<i32>(d, at.CELL_PANELS);
  const scratch = load<usize>(d, at.CELL_SCRATCH);
  const h = load<usize>(d, at.CELL_H);
  const c = load<usize>(d, at.CELL_C);
  let gx = load<usize>(d, at.CELL_INPUT);
  let y = load<usize>(d, at.CELL_OUTPUT);
  if (frames > 0) begin(d, true);
  for (; frames > 0; frames--, gx += 4 * gate, y += gate) {
    product(weights, bias, h, units, scratch, panels);
    let a = scratch;
    let x = gx;
    let at0: usize = 0;
    for (let left = units; left > 0; left -= at.LANES, a += 16, x += 16, at0 += 16) {
      const i = sigmoid(f32x4.add(v128.load(a), v128.load(x)));
      const f = sigmoid(f32x4.add(v128.load(a + padded), v128.load(x + gate)));
      const g = tanh(f32x4.add(v128.load(a + 2 * padded), v128.load(x + 2 * gate)));
      const o = sigmoid(f32x4.add(v128.load(a + 3 * padded), v128.load(x + 3 * gate)));
      const cell = flushed(madd(f, v128.load(c + at0), f32x4.mul(i, g)));
      const out = f32x4.mul(o, tanh(cell));
      put(c + at0, cell, left);
      put(h + at0, out, left);
      put(y + at0, out, left);
    }
  }
}

/** h = (1 − z) n + z h with r, z = σ(gx + W h + b) and n = tanh(gx + r (W h + b)), or tanh(gx + W (r h) + b). */
export function gru(d: usize, frames: i32): void {
  const units = load<i32>(d, at.CELL_UNITS);
  const gate = <usize>units << 2;
  const padded = load<usize>(d, at.CELL_PADDED) << 2;
  const weights = load<usize>(d, at.CELL_WEIGHTS);
  const bias = load<usize>(d, at.CELL_BIAS);
  const panels = load<i32>(d, at.CELL_PANELS);
  const morePanels = load<i32>(d, at.CELL_MORE_PANELS);
  const isBefore = load<i32>(d, at.CELL_RESET_BEFORE) != 0;
  const scratch = load<usize>(d, at.CELL_SCRATCH);
  const inner = scratch + (<usize>panels << 6);
  const past = inner + (<usize>morePanels << 6);
  const h = load<usize>(d, at.CELL_H);
  let gx = load<usize>(d, at.CELL_INPUT);
  let y = load<usize>(d, at.CELL_OUTPUT);
  if (frames > 0) begin(d, false);
  for (; frames > 0; frames--, gx += 3 * gate, y += gate) {
    const rest = product(weights, bias, h, units, scratch, panels);
    if (isBefore) {
      for (let k: usize = 0; k < padded; k += 16) {
        const r = sigmoid(f32x4.add(v128.load(scratch + k), v128.load(gx + k)));
        v128.store(past + k, f32x4.mul(r, v128.load(h + k)));
      }
    }
    product(rest, bias + (<usize>panels << 6), isBefore ? past : h, units, inner, morePanels);
    let at0: usize = 0;
    for (let left = units; left > 0; left -= at.LANES, at0 += 16) {
      const a = scratch + at0;
      const x = gx + at0;
      const z = sigmoid(f32x4.add(v128.load(a + padded), v128.load(x + gate)));
      let q = v128.load(inner + at0);
      if (!isBefore) q = f32x4.mul(sigmoid(f32x4.add(v128.load(a), v128.load(x))), q);
      const n = tanh(f32x4.add(v128.load(x + 2 * gate), q));
      // n + z (h − n)
      const out = flushed(madd(z, f32x4.sub(v128.load(h + at0), n), n));
      put(h + at0, out, left);
      put(y + at0, out, left);
    }
  }
}
