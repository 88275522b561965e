// Constant coefficients, real input, read out by a constant c: S4D while nothing moves.
//
// | symbol | meaning |
// | --- | --- |
// | x | the state over its input weight: x[k] = Ā x[k−1] + u[k] |
// | c | the read-out times the input weight: y = Re Σ c x |
//
// Four slots stay in registers while the frames of a tile pass by: their chains hide each other's latency.
// The sum over slots grows in the output, slot after slot, so any chunking adds in the same order.

import * as at from '../layout';
import { Complex, Real, demote, flushed, flushedWide, madd, nmadd, promoteHigh } from './vector';

/** `frames` frames, the first of which stands `phase` frames behind a multiple of the tile. */
export function contract(d: usize, frames: i32, phase: i32): void {
  if (load<i32>(d, at.C_COMPLEX)) tiles<Complex>(d, frames, phase);
  else tiles<Real>(d, frames, phase);
}

function tiles<S>(d: usize, frames: i32, phase: i32): void {
  const copies = load<i32>(d, at.COPIES);
  const channels = load<i32>(d, at.C_CHANNELS);
  const step = (channels * copies) << 2;
  const staged = load<usize>(d, at.STAGED);
  let input = load<usize>(d, at.C_INPUT);
  let output = load<usize>(d, at.C_OUTPUT);
  while (frames > 0) {
    const count = min(at.TILE - phase, frames);
    let u = input;
    let y = output;
    if (copies > 1) {
      u = staged;
      y = staged + at.TILE * step;
      spread(input, u, count * channels, copies);
    }
    if (load<i32>(d, at.ACROSS) == 0 && !isSingle(d, count)) memory.fill(y, 0, count * step);
    groups<S>(d, u, y, step, count, phase);
    // Whoever reads a state of 2⁻¹⁰⁰ through a small c would run on subnormal numbers.
    for (let sum: usize = y, last: usize = y + count * step; sum < last; sum += 16) {
      v128.store(sum, flushed(v128.load(sum)));
    }
    if (copies > 1) fold(y, output, count * channels, copies);
    input += (count * channels) << 2;
    output += (count * channels) << 2;
    frames -= count;
    phase = 0;
  }
}

/** Each number `copies` times. */
function spread(from: usize, to: usize, count: i32, copies: i32): void {
  for (let i = 0; i < count; i++, from += 4) {
    const value = load<f32>(from);
    for (let copy = 0; copy < copies; copy++, to += 4) store<f32>(to, value);
  }
}

/** The sum of each run of `copies` numbers. */
function fold(from: usize, to: usize, count: i32, copies: i32): void {
  for (let i = 0; i < count; i++, to += 4, from += copies << 2) {
    let value = load<f32>(from) + load<f32>(from, 4);
    if (copies == 4) value += load<f32>(from, 8) + load<f32>(from, 12);
    store<f32>(to, value);
  }
}

/** Every output adds its quads up in their order, then its wide slots, whichever group comes first. */
function groups<S>(d: usize, u: usize, y: usize, step: usize, frames: i32, phase: i32): void {
  const table = load<usize>(d, at.TABLE);
  const end = table + load<usize>(d, at.GROUPS) * at.TABLE_BYTES;
  if (frames > at.FEW_FRAMES || load<i32>(d, at.ACROSS) != 0) {
    for (let entry = table; entry < end; entry += at.TABLE_BYTES, u += at.VECTOR, y += at.VECTOR) {
      const quads = load<i32>(entry, at.NARROW_SLOTS) >> 2;
      for (let q = 0; q < quads; q++) quad<S>(d, entry, q, u, y, step, frames, phase);
      wideOf<S>(entry, u, y, step, frames, phase);
    }
    return;
  }
  if (isSingle(d, frames)) {
    single<S>(d, u, y, phase);
  } else {
    let isLeft = true;
    for (let q = 0; isLeft; q++) {
      isLeft = false;
      let offset: usize = 0;
      for (let entry = table; entry < end; entry += at.TABLE_BYTES, offset += at.VECTOR) {
        if (q >= load<i32>(entry, at.NARROW_SLOTS) >> 2) continue;
        isLeft = true;
        quad<S>(d, entry, q, u + offset, y + offset, step, frames, phase);
      }
    }
  }
  for (let entry = table; entry < end; entry += at.TABLE_BYTES, u += at.VECTOR, y += at.VECTOR) {
    wideOf<S>(entry, u, y, step, frames, phase);
  }
}

/** The quad of number `q` in a group. */
function quad<S>(d: usize, entry: usize, q: i32, u: usize, y: usize, step: usize, frames: i32, phase: i32): void {
  const place = q * load<i32>(d, at.QUAD_STRIDE);
  const period = load<i32>(load<usize>(entry, at.PERIODS_AT) + (place << 2));
  const coefficients = load<usize>(entry, at.NARROW_AT) + place * at.QUAD_BYTES;
  const state = load<usize>(entry, at.NARROW_STATE_AT) + place * at.QUAD_STATE_BYTES;
  if (load<i32>(d, at.ACROSS)) {
    across<S>(coefficients, period, state, u, y, step, frames, phase);
    across<S>(coefficients + 128, period, state + 64, u + 32, y + 32, step, frames, phase);
  } else {
    narrow<S>(coefficients, period, state, u, y, step, frames, phase);
  }
}

function wideOf<S>(entry: usize, u: usize, y: usize, step: usize, frames: i32, phase: i32): void {
  let coefficients = load<usize>(entry, at.WIDE_AT);
  let state = load<usize>(entry, at.WIDE_STATE_AT);
  for (let slots = load<i32>(entry, at.WIDE_SLOTS); slots > 0; slots--) {
    wide<S>(coefficients, state, u, y, step, frames, phase + frames == at.TILE);
    coefficients += at.WIDE_BYTES;
    state += at.STATE_BYTES;
  }
}

// The recurrence and its read-out, for all bodies below.

// @ts-ignore: decorator
@inline
function nextRe<S>(a: v128, b: v128, re: v128, im: v128, input: v128): v128 {
  if (isFloat<S>()) return madd(a, re, nmadd(b, im, input));
  return madd(a, re, input);
}

// @ts-ignore: decorator
@inline
function nextIm(a: v128, b: v128, re: v128, im: v128): v128 {
  return madd(a, im, f32x4.mul(b, re));
}

// @ts-ignore: decorator
@inline
function readOut<S>(c: v128, d: v128, re: v128, im: v128, sum: v128): v128 {
  if (isFloat<S>()) return nmadd(d, im, madd(c, re, sum));
  return madd(c, re, sum);
}

/** Whether `single` takes these frames, which needs no zeros in y. */
// @ts-ignore: decorator
@inline
function isSingle(d: usize, frames: i32): bool {
  return frames == 1 && load<i32>(d, at.QUADS) > 0 && load<i32>(d, at.ACROSS) == 0;
}

/** One frame of all quads, in the order in which they stand: coefficients pass by once, straight from memory. */
function single<S>(d: usize, u: usize, y: usize, phase: i32): void {
  const table = load<usize>(d, at.TABLE);
  const bytes = load<usize>(d, at.GROUPS) * at.VECTOR;
  const count = load<i32>(d, at.QUADS) * load<i32>(d, at.GROUPS);
  let a = load<usize>(table, at.NARROW_AT);
  const states = load<usize>(table, at.NARROW_STATE_AT);
  const end = states + count * at.QUAD_STATE_BYTES;
  const second = states + load<usize>(d, at.GROUPS) * at.QUAD_STATE_BYTES;
  for (let x = states; x < end; ) {
    for (let offset: usize = 0; offset < bytes; offset += at.VECTOR) {
      const input = v128.load(u + offset);
      let sum = x < second ? f32x4.splat(0) : v128.load(y + offset);
      const a0 = v128.load(a, 0);
      const b0 = v128.load(a, 16);
      const x0 = v128.load(x, 0);
      const i0 = v128.load(x, 16);
      const r0 = nextRe<S>(a0, b0, x0, i0, input);
      const j0 = isFloat<S>() ? nextIm(a0, b0, x0, i0) : i0;
      v128.store(x, r0, 0);
      v128.store(x, j0, 16);
      sum = readOut<S>(v128.load(a, 32), v128.load(a, 48), r0, j0, sum);
      const a1 = v128.load(a, 64);
      const b1 = v128.load(a, 80);
      const x1 = v128.load(x, 32);
      const i1 = v128.load(x, 48);
      const r1 = nextRe<S>(a1, b1, x1, i1, input);
      const j1 = isFloat<S>() ? nextIm(a1, b1, x1, i1) : i1;
      v128.store(x, r1, 32);
      v128.store(x, j1, 48);
      sum = readOut<S>(v128.load(a, 96), v128.load(a, 112), r1, j1, sum);
      const a2 = v128.load(a, 128);
      const b2 = v128.load(a, 144);
      const x2 = v128.load(x, 64);
      const i2 = v128.load(x, 80);
      const r2 = nextRe<S>(a2, b2, x2, i2, input);
      const j2 = isFloat<S>() ? nextIm(a2, b2, x2, i2) : i2;
      v128.store(x, r2, 64);
      v128.store(x, j2, 80);
      sum = readOut<S>(v128.load(a, 160), v128.load(a, 176), r2, j2, sum);
      const a3 = v128.load(a, 192);
      const b3 = v128.load(a, 208);
      const x3 = v128.load(x, 96);
      const i3 = v128.load(x, 112);
      const r3 = nextRe<S>(a3, b3, x3, i3, input);
      const j3 = isFloat<S>() ? nextIm(a3, b3, x3, i3) : i3;
      v128.store(x, r3, 96);
      v128.store(x, j3, 112);
      sum = readOut<S>(v128.load(a, 224), v128.load(a, 240), r3, j3, sum);
      v128.store(y + offset, sum);
      a += at.QUAD_BYTES;
      x += at.QUAD_STATE_BYTES;
    }
  }
  if (((phase + 1) & (load<i32>(d, at.LEAST_PERIOD) - 1)) != 0) return;
  let period = load<usize>(table, at.PERIODS_AT);
  for (let x = states; x < end; x += at.QUAD_STATE_BYTES, period += 4) {
    if (((phase + 1) & (load<i32>(period) - 1)) == 0) flush(x);
  }
}

/** The state of four narrow slots. */
function flush(x: usize): void {
  for (const end = x + at.QUAD_STATE_BYTES; x < end; x += 16) v128.store(x, flushed(v128.load(x)));
}

/** Four narrow slots; state is re, im a slot. */
function narrow<S>(
  a: usize,
  period: i32,
  x: usize,
  u: usize,
  y: usize,
  step: usize,
  frames: i32,
  phase: i32,
): void {
  // Frames until the state is flushed.
  let left = period - (phase & (period - 1));
  const a0 = v128.load(a, 0);
  const a1 = v128.load(a, 64);
  const a2 = v128.load(a, 128);
  const a3 = v128.load(a, 192);
  const c0 = v128.load(a, 32);
  const c1 = v128.load(a, 96);
  const c2 = v128.load(a, 160);
  const c3 = v128.load(a, 224);
  let x0 = v128.load(x, 0);
  let x1 = v128.load(x, 32);
  let x2 = v128.load(x, 64);
  let x3 = v128.load(x, 96);
  if (isFloat<S>()) {
    const b0 = v128.load(a, 16);
    const b1 = v128.load(a, 80);
    const b2 = v128.load(a, 144);
    const b3 = v128.load(a, 208);
    const d0 = v128.load(a, 48);
    const d1 = v128.load(a, 112);
    const d2 = v128.load(a, 176);
    const d3 = v128.load(a, 240);
    let i0 = v128.load(x, 16);
    let i1 = v128.load(x, 48);
    let i2 = v128.load(x, 80);
    let i3 = v128.load(x, 112);
    for (; frames > 0; left = period) {
      const run = min(left, frames);
      frames -= run;
      left -= run;
      for (let k = run; k > 0; k--, u += step, y += step) {
        const input = v128.load(u);
        const r0 = nextRe<S>(a0, b0, x0, i0, input);
        const r1 = nextRe<S>(a1, b1, x1, i1, input);
        const r2 = nextRe<S>(a2, b2, x2, i2, input);
        const r3 = nextRe<S>(a3, b3, x3, i3, input);
        i0 = nextIm(a0, b0, x0, i0);
        i1 = nextIm(a1, b1, x1, i1);
        i2 = nextIm(a2, b2, x2, i2);
        i3 = nextIm(a3, b3, x3, i3);
        x0 = r0;
        x1 = r1;
        x2 = r2;
        x3 = r3;
        let sum = readOut<S>(c0, d0, x0, i0, v128.load(y));
        sum = readOut<S>(c1, d1, x1, i1, sum);
        sum = readOut<S>(c2, d2, x2, i2, sum);
        v128.store(y, readOut<S>(c3, d3, x3, i3, sum));
      }
      if (left > 0) break;
      x0 = flushed(x0);
      x1 = flushed(x1);
      x2 = flushed(x2);
      x3 = flushed(x3);
      i0 = flushed(i0);
      i1 = flushed(i1);
      i2 = flushed(i2);
      i3 = flushed(i3);
    }
    v128.store(x, i0, 16);
    v128.store(x, i1, 48);
    v128.store(x, i2, 80);
    v128.store(x, i3, 112);
  } else {
    for (; frames > 0; left = period) {
      const run = min(left, frames);
      frames -= run;
      left -= run;
      for (let k = run; k > 0; k--, u += step, y += step) {
        const input = v128.load(u);
        x0 = madd(a0, x0, input);
        x1 = madd(a1, x1, input);
        x2 = madd(a2, x2, input);
        x3 = madd(a3, x3, input);
        const sum = madd(c1, x1, madd(c0, x0, v128.load(y)));
        v128.store(y, madd(c3, x3, madd(c2, x2, sum)));
      }
      if (left > 0) break;
      x0 = flushed(x0);
      x1 = flushed(x1);
      x2 = flushed(x2);
      x3 = flushed(x3);
    }
  }
  v128.store(x, x0, 0);
  v128.store(x, x1, 32);
  v128.store(x, x2, 64);
  v128.store(x, x3, 96);
}

/** Two narrow slots of two neighbouring groups, each of which has this one alone: it writes the output. */
function across<S>(
  a: usize,
  period: i32,
  x: usize,
  u: usize,
  y: usize,
  step: usize,
  frames: i32,
  phase: i32,
): void {
  let left = period - (phase & (period - 1));
  const a0 = v128.load(a, 0);
  const a1 = v128.load(a, 64);
  const b0 = v128.load(a, 16);
  const b1 = v128.load(a, 80);
  const c0 = v128.load(a, 32);
  const c1 = v128.load(a, 96);
  const d0 = v128.load(a, 48);
  const d1 = v128.load(a, 112);
  let x0 = v128.load(x, 0);
  let x1 = v128.load(x, 32);
  let i0 = v128.load(x, 16);
  let i1 = v128.load(x, 48);
  for (; frames > 0; left = period) {
    const run = min(left, frames);
    frames -= run;
    left -= run;
    for (let k = run; k > 0; k--, u += step, y += step) {
      let r0 = v128.load(u);
      let r1 = v128.load(u, 16);
      if (isFloat<S>()) {
        r0 = nmadd(b0, i0, r0);
        r1 = nmadd(b1, i1, r1);
        i0 = nextIm(a0, b0, x0, i0);
        i1 = nextIm(a1, b1, x1, i1);
      }
      x0 = madd(a0, x0, r0);
      x1 = madd(a1, x1, r1);
      let y0 = f32x4.mul(c0, x0);
      let y1 = f32x4.mul(c1, x1);
      if (isFloat<S>()) {
        y0 = nmadd(d0, i0, y0);
        y1 = nmadd(d1, i1, y1);
      }
      v128.store(y, y0);
      v128.store(y, y1, 16);
    }
    if (left > 0) break;
    x0 = flushed(x0);
    x1 = flushed(x1);
    i0 = flushed(i0);
    i1 = flushed(i1);
  }
  v128.store(x, x0, 0);
  v128.store(x, x1, 32);
  v128.store(x, i0, 16);
  v128.store(x, i1, 48);
}

/** One wide slot, its lanes 0, 1 and 2, 3 side by side in float64. */
function wide<S>(a: usize, x: usize, u: usize, y: usize, step: usize, frames: i32, isFlushed: bool): void {
  const a0 = v128.load(a, 0);
  const a1 = v128.load(a, 16);
  const b0 = v128.load(a, 32);
  const b1 = v128.load(a, 48);
  const c0 = v128.load(a, 64);
  const c1 = v128.load(a, 80);
  const d0 = v128.load(a, 96);
  const d1 = v128.load(a, 112);
  let x0 = v128.load(x, 0);
  let x1 = v128.load(x, 16);
  let i0 = v128.load(x, 32);
  let i1 = v128.load(x, 48);
  for (; frames > 0; frames--, u += step, y += step) {
    const input = v128.load(u);
    let r0 = f64x2.add(f64x2.mul(a0, x0), f64x2.promote_low_f32x4(input));
    let r1 = f64x2.add(f64x2.mul(a1, x1), promoteHigh(input));
    let y0 = f64x2.mul(c0, r0);
    let y1 = f64x2.mul(c1, r1);
    if (isFloat<S>()) {
      r0 = f64x2.sub(r0, f64x2.mul(b0, i0));
      r1 = f64x2.sub(r1, f64x2.mul(b1, i1));
      i0 = f64x2.add(f64x2.mul(a0, i0), f64x2.mul(b0, x0));
      i1 = f64x2.add(f64x2.mul(a1, i1), f64x2.mul(b1, x1));
      y0 = f64x2.sub(f64x2.mul(c0, r0), f64x2.mul(d0, i0));
      y1 = f64x2.sub(f64x2.mul(c1, r1), f64x2.mul(d1, i1));
    }
    x0 = r0;
    x1 = r1;
    v128.store(y, f32x4.add(v128.load(y), demote(y0, y1)));
  }
  v128.store(x, isFlushed ? flushedWide(x0) : x0, 0);
  v128.store(x, isFlushed ? flushedWide(x1) : x1, 16);
  v128.store(x, isFlushed ? flushedWide(i0) : i0, 32);
  v128.store(x, isFlushed ? flushedWide(i1) : i1, 48);
}
