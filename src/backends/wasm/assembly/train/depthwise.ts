// Convolutions in which every channel stands by itself: channels are the lanes.
//
// | symbol | shape |
// | --- | --- |
// | x | frames of `channels` numbers; firing j sees tap k at x + j·xRow + k·tapStep bytes |
// | w | (taps × channels), rows of `wRow` bytes in whole vectors |

import { storeLanes } from '../linear';
import { madd } from '../vector';

/** y[j] += Σ_k w[k] x[j, k] */
export function depthwise(
  firings: i32,
  channels: i32,
  taps: i32,
  x: usize,
  xRow: usize,
  tapStep: usize,
  w: usize,
  wRow: usize,
  y: usize,
): void {
  const yRow = <usize>channels << 2;
  for (; firings > 0; firings--, x += xRow, y += yRow) {
    let offset: usize = 0;
    for (let left = channels; left > 0; left -= 4, offset += 16) {
      let sum = v128.load(y + offset);
      let from = x + offset;
      let weight = w + offset;
      for (let k = taps; k > 0; k--, from += tapStep, weight += wRow) {
        sum = madd(v128.load(weight), v128.load(from), sum);
      }
      if (left >= 4) v128.store(y + offset, sum);
      else storeLanes(y + offset, sum, left);
    }
  }
}

/** dx[j, k] += w[k] dy[j] */
export function depthwiseToInput(
  firings: i32,
  channels: i32,
  taps: i32,
  dx: usize,
  xRow: usize,
  tapStep: usize,
  w: usize,
  wRow: usize,
  dy: usize,
): void {
  const yRow = <usize>channels << 2;
  for (; firings > 0; firings--, dx += xRow, dy += yRow) {
    let offset: usize = 0;
    for (let left = channels; left > 0; left -= 4, offset += 16) {
      const slope = v128.load(dy + offset);
      let to = dx + offset;
      let weight = w + offset;
      for (let k = taps; k > 0; k--, to += tapStep, weight += wRow) {
        const sum = madd(v128.load(weight), slope, v128.load(to));
        if (left >= 4) v128.store(to, sum);
        else storeLanes(to, sum, left);
      }
    }
  }
}

/** dw[k] += Σ_j dy[j] x[j, k]; rows of dw as those of w. */
export function depthwiseToWeight(
  firings: i32,
  channels: i32,
  taps: i32,
  x: usize,
  xRow: usize,
  tapStep: usize,
  dw: usize,
  wRow: usize,
  dy: usize,
): void {
  const yRow = <usize>channels << 2;
  for (let offset: usize = 0; offset < <usize>channels << 2; offset += 16) {
    for (let k = 0; k < taps; k++) {
      let even = f32x4.splat(0);
      let odd = even;
      let from = x + <usize>k * tapStep + offset;
      let slope = dy + offset;
      let left = firings;
      for (; left >= 2; left -= 2) {
        even = madd(v128.load(slope), v128.load(from), even);
        from += xRow;
        slope += yRow;
        odd = madd(v128.load(slope), v128.load(from), odd);
        from += xRow;
        slope += yRow;
      }
      if (left > 0) even = madd(v128.load(slope), v128.load(from), even);
      const to = dw + <usize>k * wRow + offset;
      // Lanes beyond the last channel gather rubbish that nobody reads.
      v128.store(to, f32x4.add(v128.load(to), f32x4.add(even, odd)));
    }
  }
}
