// dx += f′(x) dy of the functions of one number.

import * as at from '../../layout';
import { exp, normalCdf, sigmoid, tanh } from '../pointwise';
import { storeLanes } from '../linear';
import { madd } from '../vector';

/** `count` numbers; y = f(x) is there for the functions that `slopeFromOutput` of the callers names. */
export function unaryBack(code: i32, x: usize, y: usize, dy: usize, dx: usize, count: i32): void {
  for (; count > 0; count -= 4, x += 16, y += 16, dy += 16, dx += 16) {
    const slope = slopeOf(code, x, y);
    const sum = madd(slope, v128.load(dy), v128.load(dx));
    if (count >= 4) v128.store(dx, sum);
    else storeLanes(dx, sum, count);
  }
}

function slopeOf(code: i32, xAt: usize, yAt: usize): v128 {
  const one = f32x4.splat(1);
  switch (code) {
    case at.NEG:
      return f32x4.splat(-1);
    case at.ABS: {
      const x = v128.load(xAt);
      const sign = v128.or(v128.and(x, f32x4.splat(-0.0)), one);
      return v128.andnot(sign, f32x4.eq(x, f32x4.splat(0)));
    }
    case at.SQUARE: {
      const x = v128.load(xAt);
      return f32x4.add(x, x);
    }
    case at.SQRT:
      return f32x4.div(f32x4.splat(0.5), v128.load(yAt));
    case at.RECIPROCAL: {
      const y = v128.load(yAt);
      return f32x4.neg(f32x4.mul(y, y));
    }
    case at.EXP:
      return v128.load(yAt);
    case at.LOG:
      return f32x4.div(one, v128.load(xAt));
    case at.TANH: {
      const y = v128.load(yAt);
      return f32x4.sub(one, f32x4.mul(y, y));
    }
    case at.RELU:
      return v128.and(f32x4.gt(v128.load(xAt), f32x4.splat(0)), one);
    case at.SIGMOID: {
      const y = v128.load(yAt);
      return f32x4.mul(y, f32x4.sub(one, y));
    }
    case at.SOFTPLUS:
      return sigmoid(v128.load(xAt));
    case at.SILU: {
      const x = v128.load(xAt);
      const s = sigmoid(x);
      return f32x4.mul(s, f32x4.add(one, f32x4.mul(x, f32x4.sub(one, s))));
    }
    case at.GELU: {
      const x = v128.load(xAt);
      const density = f32x4.mul(
        f32x4.splat(0.3989422804014327),
        exp(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5))),
      );
      return madd(x, density, normalCdf(x));
    }
    default: {
      // ½ (1 + t) + ½ x (1 − t²) v′ with t = tanh v, v = √(2/π) (x + 0.044715 x³)
      const x = v128.load(xAt);
      const square = f32x4.mul(x, x);
      const scale = f32x4.splat(0.7978845608028654);
      const v = f32x4.mul(f32x4.mul(x, scale), madd(square, f32x4.splat(0.044715), one));
      const t = tanh(v);
      const rise = f32x4.mul(scale, madd(square, f32x4.splat(0.134145), one));
      const half = f32x4.splat(0.5);
      const inner = f32x4.mul(f32x4.mul(f32x4.mul(half, x), rise), f32x4.sub(one, f32x4.mul(t, t)));
      return madd(half, f32x4.add(one, t), inner);
    }
  }
}
