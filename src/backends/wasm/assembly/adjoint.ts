// The transposed derivative of the scan over a whole sequence from a fresh state; see src/ops/diagonal-scan-adjoint.ts
// for the equations. One group of channels at a time: its states forward, kept at the start of every tile; then the
// tiles backwards, each with its states computed anew.

import * as at from '../layout';
import { fetchOwn, fetchShared, isWide, slotOf, trajectory } from './forward';
import { emit, isSharedByStates, lanesOf, pointer, stride, tile } from './operand';
import { retreat, retreatWide } from './recurrence';
import { slopes } from './slopes';
import { Complex, Real, madd, nmadd } from './vector';

export function adjoint(d: usize, frames: i32): void {
  const channels = load<i32>(d, at.CHANNELS);
  for (let h = 0; h < channels; h += at.LANES) {
    if (load<i32>(d, at.COMPLEX)) group<Complex>(d, h, frames);
    else group<Real>(d, h, frames);
  }
}

function group<S>(d: usize, h: i32, frames: i32): void {
  const states = load<i32>(d, at.STATES);
  const bytes = states * at.STATE_BYTES;
  const state = load<usize>(d, at.STATE) + slotOf(d, h, 0) * at.STATE_BYTES;
  let checkpoint = load<usize>(d, at.CHECKPOINTS);
  const begin = load<usize>(d, at.BEGIN);
  if (begin == 0) memory.fill(state, 0, bytes);
  else memory.copy(state, begin + slotOf(d, h, 0) * at.STATE_BYTES, bytes);
  memory.fill(load<usize>(d, at.LAMBDA), 0, bytes);
  let first = 0;
  for (; first < frames; first += at.TILE, checkpoint += bytes) {
    const count = min(at.TILE, frames - first);
    memory.copy(checkpoint, state, bytes);
    fetchShared(d, h, first, count);
    for (let n = 0; n < states; n++) {
      fetchOwn(d, h, n, first, count);
      trajectory<S>(d, h, n, count, 0);
    }
  }
  while (first > 0) {
    first -= at.TILE;
    checkpoint -= bytes;
    memory.copy(state, checkpoint, bytes);
    back<S>(d, h, first, min(at.TILE, frames - first));
  }
}

/** One tile of a group. */
function back<S>(d: usize, h: i32, first: i32, frames: i32): void {
  const states = load<i32>(d, at.STATES);
  const isContracted = load<i32>(d, at.CONTRACTED) != 0;
  fetchShared(d, h, first, frames);
  if (isContracted) read(d, at.D_OUTPUT, h, 1, first, frames);
  for (let role = 0; role < at.GRADIENT_TILES; role++) {
    if (isSharedByStates(d, role)) clearGradient(d, role, frames);
  }
  for (let n = 0; n < states; n++) {
    fetchOwn(d, h, n, first, frames);
    trajectory<S>(d, h, n, frames, 0);
    for (let role = 0; role < at.GRADIENT_TILES; role++) {
      if (!isSharedByStates(d, role)) clearGradient(d, role, frames);
    }
    if (isContracted) throughReadOut<S>(d, frames);
    else throughState<S>(d, h, n, first, frames);
    const slot = slotOf(d, h, n);
    const carry = load<usize>(d, at.LAMBDA) + n * at.STATE_BYTES;
    if (isWide(d, slot)) {
      const coefficients = load<usize>(d, at.WIDE_COEFFICIENTS) + slot * at.WIDE_BYTES;
      retreatWide<S>(d, coefficients, carry, frames, frames == at.TILE);
    } else {
      retreat<S>(d, carry, frames);
    }
    toInput<S>(d, frames);
    toCoefficients<S>(d, frames);
    if (!load<i32>(d, at.STILL)) {
      slopes<S>(d, frames);
      toOperands<S>(d, frames);
    }
    for (let role = 0; role < at.GRADIENT_TILES; role++) {
      if (!isSharedByStates(d, role)) emit(d, role, h, n, first, frames);
    }
  }
  for (let role = 0; role < at.GRADIENT_TILES; role++) {
    if (isSharedByStates(d, role)) emit(d, role, h, 0, first, frames);
  }
}

// @ts-ignore: decorator
@inline
function gradient(d: usize, role: i32): usize {
  return tile(d, at.GRADIENTS + role);
}

function clearGradient(d: usize, role: i32, frames: i32): void {
  memory.fill(gradient(d, role), 0, frames << 4);
}

// @ts-ignore: decorator
@inline
function accumulate(to: usize, value: v128): void {
  v128.store(to, f32x4.add(v128.load(to), value));
}

/** The output's gradient for one group into a tile; 0 in lanes beyond the last channel, so that these give nothing. */
function read(d: usize, index: i32, element: i32, apart: i32, first: i32, frames: i32): void {
  const step = load<usize>(d, at.OUTPUT_STEP);
  const lanes = lanesOf(d, (element / apart) % load<i32>(d, at.CHANNELS));
  let from = load<usize>(d, at.OUTPUT) + <usize>first * step + (element << 2);
  let to = tile(d, index);
  memory.fill(to, 0, frames << 4);
  for (; frames > 0; frames--, from += step, to += at.VECTOR) {
    for (let lane = 0; lane < lanes; lane++) {
      store<f32>(to + (lane << 2), load<f32>(from + ((lane * apart) << 2)));
    }
  }
}

/** What reaches x from y = Re c x: conj(c) dy; and dc = dy conj(x). */
function throughReadOut<S>(d: usize, frames: i32): void {
  let c = pointer(d, at.C);
  let cIm = pointer(d, at.C_IM);
  const cStep = stride(d, at.C);
  const cImStep = stride(d, at.C_IM);
  let x = tile(d, at.X) + at.VECTOR;
  let xIm = tile(d, at.X_IM) + at.VECTOR;
  let dy = tile(d, at.D_OUTPUT);
  let lambda = tile(d, at.LAMBDA_RE);
  let lambdaIm = tile(d, at.LAMBDA_IM);
  let dc = gradient(d, at.C);
  let dcIm = gradient(d, at.C_IM);
  for (; frames > 0; frames--, dy += at.VECTOR) {
    const y = v128.load(dy);
    v128.store(lambda, f32x4.mul(y, v128.load(c)));
    accumulate(dc, f32x4.mul(y, v128.load(x)));
    if (isFloat<S>()) {
      const negative = f32x4.neg(y);
      v128.store(lambdaIm, f32x4.mul(negative, v128.load(cIm)));
      accumulate(dcIm, f32x4.mul(negative, v128.load(xIm)));
      lambdaIm += at.VECTOR;
      dcIm += at.VECTOR;
      xIm += at.VECTOR;
      cIm += cImStep;
    }
    lambda += at.VECTOR;
    dc += at.VECTOR;
    x += at.VECTOR;
    c += cStep;
  }
}

/** Where the output is the state, its gradient comes as it is. */
function throughState<S>(d: usize, h: i32, n: i32, first: i32, frames: i32): void {
  const states = load<i32>(d, at.STATES);
  read(d, at.LAMBDA_RE, h * states + n, states, first, frames);
  if (isFloat<S>()) {
    const count = load<i32>(d, at.CHANNELS) * states;
    read(d, at.LAMBDA_IM, count + h * states + n, states, first, frames);
  }
}

/** du += conj(B̄) λ. */
function toInput<S>(d: usize, frames: i32): void {
  let b = pointer(d, at.B_BAR);
  let bIm = pointer(d, at.B_BAR_IM);
  const step = stride(d, at.B_BAR);
  let lambda = tile(d, at.LAMBDA_RE);
  let lambdaIm = tile(d, at.LAMBDA_IM);
  let du = gradient(d, at.U);
  let duIm = gradient(d, at.U_IM);
  for (; frames > 0; frames--, lambda += at.VECTOR, du += at.VECTOR) {
    const re = v128.load(lambda);
    const br = v128.load(b);
    let sum = madd(re, br, v128.load(du));
    if (isFloat<S>()) {
      const im = v128.load(lambdaIm);
      const bi = v128.load(bIm);
      sum = madd(im, bi, sum);
      v128.store(duIm, madd(im, br, nmadd(re, bi, v128.load(duIm))));
      lambdaIm += at.VECTOR;
      duIm += at.VECTOR;
      bIm += step;
    }
    v128.store(du, sum);
    b += step;
  }
}

/** dĀ = λ conj(x[k−1]) and dB̄ = λ conj(u), in the gradients of m and B̄. */
function toCoefficients<S>(d: usize, frames: i32): void {
  let u = pointer(d, at.U);
  let uIm = pointer(d, at.U_IM);
  const uStep = stride(d, at.U);
  const uImStep = stride(d, at.U_IM);
  const x = tile(d, at.X);
  const xIm = tile(d, at.X_IM);
  const lambda = tile(d, at.LAMBDA_RE);
  const lambdaIm = tile(d, at.LAMBDA_IM);
  const dm = gradient(d, at.M);
  const dmIm = gradient(d, at.M_IM);
  const db = gradient(d, at.B_BAR);
  const dbIm = gradient(d, at.B_BAR_IM);
  for (let k: usize = 0; k < <usize>frames << 4; k += at.VECTOR) {
    const re = v128.load(lambda + k);
    const past = v128.load(x + k);
    const input = v128.load(u);
    if (isFloat<S>()) {
      const im = v128.load(lambdaIm + k);
      const pastIm = v128.load(xIm + k);
      const inputIm = v128.load(uIm);
      v128.store(dm + k, madd(re, past, f32x4.mul(im, pastIm)));
      v128.store(dmIm + k, nmadd(re, pastIm, f32x4.mul(im, past)));
      v128.store(db + k, madd(re, input, f32x4.mul(im, inputIm)));
      v128.store(dbIm + k, nmadd(re, inputIm, f32x4.mul(im, input)));
      uIm += uImStep;
    } else {
      v128.store(dm + k, f32x4.mul(re, past));
      v128.store(db + k, f32x4.mul(re, input));
    }
    u += uStep;
  }
}

/** dz = dĀ conj(f′) + dB̄ conj(dt b g′); da = dt dz, db = dB̄ conj(dt g), ddt = Re(dz conj(a)) + Re(dB̄ conj(g b)). */
function toOperands<S>(d: usize, frames: i32): void {
  let a = pointer(d, at.A);
  let aIm = pointer(d, at.A_IM);
  let b = pointer(d, at.B);
  let bIm = pointer(d, at.B_IM);
  let dt = pointer(d, at.DT);
  let g = pointer(d, at.G);
  let gIm = pointer(d, at.G_IM);
  let f = pointer(d, at.F_SLOPE);
  let fIm = pointer(d, at.F_SLOPE_IM);
  let s = pointer(d, at.G_SLOPE);
  let sIm = pointer(d, at.G_SLOPE_IM);
  const aStep = stride(d, at.A);
  const aImStep = stride(d, at.A_IM);
  const bStep = stride(d, at.B);
  const bImStep = stride(d, at.B_IM);
  const dtStep = stride(d, at.DT);
  const gStep = stride(d, at.G);
  const fStep = stride(d, at.F_SLOPE);
  const sStep = stride(d, at.G_SLOPE);
  for (let k: usize = 0; k < <usize>frames << 4; k += at.VECTOR) {
    const dA = v128.load(gradient(d, at.M) + k);
    const dB = v128.load(gradient(d, at.B_BAR) + k);
    const step = v128.load(dt);
    const ar = v128.load(a);
    const br = v128.load(b);
    const gr = v128.load(g);
    const fr = v128.load(f);
    const sr = v128.load(s);
    if (isFloat<S>()) {
      const dAIm = v128.load(gradient(d, at.M_IM) + k);
      const dBIm = v128.load(gradient(d, at.B_BAR_IM) + k);
      const ai = v128.load(aIm);
      const bi = v128.load(bIm);
      const gi = v128.load(gIm);
      const fi = v128.load(fIm);
      const si = v128.load(sIm);
      const sb = f32x4.mul(step, nmadd(bi, si, f32x4.mul(br, sr)));
      const sbIm = f32x4.mul(step, madd(bi, sr, f32x4.mul(br, si)));
      const dz = madd(dB, sb, madd(dBIm, sbIm, madd(dA, fr, f32x4.mul(dAIm, fi))));
      const dzIm = madd(dBIm, sb, nmadd(dB, sbIm, nmadd(dA, fi, f32x4.mul(dAIm, fr))));
      const gb = nmadd(gi, bi, f32x4.mul(gr, br));
      const gbIm = madd(gi, br, f32x4.mul(gr, bi));
      const dDt = madd(dz, ar, madd(dzIm, ai, madd(dB, gb, f32x4.mul(dBIm, gbIm))));
      accumulate(gradient(d, at.A) + k, f32x4.mul(step, dz));
      accumulate(gradient(d, at.A_IM) + k, f32x4.mul(step, dzIm));
      accumulate(gradient(d, at.B) + k, f32x4.mul(step, madd(dB, gr, f32x4.mul(dBIm, gi))));
      accumulate(gradient(d, at.B_IM) + k, f32x4.mul(step, nmadd(dB, gi, f32x4.mul(dBIm, gr))));
      accumulate(gradient(d, at.DT) + k, dDt);
      aIm += aImStep;
      bIm += bImStep;
      gIm += gStep;
      fIm += fStep;
      sIm += sStep;
    } else {
      const dz = madd(dB, f32x4.mul(step, f32x4.mul(br, sr)), f32x4.mul(dA, fr));
      accumulate(gradient(d, at.A) + k, f32x4.mul(step, dz));
      accumulate(gradient(d, at.B) + k, f32x4.mul(step, f32x4.mul(dB, gr)));
      accumulate(gradient(d, at.DT) + k, madd(dz, ar, f32x4.mul(dB, f32x4.mul(gr, br))));
    }
    dt += dtStep;
    a += aStep;
    b += bStep;
    g += gStep;
    f += fStep;
    s += sStep;
  }
}
