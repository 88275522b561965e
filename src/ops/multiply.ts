import type { FloatArray } from '../signal/index.ts';

/**
 * y += W x for a matrix (rows × columns), row-major. Four rows side by side: four sums that do not wait for each
 * other, each in the order of its columns.
 */
export function multiplyRows(
  W: FloatArray,
  wAt: number,
  rows: number,
  columns: number,
  x: FloatArray,
  xAt: number,
  y: FloatArray,
  yAt: number,
): void {
  let o = 0;
  for (; o + 4 <= rows; o += 4) {
    const w0 = wAt + o * columns;
    const w1 = w0 + columns;
    const w2 = w1 + columns;
    const w3 = w2 + columns;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let i = 0; i < columns; i++) {
      const value = x[xAt + i]!;
      s0 += W[w0 + i]! * value;
      s1 += W[w1 + i]! * value;
      s2 += W[w2 + i]! * value;
      s3 += W[w3 + i]! * value;
    }
    y[yAt + o]! += s0;
    y[yAt + o + 1]! += s1;
    y[yAt + o + 2]! += s2;
    y[yAt + o + 3]! += s3;
  }
  for (; o < rows; o++) {
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += W[wAt + o * columns + i]! * x[xAt + i]!;
    y[yAt + o]! += sum;
  }
}
