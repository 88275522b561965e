// The quads and wide slots of `contract` over the frames of a tile.

import { nextIm, nextRe, readOut } from './contract-step';
import { demote, flushedWide, madd, nmadd, promoteHigh } from './vector';

/**
 * Four narrow slots; state is re, im a slot. It stays in registers, which leave room for Re Ā but not for what else is
 * read: that comes from memory in every frame. The stores of re keep it so: without them the compilers gather all
 * read-outs at the frame's end, and half of the registers go through the stack.
 */
export function narrow<S>(a: usize, x: usize, u: usize, y: usize, step: usize, frames: i32): void {
  const a0 = v128.load(a, 0);
  const a1 = v128.load(a, 64);
  const a2 = v128.load(a, 128);
  const a3 = v128.load(a, 192);
  let x0 = v128.load(x, 0);
  let x1 = v128.load(x, 32);
  let x2 = v128.load(x, 64);
  let x3 = v128.load(x, 96);
  if (isFloat<S>()) {
    let i0 = v128.load(x, 16);
    let i1 = v128.load(x, 48);
    let i2 = v128.load(x, 80);
    let i3 = v128.load(x, 112);
    for (; frames > 0; frames--, u += step, y += step) {
      const input = v128.load(u);
      let sum = v128.load(y);
      const b0 = v128.load(a, 16);
      const r0 = nextRe<S>(a0, b0, x0, i0, input);
      i0 = nextIm<S>(a0, b0, x0, i0);
      x0 = r0;
      v128.store(x, r0, 0);
      sum = readOut<S>(v128.load(a, 32), v128.load(a, 48), r0, i0, sum);
      const b1 = v128.load(a, 80);
      const r1 = nextRe<S>(a1, b1, x1, i1, input);
      i1 = nextIm<S>(a1, b1, x1, i1);
      x1 = r1;
      v128.store(x, r1, 32);
      sum = readOut<S>(v128.load(a, 96), v128.load(a, 112), r1, i1, sum);
      const b2 = v128.load(a, 144);
      const r2 = nextRe<S>(a2, b2, x2, i2, input);
      i2 = nextIm<S>(a2, b2, x2, i2);
      x2 = r2;
      v128.store(x, r2, 64);
      sum = readOut<S>(v128.load(a, 160), v128.load(a, 176), r2, i2, sum);
      const b3 = v128.load(a, 208);
      const r3 = nextRe<S>(a3, b3, x3, i3, input);
      i3 = nextIm<S>(a3, b3, x3, i3);
      x3 = r3;
      v128.store(x, r3, 96);
      sum = readOut<S>(v128.load(a, 224), v128.load(a, 240), r3, i3, sum);
      v128.store(y, sum);
    }
    v128.store(x, i0, 16);
    v128.store(x, i1, 48);
    v128.store(x, i2, 80);
    v128.store(x, i3, 112);
  } else {
    const c0 = v128.load(a, 32);
    const c1 = v128.load(a, 96);
    const c2 = v128.load(a, 160);
    const c3 = v128.load(a, 224);
    for (; frames > 0; frames--, u += step, y += step) {
      const input = v128.load(u);
      x0 = madd(a0, x0, input);
      x1 = madd(a1, x1, input);
      x2 = madd(a2, x2, input);
      x3 = madd(a3, x3, input);
      const sum = madd(c1, x1, madd(c0, x0, v128.load(y)));
      v128.store(y, madd(c3, x3, madd(c2, x2, sum)));
    }
    v128.store(x, x0, 0);
    v128.store(x, x1, 32);
    v128.store(x, x2, 64);
    v128.store(x, x3, 96);
  }
}

/** Two narrow slots of two neighbouring groups, each of which has this one alone: it writes the output. */
export function across<S>(a: usize, x: usize, u: usize, y: usize, step: usize, frames: i32): void {
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
  for (; frames > 0; frames--, u += step, y += step) {
    let r0 = v128.load(u);
    let r1 = v128.load(u, 16);
    if (isFloat<S>()) {
      r0 = nmadd(b0, i0, r0);
      r1 = nmadd(b1, i1, r1);
      i0 = nextIm<S>(a0, b0, x0, i0);
      i1 = nextIm<S>(a1, b1, x1, i1);
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
  v128.store(x, x0, 0);
  v128.store(x, x1, 32);
  v128.store(x, i0, 16);
  v128.store(x, i1, 48);
}

/** One wide slot, its lanes 0, 1 and 2, 3 side by side in float64. */
export function wide<S>(a: usize, x: usize, u: usize, y: usize, step: usize, frames: i32, isFlushed: bool): void {
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
