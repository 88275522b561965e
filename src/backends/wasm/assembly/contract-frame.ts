// One frame of `contract`: coefficients pass by once, straight from memory, and all state is loaded and stored.
//
// Sums stay in registers where the groups come by fours, whose chains hide each other's latency; else in the output.

import * as at from '../layout';
import { nextIm, nextRe, readOut } from './contract-step';
import { Scaled, flushed } from './vector';

/** Whether `single` takes these frames, one after the other, which needs no zeros in y. */
// @ts-ignore: decorator
@inline
export function isByFrame(d: usize, frames: i32): bool {
  return frames <= at.SINGLE_FRAMES && load<i32>(d, at.QUADS) > 0 && load<i32>(d, at.ACROSS) == 0;
}

/** One frame of all quads. */
export function single<S>(d: usize, u: usize, y: usize, phase: i32): void {
  if ((load<i32>(d, at.GROUPS) & 3) == 0) byFours<S>(d, u, y);
  else byRows<S>(d, u, y);
  const ended = phase + 1;
  if ((ended & (load<i32>(d, at.LEAST_PERIOD) - 1)) != 0) return;
  const table = load<usize>(d, at.TABLE);
  let x = load<usize>(table, at.NARROW_STATE_AT);
  let note = load<usize>(table, at.NOTES_AT);
  for (let left = load<i32>(d, at.QUADS) * load<i32>(d, at.GROUPS); left > 0; left--) {
    if ((ended & (load<i32>(note, at.NOTE_PERIOD) - 1)) == 0) flush(x);
    x += at.QUAD_STATE_BYTES;
    note += at.NOTE_BYTES;
  }
}

/** Four neighbouring groups go through all their quads before the next four. */
function byFours<S>(d: usize, u: usize, y: usize): void {
  const table = load<usize>(d, at.TABLE);
  const groups = load<usize>(d, at.GROUPS);
  const quads = load<i32>(d, at.QUADS);
  let firstA = load<usize>(table, at.NARROW_AT);
  let firstX = load<usize>(table, at.NARROW_STATE_AT);
  let firstNote = load<usize>(table, at.NOTES_AT);
  for (const end = u + groups * at.VECTOR; u < end; u += 4 * at.VECTOR, y += 4 * at.VECTOR) {
    const u0 = v128.load(u, 0);
    const u1 = v128.load(u, 16);
    const u2 = v128.load(u, 32);
    const u3 = v128.load(u, 48);
    let s0 = f32x4.splat(0);
    let s1 = f32x4.splat(0);
    let s2 = f32x4.splat(0);
    let s3 = f32x4.splat(0);
    let a = firstA;
    let x = firstX;
    let note = firstNote;
    for (let left = quads; left > 0; left--) {
      // Neighbours are scaled alike. Few quads are not, so their code is the shorter one.
      if (isFloat<S>() && load<i32>(note, at.NOTE_SCALED)) {
        s0 = four<Scaled>(a, x, u0, s0);
        s1 = four<Scaled>(a + at.QUAD_BYTES, x + at.QUAD_STATE_BYTES, u1, s1);
        s2 = four<Scaled>(a + 2 * at.QUAD_BYTES, x + 2 * at.QUAD_STATE_BYTES, u2, s2);
        s3 = four<Scaled>(a + 3 * at.QUAD_BYTES, x + 3 * at.QUAD_STATE_BYTES, u3, s3);
      } else {
        for (let i = 0; i < 4; i++, a += 64, x += 32) {
          s0 = slot<S>(a, x, u0, s0);
          s1 = slot<S>(a + at.QUAD_BYTES, x + at.QUAD_STATE_BYTES, u1, s1);
          s2 = slot<S>(a + 2 * at.QUAD_BYTES, x + 2 * at.QUAD_STATE_BYTES, u2, s2);
          s3 = slot<S>(a + 3 * at.QUAD_BYTES, x + 3 * at.QUAD_STATE_BYTES, u3, s3);
        }
        a -= at.QUAD_BYTES;
        x -= at.QUAD_STATE_BYTES;
      }
      a += groups * at.QUAD_BYTES;
      x += groups * at.QUAD_STATE_BYTES;
      note += groups * at.NOTE_BYTES;
    }
    v128.store(y, s0, 0);
    v128.store(y, s1, 16);
    v128.store(y, s2, 32);
    v128.store(y, s3, 48);
    firstA += 4 * at.QUAD_BYTES;
    firstX += 4 * at.QUAD_STATE_BYTES;
    firstNote += 4 * at.NOTE_BYTES;
  }
}

/** All groups take a quad each before any takes the next. */
function byRows<S>(d: usize, u: usize, y: usize): void {
  const table = load<usize>(d, at.TABLE);
  const bytes = load<usize>(d, at.GROUPS) * at.VECTOR;
  let a = load<usize>(table, at.NARROW_AT);
  let x = load<usize>(table, at.NARROW_STATE_AT);
  let note = load<usize>(table, at.NOTES_AT);
  for (let q = 0, quads = load<i32>(d, at.QUADS); q < quads; q++) {
    for (let offset: usize = 0; offset < bytes; offset += at.VECTOR) {
      const input = v128.load(u + offset);
      let sum = q == 0 ? f32x4.splat(0) : v128.load(y + offset);
      const isScaled = isFloat<S>() && load<i32>(note, at.NOTE_SCALED) != 0;
      for (const end = a + at.QUAD_BYTES; a < end; a += 64, x += 32) {
        if (isScaled) sum = slot<Scaled>(a, x, input, sum);
        else sum = slot<S>(a, x, input, sum);
      }
      v128.store(y + offset, sum);
      note += at.NOTE_BYTES;
    }
  }
}

/**
 * One frame of four narrow slots; returns the sum with what they add. `slot` four times, written out so that places are
 * part of the instructions: computed, they take longer than the loads leave.
 */
// @ts-ignore: decorator
@inline
function four<S>(a: usize, x: usize, input: v128, sum: v128): v128 {
  const a0 = v128.load(a, 0);
  const b0 = v128.load(a, 16);
  const x0 = v128.load(x, 0);
  const i0 = v128.load(x, 16);
  const r0 = nextRe<S>(a0, b0, x0, i0, input);
  const j0 = isFloat<S>() ? nextIm<S>(a0, b0, x0, i0) : i0;
  v128.store(x, r0, 0);
  v128.store(x, j0, 16);
  sum = readOut<S>(v128.load(a, 32), v128.load(a, 48), r0, j0, sum);
  const a1 = v128.load(a, 64);
  const b1 = v128.load(a, 80);
  const x1 = v128.load(x, 32);
  const i1 = v128.load(x, 48);
  const r1 = nextRe<S>(a1, b1, x1, i1, input);
  const j1 = isFloat<S>() ? nextIm<S>(a1, b1, x1, i1) : i1;
  v128.store(x, r1, 32);
  v128.store(x, j1, 48);
  sum = readOut<S>(v128.load(a, 96), v128.load(a, 112), r1, j1, sum);
  const a2 = v128.load(a, 128);
  const b2 = v128.load(a, 144);
  const x2 = v128.load(x, 64);
  const i2 = v128.load(x, 80);
  const r2 = nextRe<S>(a2, b2, x2, i2, input);
  const j2 = isFloat<S>() ? nextIm<S>(a2, b2, x2, i2) : i2;
  v128.store(x, r2, 64);
  v128.store(x, j2, 80);
  sum = readOut<S>(v128.load(a, 160), v128.load(a, 176), r2, j2, sum);
  const a3 = v128.load(a, 192);
  const b3 = v128.load(a, 208);
  const x3 = v128.load(x, 96);
  const i3 = v128.load(x, 112);
  const r3 = nextRe<S>(a3, b3, x3, i3, input);
  const j3 = isFloat<S>() ? nextIm<S>(a3, b3, x3, i3) : i3;
  v128.store(x, r3, 96);
  v128.store(x, j3, 112);
  sum = readOut<S>(v128.load(a, 224), v128.load(a, 240), r3, j3, sum);
  return sum;
}

// @ts-ignore: decorator
@inline
function slot<S>(a: usize, x: usize, input: v128, sum: v128): v128 {
  const aRe = v128.load(a, 0);
  const aIm = v128.load(a, 16);
  const re = v128.load(x, 0);
  const im = v128.load(x, 16);
  const nowRe = nextRe<S>(aRe, aIm, re, im, input);
  const nowIm = isFloat<S>() ? nextIm<S>(aRe, aIm, re, im) : im;
  v128.store(x, nowRe, 0);
  v128.store(x, nowIm, 16);
  return readOut<S>(v128.load(a, 32), v128.load(a, 48), nowRe, nowIm, sum);
}

/** The state of four narrow slots. */
export function flush(x: usize): void {
  for (const end = x + at.QUAD_STATE_BYTES; x < end; x += 16) v128.store(x, flushed(v128.load(x)));
}
