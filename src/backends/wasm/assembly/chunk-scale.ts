// What the chunkwise form of torchscale's retention divides by; see `retention-chunk-scale` of the ops.

import * as at from '../layout';
import { madd, sum } from './vector';

export function chunkScale(d: usize, frames: i32): void {
  const heads = load<i32>(d, at.CHUNK_HEADS);
  const keys = load<i32>(d, at.CHUNK_KEYS);
  const values = load<i32>(d, at.CHUNK_VALUES);
  const chunk = load<i32>(d, at.CHUNK_FRAMES);
  const gamma = load<usize>(d, at.CHUNK_GAMMA);
  const roots = load<usize>(d, at.CHUNK_ROOTS);
  const cross = load<usize>(d, at.CHUNK_CROSS);
  const past = load<usize>(d, at.CHUNK_PAST);
  const pastStep = <usize>(heads * keys) << 2;
  const size = <usize>keys << 2;
  let place = <i32>(<i64>load<f64>(d, at.CHUNK_FIRST) % <i64>chunk);
  let q = load<usize>(d, at.CHUNK_Q);
  let k = load<usize>(d, at.CHUNK_K);
  let v = load<usize>(d, at.CHUNK_V);
  let y = load<usize>(d, at.CHUNK_OUTPUT);
  for (; frames > 0; frames--, place = place + 1 == chunk ? 0 : place + 1) {
    let state = load<usize>(d, at.CHUNK_STATE);
    for (let h = 0; h < heads; h++) {
      const decay = load<f32>(gamma + (<usize>h << 2));
      const headRoots = roots + (<usize>(h * chunk) << 2);
      const bound = cross + (<usize>h << 2);
      if (place == 0) {
        const last = load<f32>(headRoots + (<usize>(chunk - 1) << 2));
        store<f32>(bound, max(<f32>1, largestColumn(state, keys, values) / (last * last)));
      }
      update(state, k, keys, v, values, decay);
      const kept = past + (<usize>h * size);
      memory.copy(kept + <usize>place * pastStep, k, size);
      let inner: f32 = 0;
      for (let j = 0, from = kept; j <= place; j++, from += pastStep) {
        inner = inner * decay + abs(dot(q, from, keys));
      }
      const root = load<f32>(headRoots + (<usize>place << 2));
      store<f32>(y, root * max(<f32>1, max(inner / root, load<f32>(bound))));
      state += <usize>(keys * values) << 2;
      q += size;
      k += size;
      v += <usize>values << 2;
      y += 4;
    }
  }
}

/** max over values of Σ over keys |S| */
function largestColumn(S: usize, keys: i32, values: i32): f32 {
  const row = <usize>values << 2;
  let most: f32 = 0;
  for (const end = S + row; S < end; S += 4) {
    let total: f32 = 0;
    for (let i = 0, from = S; i < keys; i++, from += row) total += abs(load<f32>(from));
    most = max(most, total);
  }
  return most;
}

/** S ← γ S + k vᵀ; what has decayed below 2⁻¹⁰⁰ becomes 0. */
function update(S: usize, k: usize, keys: i32, v: usize, values: i32, decay: f32): void {
  const factor = f32x4.splat(decay);
  const least = f32x4.splat(7.888609052210118e-31);
  const end = v + (<usize>values << 2);
  for (; keys > 0; keys--, k += 4) {
    const key = v128.load32_splat(k);
    let from = v;
    for (; from + 16 <= end; from += 16, S += 16) {
      const next = madd(key, v128.load(from), f32x4.mul(factor, v128.load(S)));
      v128.store(S, v128.andnot(next, f32x4.lt(f32x4.abs(next), least)));
    }
    for (; from < end; from += 4, S += 4) {
      const next = decay * load<f32>(S) + load<f32>(k) * load<f32>(from);
      store<f32>(S, abs(next) < <f32>7.888609052210118e-31 ? 0 : next);
    }
  }
}

function dot(a: usize, b: usize, size: i32): f32 {
  let total = f32x4.splat(0);
  for (; size >= 4; size -= 4, a += 16, b += 16) total = madd(v128.load(a), v128.load(b), total);
  let result: f32 = sum(total);
  for (; size > 0; size--, a += 4, b += 4) result += load<f32>(a) * load<f32>(b);
  return result;
}
