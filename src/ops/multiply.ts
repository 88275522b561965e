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
  // Places are integers, which the engine only believes when it is told.
  const width = columns | 0;
  const end = (xAt + width) | 0;
  let o = 0;
  for (; o + 4 <= rows; o += 4) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let i = xAt | 0, w = (wAt + o * width) | 0; i < end; i++, w++) {
      const value = x[i]!;
      s0 += W[w]! * value;
      s1 += W[w + width]! * value;
      s2 += W[w + 2 * width]! * value;
      s3 += W[w + 3 * width]! * value;
    }
    y[yAt + o]! += s0;
    y[yAt + o + 1]! += s1;
    y[yAt + o + 2]! += s2;
    y[yAt + o + 3]! += s3;
  }
  for (; o < rows; o++) {
    let sum = 0;
    for (let i = xAt | 0, w = (wAt + o * width) | 0; i < end; i++, w++) sum += W[w]! * x[i]!;
    y[yAt + o]! += sum;
  }
}
