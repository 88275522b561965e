// RWKV-4's weighted mean, its state in float64, two channels in each vector. Of the two exponentials of an update one
// is 1: it takes e^−|difference| alone.

import * as at from '../layout';
import { expNegative2, madd2 } from './wide';

export function wkv(d: usize, frames: i32): void {
  const channels = load<i32>(d, at.WKV_CHANNELS);
  const step = <usize>channels << 2;
  for (let c = 0; c < channels; c += 2) {
    const isPair = c + 1 < channels;
    const wide = <usize>c << 3;
    const decay = pair(load<usize>(d, at.WKV_DECAY) + wide, isPair);
    const bonus = pair(load<usize>(d, at.WKV_BONUS) + wide, isPair);
    const nAt = load<usize>(d, at.WKV_NUM) + wide;
    const dAt = load<usize>(d, at.WKV_DEN) + wide;
    const mAt = load<usize>(d, at.WKV_MAX) + wide;
    let n = pair(nAt, isPair);
    let s = pair(dAt, isPair);
    let m = pair(mAt, isPair);
    let k = load<usize>(d, at.WKV_KEY) + (<usize>c << 2);
    let v = load<usize>(d, at.WKV_VALUE) + (<usize>c << 2);
    let y = load<usize>(d, at.WKV_OUTPUT) + (<usize>c << 2);
    for (let t = 0; t < frames; t++, k += step, v += step, y += step) {
      const key = single(k, isPair);
      const value = single(v, isPair);
      const output = mean(key, value, m, n, s, bonus);
      store<f32>(y, <f32>f64x2.extract_lane(output, 0));
      if (isPair) store<f32>(y, <f32>f64x2.extract_lane(output, 1), 4);
      const faded = f64x2.add(m, decay);
      const less = f64x2.sub(key, faded);
      const part = expNegative2(f64x2.neg(f64x2.abs(less)));
      const isNew = f64x2.gt(less, f64x2.splat(0));
      const kept = v128.bitselect(part, f64x2.splat(1), isNew);
      const added = v128.bitselect(f64x2.splat(1), part, isNew);
      n = madd2(kept, n, f64x2.mul(added, value));
      s = madd2(kept, s, added);
      m = v128.bitselect(key, faded, isNew);
    }
    keep(nAt, n, isPair);
    keep(dAt, s, isPair);
    keep(mAt, m, isPair);
  }
}

/** (e^(m − top) n + e^(u + k − top) v) / (e^(m − top) d + e^(u + k − top)) */
// @ts-ignore: decorator
@inline
function mean(key: v128, value: v128, m: v128, n: v128, s: v128, bonus: v128): v128 {
  const less = f64x2.sub(f64x2.add(bonus, key), m);
  const part = expNegative2(f64x2.neg(f64x2.abs(less)));
  const isNew = f64x2.gt(less, f64x2.splat(0));
  const past = v128.bitselect(part, f64x2.splat(1), isNew);
  const now = v128.bitselect(f64x2.splat(1), part, isNew);
  return f64x2.div(madd2(past, n, f64x2.mul(now, value)), madd2(past, s, now));
}

// @ts-ignore: decorator
@inline
function pair(from: usize, isPair: bool): v128 {
  return isPair ? v128.load(from) : f64x2(load<f64>(from), 0);
}

// @ts-ignore: decorator
@inline
function single(from: usize, isPair: bool): v128 {
  return f64x2(<f64>load<f32>(from), isPair ? <f64>load<f32>(from, 4) : 0);
}

// @ts-ignore: decorator
@inline
function keep(to: usize, value: v128, isPair: bool): void {
  if (isPair) v128.store(to, value);
  else store<f64>(to, f64x2.extract_lane(value, 0));
}
