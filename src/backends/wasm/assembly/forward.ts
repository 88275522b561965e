// The scan in general: any operand by frame or constant, real and complex, contracted or with the state as output.

import * as at from '../layout';
import { discretise } from './discretise';
import { fetch, isSharedByStates, lanesOf, pointer, stride, tile } from './operand';
import { advance, advanceWide } from './recurrence';
import { Complex, Real, madd, nmadd, sum } from './vector';

/** `frames` frames, the first of which stands `phase` frames behind a multiple of the tile. */
export function forward(d: usize, frames: i32, phase: i32): void {
  if (load<i32>(d, at.COMPLEX)) tiles<Complex>(d, frames, phase);
  else tiles<Real>(d, frames, phase);
}

function tiles<S>(d: usize, frames: i32, phase: i32): void {
  const channels = load<i32>(d, at.CHANNELS);
  const states = load<i32>(d, at.STATES);
  const isContracted = load<i32>(d, at.CONTRACTED) != 0;
  const isSummed = load<i32>(d, at.CONTRACTED) == 2;
  for (let first = 0; first < frames; phase = 0) {
    const count = min(at.TILE - phase, frames - first);
    for (let h = 0; h < channels; h += at.LANES) {
      fetchShared(d, h, first, count);
      if (isContracted && (h == 0 || !isSummed)) memory.fill(tile(d, at.Y), 0, count << 4);
      for (let n = 0; n < states; n++) {
        fetchOwn(d, h, n, first, count);
        trajectory<S>(d, h, n, count, phase);
        if (isContracted) contract<S>(d, count);
        else writeState<S>(d, h, n, first, count);
      }
      if (isContracted && !isSummed) write(d, tile(d, at.Y), h, 1, first, count);
    }
    if (isSummed) writeSums(d, first, count);
    first += count;
  }
}

/** The operands that are the same for all states of a group. */
export function fetchShared(d: usize, h: i32, first: i32, frames: i32): void {
  for (let role = 0; role < at.ROLES; role++) {
    if (isSharedByStates(d, role)) fetch(d, role, h, 0, first, frames);
  }
}

export function fetchOwn(d: usize, h: i32, n: i32, first: i32, frames: i32): void {
  for (let role = 0; role < at.ROLES; role++) {
    if (!isSharedByStates(d, role)) fetch(d, role, h, n, first, frames);
  }
}

// @ts-ignore: decorator
@inline
export function slotOf(d: usize, h: i32, n: i32): i32 {
  return (h >> 2) * load<i32>(d, at.STATES) + n;
}

// @ts-ignore: decorator
@inline
export function isWide(d: usize, slot: i32): bool {
  const flags = load<usize>(d, at.WIDE_FLAGS);
  return flags != 0 && load<u8>(flags + slot) != 0;
}

/** The states of a slot at every frame of a tile, into the tiles of X; the tile begins at `phase` of a whole one. */
export function trajectory<S>(d: usize, h: i32, n: i32, frames: i32, phase: i32): void {
  const slot = slotOf(d, h, n);
  const state = load<usize>(d, at.STATE) + slot * at.STATE_BYTES;
  if (load<i32>(d, at.STILL)) {
    for (let role = at.M; role <= at.B_BAR_IM; role++) fetch(d, role, h, n, 0, 0);
    if (isWide(d, slot)) {
      const coefficients = load<usize>(d, at.WIDE_COEFFICIENTS) + slot * at.WIDE_BYTES;
      advanceWide<S>(d, coefficients, state, frames, phase + frames == at.TILE);
      return;
    }
  } else {
    discretise<S>(d, frames);
  }
  advance<S>(d, state, frames, phase);
}

/** y += Re c x. */
function contract<S>(d: usize, frames: i32): void {
  let c = pointer(d, at.C);
  let cIm = pointer(d, at.C_IM);
  const cStep = stride(d, at.C);
  const cImStep = stride(d, at.C_IM);
  let x = tile(d, at.X);
  let xIm = tile(d, at.X_IM);
  let y = tile(d, at.Y);
  for (; frames > 0; frames--, y += at.VECTOR) {
    x += at.VECTOR;
    let total = madd(v128.load(c), v128.load(x), v128.load(y));
    if (isFloat<S>()) {
      xIm += at.VECTOR;
      total = nmadd(v128.load(cIm), v128.load(xIm), total);
      cIm += cImStep;
    }
    v128.store(y, total);
    c += cStep;
  }
}

function writeState<S>(d: usize, h: i32, n: i32, first: i32, frames: i32): void {
  const states = load<i32>(d, at.STATES);
  write(d, tile(d, at.X) + at.VECTOR, h * states + n, states, first, frames);
  if (isFloat<S>()) {
    const count = load<i32>(d, at.CHANNELS) * states;
    write(d, tile(d, at.X_IM) + at.VECTOR, count + h * states + n, states, first, frames);
  }
}

/** The four lanes of every frame as one number. */
function writeSums(d: usize, first: i32, frames: i32): void {
  const step = load<usize>(d, at.OUTPUT_STEP);
  let to = load<usize>(d, at.OUTPUT) + <usize>first * step;
  let y = tile(d, at.Y);
  for (; frames > 0; frames--, y += at.VECTOR, to += step) store<f32>(to, sum(v128.load(y)));
}

/** A tile to the output: lane 0 at `element` of every frame, the other channels `apart` elements from each other. */
function write(d: usize, from: usize, element: i32, apart: i32, first: i32, frames: i32): void {
  const step = load<usize>(d, at.OUTPUT_STEP);
  let to = load<usize>(d, at.OUTPUT) + <usize>first * step + (element << 2);
  const lanes = lanesOf(d, (element / apart) % load<i32>(d, at.CHANNELS));
  if (apart == 1 && lanes == at.LANES) {
    for (; frames > 0; frames--, from += at.VECTOR, to += step) v128.store(to, v128.load(from));
    return;
  }
  for (; frames > 0; frames--, from += at.VECTOR, to += step) {
    for (let lane = 0; lane < lanes; lane++) {
      store<f32>(to + ((lane * apart) << 2), load<f32>(from + (lane << 2)));
    }
  }
}
