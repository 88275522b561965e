// The selective scan of Mamba: h[k] = e^(dt a) h[k−1] + dt b u, y[k] = Σₙ c h[k], with real a ≤ 0 that stand still.
//
// Channels are the lanes of vectors; four states go through a tile of frames side by side, coefficients made on the
// way and never stored. With m = e^(dt a) − 1 the step is h += m h + dt b u: a slow mode's distance from 1 is what
// float32 has to keep. 2^t − 1 = 2^n (2^f − 1) + (2^n − 1) with t = dt a log₂e = n + f, |f| ≤ ½, and 2^f − 1 = f times
// a polynomial through Chebyshev's nodes: 5e-7 off at most, and exact towards f = 0, where errors would add up.

import * as at from '../layout';
import { storeLanes } from './linear';
import { constant, flushed, madd } from './vector';

const ROUNDING: v128 = constant(12582912.0);
const LEAST: v128 = constant(-126);
const ONE: v128 = constant(1);
const G0: v128 = constant(0.6931471805599453);
const G1: v128 = constant(0.24022349338020388);
const G2: v128 = constant(5.550381013796484e-2);
const G3: v128 = constant(9.666368515384532e-3);
const G4: v128 = constant(1.3381302537300982e-3);

/** 2^t − 1 for −126 ≤ t < 127; below, −1. */
// @ts-ignore: decorator
@inline
function growth(t: v128): v128 {
  const held = f32x4.pmax(t, LEAST);
  const rounded = f32x4.add(held, ROUNDING);
  const f = f32x4.sub(held, f32x4.sub(rounded, ROUNDING));
  let q = madd(f, G4, G3);
  q = madd(f, q, G2);
  q = madd(f, q, G1);
  q = madd(f, q, G0);
  const scale = i32x4.add(i32x4.shl(rounded, 23), ONE);
  return madd(scale, f32x4.mul(f, q), f32x4.sub(scale, ONE));
}

/** `frames` frames, the first of which stands `phase` frames behind a multiple of FLUSH. */
export function selective(d: usize, frames: i32, phase: i32): void {
  const channels = load<i32>(d, at.SELECTIVE_CHANNELS);
  const states = load<i32>(d, at.SELECTIVE_STATES);
  const bStep = load<usize>(d, at.SELECTIVE_B_STEP);
  const cStep = load<usize>(d, at.SELECTIVE_C_STEP);
  const bSpan = load<i32>(d, at.SELECTIVE_B_SPAN);
  const cSpan = load<i32>(d, at.SELECTIVE_C_SPAN);
  const work = load<usize>(d, at.SELECTIVE_WORK);
  for (let first = 0; first < frames; first += at.TILE) {
    const count = min(frames - first, at.TILE);
    let a = load<usize>(d, at.SELECTIVE_A);
    let x = load<usize>(d, at.SELECTIVE_STATE);
    for (let h = 0; h < channels; h += at.LANES) {
      stage(d, work, h, first, count);
      let b = load<usize>(d, at.SELECTIVE_B) + <usize>first * bStep + <usize>((h / bSpan) * states << 2);
      let c = load<usize>(d, at.SELECTIVE_C) + <usize>first * cStep + <usize>((h / cSpan) * states << 2);
      let n = states;
      for (; n >= 4; n -= 4, a += 64, x += 64, b += 16, c += 16) {
        fourStates(work, a, x, b, bStep, c, cStep, count, phase + first);
      }
      for (; n > 0; n--, a += 16, x += 16, b += 4, c += 4) {
        oneState(work, a, x, b, bStep, c, cStep, count, phase + first);
      }
      write(d, work, h, first, count);
    }
  }
}

/** dt and dt u of four channels, and zeros for y, into the three tiles. */
function stage(d: usize, work: usize, h: i32, first: i32, frames: i32): void {
  const channels = load<i32>(d, at.SELECTIVE_CHANNELS);
  const uStep = <usize>channels << 2;
  const dtStep = load<usize>(d, at.SELECTIVE_DT_STEP);
  const span = load<i32>(d, at.SELECTIVE_DT_SPAN);
  const least = f32x4.splat(load<f32>(d, at.SELECTIVE_LEAST_DT));
  const lanes = min(at.LANES, channels - h);
  let u = load<usize>(d, at.SELECTIVE_U) + <usize>first * uStep + (<usize>h << 2);
  let dt = load<usize>(d, at.SELECTIVE_DT) + <usize>first * dtStep;
  const end = work + (<usize>frames << 4);
  if (lanes == at.LANES && span == 1) {
    dt += <usize>h << 2;
    for (; work < end; work += 16, u += uStep, dt += dtStep) {
      const step = v128.load(dt);
      v128.store(work, f32x4.pmax(step, least));
      v128.store(work, f32x4.mul(step, v128.load(u)), at.TILE * at.VECTOR);
      v128.store(work, f32x4.splat(0), 2 * at.TILE * at.VECTOR);
    }
    return;
  }
  for (; work < end; work += 16, u += uStep, dt += dtStep) {
    for (let lane = 0; lane < at.LANES; lane++) {
      const is = lane < lanes;
      const step: f32 = is ? load<f32>(dt + (<usize>((h + lane) / span) << 2)) : 0;
      const input: f32 = is ? load<f32>(u + (<usize>lane << 2)) : 0;
      store<f32>(work + (<usize>lane << 2), step);
      store<f32>(work + (<usize>lane << 2), step * input, at.TILE * at.VECTOR);
    }
    v128.store(work, f32x4.pmax(v128.load(work), least));
    v128.store(work, f32x4.splat(0), 2 * at.TILE * at.VECTOR);
  }
}

function write(d: usize, work: usize, h: i32, first: i32, frames: i32): void {
  const channels = load<i32>(d, at.SELECTIVE_CHANNELS);
  const step = <usize>channels << 2;
  const lanes = min(at.LANES, channels - h);
  let y = work + 2 * at.TILE * at.VECTOR;
  let to = load<usize>(d, at.SELECTIVE_OUTPUT) + <usize>first * step + (<usize>h << 2);
  for (const end = y + (<usize>frames << 4); y < end; y += 16, to += step) {
    const value = flushed(v128.load(y));
    if (lanes == at.LANES) v128.store(to, value);
    else storeLanes(to, value, lanes);
  }
}

function fourStates(
  work: usize,
  a: usize,
  x: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  frames: i32,
  phase: i32,
): void {
  const a0 = v128.load(a);
  const a1 = v128.load(a, 16);
  const a2 = v128.load(a, 32);
  const a3 = v128.load(a, 48);
  let x0 = v128.load(x);
  let x1 = v128.load(x, 16);
  let x2 = v128.load(x, 32);
  let x3 = v128.load(x, 48);
  for (const end = work + (<usize>frames << 4); work < end; work += 16, b += bStep, c += cStep) {
    phase++;
    const dt = v128.load(work);
    const u = v128.load(work, at.TILE * at.VECTOR);
    x0 = f32x4.add(x0, madd(growth(f32x4.mul(dt, a0)), x0, f32x4.mul(u, v128.load32_splat(b))));
    x1 = f32x4.add(x1, madd(growth(f32x4.mul(dt, a1)), x1, f32x4.mul(u, v128.load32_splat(b, 4))));
    x2 = f32x4.add(x2, madd(growth(f32x4.mul(dt, a2)), x2, f32x4.mul(u, v128.load32_splat(b, 8))));
    x3 = f32x4.add(x3, madd(growth(f32x4.mul(dt, a3)), x3, f32x4.mul(u, v128.load32_splat(b, 12))));
    if ((phase & (at.FLUSH - 1)) == 0) {
      x0 = flushed(x0);
      x1 = flushed(x1);
      x2 = flushed(x2);
      x3 = flushed(x3);
    }
    let y = madd(v128.load32_splat(c), x0, v128.load(work, 2 * at.TILE * at.VECTOR));
    y = madd(v128.load32_splat(c, 4), x1, y);
    y = madd(v128.load32_splat(c, 8), x2, y);
    y = madd(v128.load32_splat(c, 12), x3, y);
    v128.store(work, y, 2 * at.TILE * at.VECTOR);
  }
  v128.store(x, x0);
  v128.store(x, x1, 16);
  v128.store(x, x2, 32);
  v128.store(x, x3, 48);
}

function oneState(
  work: usize,
  a: usize,
  x: usize,
  b: usize,
  bStep: usize,
  c: usize,
  cStep: usize,
  frames: i32,
  phase: i32,
): void {
  const rate = v128.load(a);
  let state = v128.load(x);
  for (const end = work + (<usize>frames << 4); work < end; work += 16, b += bStep, c += cStep) {
    phase++;
    const m = growth(f32x4.mul(v128.load(work), rate));
    const u = v128.load(work, at.TILE * at.VECTOR);
    state = f32x4.add(state, madd(m, state, f32x4.mul(u, v128.load32_splat(b))));
    if ((phase & (at.FLUSH - 1)) == 0) state = flushed(state);
    const y = madd(v128.load32_splat(c), state, v128.load(work, 2 * at.TILE * at.VECTOR));
    v128.store(work, y, 2 * at.TILE * at.VECTOR);
  }
  v128.store(x, state);
}
