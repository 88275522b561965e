// C += A B, the product that dense layers and convolutions are made of, forward and back.
//
// | symbol | shape | element (r, i) at |
// | --- | --- | --- |
// | A | (m × k) | a + r·aRow + i·aStep: transposed, or with rows that overlap |
// | B | (k × n) | b + r·bRow + 4·i |
// | C | (m × n) | c + r·cRow + 4·i; rows may overlap: each is added in its turn |

import { storeLanes } from '../linear';
import { madd } from '../vector';

/** Columns of B that pass by all rows of A together: with k rows they stay in the nearest cache. */
const PANEL = 8;

export function product(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
): void {
  for (; n >= PANEL; n -= PANEL, b += PANEL * 4, c += PANEL * 4) {
    let from = a;
    let to = c;
    let rows = m;
    for (; rows >= 4; rows -= 4, from += aRow << 2, to += cRow << 2) {
      four(k, from, aRow, aStep, b, bRow, to, cRow);
    }
    for (; rows > 0; rows--, from += aRow, to += cRow) one(k, from, aStep, b, bRow, to);
  }
  for (; n > 0; n -= 4, b += 16, c += 16) {
    let from = a;
    let to = c;
    for (let rows = m; rows > 0; rows--, from += aRow, to += cRow) narrow(k, from, aStep, b, bRow, to, n);
  }
}

/** 4 × 8. */
function four(
  k: i32,
  a0: usize,
  aRow: usize,
  aStep: usize,
  b: usize,
  bRow: usize,
  c: usize,
  cRow: usize,
): void {
  let a1 = a0 + aRow;
  let a2 = a1 + aRow;
  let a3 = a2 + aRow;
  let s00 = f32x4.splat(0);
  let s01 = s00;
  let s10 = s00;
  let s11 = s00;
  let s20 = s00;
  let s21 = s00;
  let s30 = s00;
  let s31 = s00;
  for (; k > 0; k--) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a0);
    s00 = madd(x, b0, s00);
    s01 = madd(x, b1, s01);
    x = v128.load32_splat(a1);
    s10 = madd(x, b0, s10);
    s11 = madd(x, b1, s11);
    x = v128.load32_splat(a2);
    s20 = madd(x, b0, s20);
    s21 = madd(x, b1, s21);
    x = v128.load32_splat(a3);
    s30 = madd(x, b0, s30);
    s31 = madd(x, b1, s31);
    a0 += aStep;
    a1 += aStep;
    a2 += aStep;
    a3 += aStep;
    b += bRow;
  }
  add(c, s00, s01);
  c += cRow;
  add(c, s10, s11);
  c += cRow;
  add(c, s20, s21);
  c += cRow;
  add(c, s30, s31);
}

// @ts-ignore: decorator
@inline
function add(c: usize, low: v128, high: v128): void {
  v128.store(c, f32x4.add(v128.load(c), low));
  v128.store(c, f32x4.add(v128.load(c, 16), high), 16);
}

/** 1 × 8. */
function one(k: i32, a: usize, aStep: usize, b: usize, bRow: usize, c: usize): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let t0 = s0;
  let t1 = s0;
  for (; k >= 2; k -= 2) {
    let x = v128.load32_splat(a);
    s0 = madd(x, v128.load(b), s0);
    s1 = madd(x, v128.load(b, 16), s1);
    a += aStep;
    b += bRow;
    x = v128.load32_splat(a);
    t0 = madd(x, v128.load(b), t0);
    t1 = madd(x, v128.load(b, 16), t1);
    a += aStep;
    b += bRow;
  }
  if (k > 0) {
    const x = v128.load32_splat(a);
    s0 = madd(x, v128.load(b), s0);
    s1 = madd(x, v128.load(b, 16), s1);
  }
  add(c, f32x4.add(s0, t0), f32x4.add(s1, t1));
}

/** 1 × 4 and less. */
function narrow(k: i32, a: usize, aStep: usize, b: usize, bRow: usize, c: usize, n: i32): void {
  let s = f32x4.splat(0);
  for (; k > 0; k--) {
    s = madd(v128.load32_splat(a), v128.load(b), s);
    a += aStep;
    b += bRow;
  }
  s = f32x4.add(s, v128.load(c));
  if (n >= 4) v128.store(c, s);
  else storeLanes(c, s, n);
}
