// dx += s (dy − mean(dy) − y mean(dy y)) with s = 1 / √(variance + eps); without centring no mean(dy).

import * as at from '../../layout';
import { squares, total } from '../normalise';
import { madd, promoteHigh } from '../vector';

/** Groups and sizes as `normalise`'s descriptor has them. */
export function normaliseBack(d: usize, x: usize, y: usize, dy: usize, dx: usize, frames: i32): void {
  const size = load<i32>(d, at.NORM_SIZE);
  const bytes = <usize>size << 2;
  const isCentred = load<i32>(d, at.NORM_CENTRE) != 0;
  const eps = load<f64>(d, at.NORM_EPS);
  for (let left = frames * load<i32>(d, at.NORM_GROUPS); left > 0; left--) {
    const mean = isCentred ? total(x, size) / <f64>size : 0;
    const scale = 1 / Math.sqrt(squares(x, size, mean) / <f64>size + eps);
    const shift = isCentred ? total(dy, size) / <f64>size : 0;
    const along = dot(dy, y, size) / <f64>size;
    const end = dx + bytes;
    const s = f32x4.splat(<f32>scale);
    const m = f32x4.splat(<f32>shift);
    const c = f32x4.splat(<f32>-along);
    for (; dx + 16 <= end; dx += 16, dy += 16, y += 16) {
      const inner = madd(c, v128.load(y), f32x4.sub(v128.load(dy), m));
      v128.store(dx, madd(s, inner, v128.load(dx)));
    }
    for (; dx < end; dx += 4, dy += 4, y += 4) {
      const inner = <f64>load<f32>(dy) - shift - along * <f64>load<f32>(y);
      store<f32>(dx, load<f32>(dx) + <f32>(scale * inner));
    }
    x += bytes;
  }
}

function dot(a: usize, b: usize, size: i32): f64 {
  let low = f64x2.splat(0);
  let high = low;
  const end = a + (<usize>size << 2);
  for (; a + 16 <= end; a += 16, b += 16) {
    const x = v128.load(a);
    const y = v128.load(b);
    low = f64x2.add(low, f64x2.mul(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y)));
    high = f64x2.add(high, f64x2.mul(promoteHigh(x), promoteHigh(y)));
  }
  const both = f64x2.add(low, high);
  let result = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; a < end; a += 4, b += 4) result += <f64>load<f32>(a) * <f64>load<f32>(b);
  return result;
}
