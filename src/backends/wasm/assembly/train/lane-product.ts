// Products of matrices of vectors, lane by lane: four channels, each with matrices of its own.

import { madd } from '../vector';

/**
 * C (m × n) = A B, or C += A B; B (k × n), rows of C and B so many bytes apart, n even.
 * A stands in blocks of four rows, column after column: block i begins at a + i·aBlock.
 */
export function product(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aBlock: usize,
  b: usize,
  c: usize,
  row: usize,
  isSum: bool,
): void {
  for (; m > 0; m -= 4, a += aBlock, c += row << 2) block(n, k, a, b, c, row, isSum);
}

/** Four rows of it. */
export function block(n: i32, k: i32, a: usize, b: usize, c: usize, row: usize, isSum: bool): void {
  for (; n > 0; n -= 2, b += 32, c += 32) {
    let s00 = f32x4.splat(0);
    let s01 = s00;
    let s10 = s00;
    let s11 = s00;
    let s20 = s00;
    let s21 = s00;
    let s30 = s00;
    let s31 = s00;
    let from = a;
    let at = b;
    for (let left = k; left > 0; left--) {
      const b0 = v128.load(at);
      const b1 = v128.load(at, 16);
      let x = v128.load(from);
      s00 = madd(x, b0, s00);
      s01 = madd(x, b1, s01);
      x = v128.load(from, 16);
      s10 = madd(x, b0, s10);
      s11 = madd(x, b1, s11);
      x = v128.load(from, 32);
      s20 = madd(x, b0, s20);
      s21 = madd(x, b1, s21);
      x = v128.load(from, 48);
      s30 = madd(x, b0, s30);
      s31 = madd(x, b1, s31);
      from += 64;
      at += row;
    }
    let to = c;
    put(to, s00, s01, isSum);
    to += row;
    put(to, s10, s11, isSum);
    to += row;
    put(to, s20, s21, isSum);
    to += row;
    put(to, s30, s31, isSum);
  }
}

// @ts-ignore: decorator
@inline
function put(to: usize, low: v128, high: v128, isSum: bool): void {
  if (isSum) {
    low = f32x4.add(low, v128.load(to));
    high = f32x4.add(high, v128.load(to, 16));
  }
  v128.store(to, low);
  v128.store(to, high, 16);
}

/** C (m × n) += A Bᵀ over k columns; rows of A and B so many bytes apart, those of C `cRow`; m by fours, n even. */
export function productOfRows(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  b: usize,
  row: usize,
  c: usize,
  cRow: usize,
): void {
  for (; m > 0; m -= 4, a += row << 2, c += cRow << 2) {
    let bAt = b;
    let cAt = c;
    for (let j = n; j > 0; j -= 2, bAt += row << 1, cAt += 32) fourByTwo(k, a, bAt, row, cAt, cRow);
  }
}

function fourByTwo(k: i32, a0: usize, b0: usize, row: usize, c: usize, cRow: usize): void {
  let a1 = a0 + row;
  let a2 = a1 + row;
  let a3 = a2 + row;
  let b1 = b0 + row;
  let s00 = v128.load(c);
  let s01 = v128.load(c, 16);
  let s10 = v128.load(c + cRow);
  let s11 = v128.load(c + cRow, 16);
  const c2 = c + (cRow << 1);
  const c3 = c2 + cRow;
  let s20 = v128.load(c2);
  let s21 = v128.load(c2, 16);
  let s30 = v128.load(c3);
  let s31 = v128.load(c3, 16);
  for (; k > 0; k--) {
    const x = v128.load(b0);
    const y = v128.load(b1);
    let z = v128.load(a0);
    s00 = madd(z, x, s00);
    s01 = madd(z, y, s01);
    z = v128.load(a1);
    s10 = madd(z, x, s10);
    s11 = madd(z, y, s11);
    z = v128.load(a2);
    s20 = madd(z, x, s20);
    s21 = madd(z, y, s21);
    z = v128.load(a3);
    s30 = madd(z, x, s30);
    s31 = madd(z, y, s31);
    a0 += 16;
    a1 += 16;
    a2 += 16;
    a3 += 16;
    b0 += 16;
    b1 += 16;
  }
  v128.store(c, s00);
  v128.store(c, s01, 16);
  v128.store(c + cRow, s10);
  v128.store(c + cRow, s11, 16);
  v128.store(c2, s20);
  v128.store(c2, s21, 16);
  v128.store(c3, s30);
  v128.store(c3, s31, 16);
}
