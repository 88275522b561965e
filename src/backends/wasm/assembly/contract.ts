// Constant coefficients, real input, read out by a constant c: S4D while nothing moves.
//
// | symbol | meaning |
// | --- | --- |
// | x | the state over its input weight: x[k] = Ā x[k−1] + u[k] |
// | c | the read-out times the input weight: y = Re Σ c x |
//
// A quad whose Im Ā are all large enough is scaled: its imaginary parts stand over Im Ā, which makes their own equation
// one multiplication shorter, and rounds no worse.
//
//     re[k] = Re Ā re[k−1] − (Im Ā)² ı̂[k−1] + u[k],   ı̂[k] = Re Ā ı̂[k−1] + re[k−1],   y = Re c re − Im c Im Ā ı̂
//
// Four slots, a quad, stay in registers while the frames of a tile pass by: their chains hide each other's latency.
// The sum over slots grows in the output, slot after slot, so any chunking adds in the same order.

import * as at from '../layout';
import { across, narrow, wide } from './contract-block';
import { flush, isByFrame, single } from './contract-frame';
import { Complex, Real, Scaled, flushed } from './vector';

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
    if (load<i32>(d, at.ACROSS) == 0 && !isByFrame(d, count)) memory.fill(y, 0, count * step);
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
  if (isByFrame(d, frames)) {
    for (let k = 0; k < frames; k++) single<S>(d, u + k * step, y + k * step, phase + k);
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
  const note = load<usize>(entry, at.NOTES_AT) + place * at.NOTE_BYTES;
  const a = load<usize>(entry, at.NARROW_AT) + place * at.QUAD_BYTES;
  const x = load<usize>(entry, at.NARROW_STATE_AT) + place * at.QUAD_STATE_BYTES;
  const isScaled = isFloat<S>() && load<i32>(note, at.NOTE_SCALED) != 0;
  const isAcross = load<i32>(d, at.ACROSS) != 0;
  const period = load<i32>(note, at.NOTE_PERIOD);
  // Frames until the state is flushed.
  for (let left = period - (phase & (period - 1)); frames > 0; left = period) {
    const run = min(left, frames);
    if (isScaled) body<Scaled>(isAcross, a, x, u, y, step, run);
    else body<S>(isAcross, a, x, u, y, step, run);
    if (run == left) flush(x);
    frames -= run;
    u += run * step;
    y += run * step;
  }
}

function body<S>(isAcross: bool, a: usize, x: usize, u: usize, y: usize, step: usize, frames: i32): void {
  if (!isAcross) return narrow<S>(a, x, u, y, step, frames);
  across<S>(a, x, u, y, step, frames);
  across<S>(a + at.QUAD_BYTES / 2, x + at.QUAD_STATE_BYTES / 2, u + 2 * at.VECTOR, y + 2 * at.VECTOR, step, frames);
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
