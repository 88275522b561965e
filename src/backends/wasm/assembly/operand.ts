// Operands of the general kernels: a (R × C) array a frame, seen as vectors of 4 neighbouring channels.

import * as at from '../layout';
import { promoteHigh, sum } from './vector';

// @ts-ignore: decorator
@inline
export function record(d: usize, role: i32): usize {
  return d + at.OPERANDS + role * at.OPERAND_BYTES;
}

/** Where the current tile's first vector of an operand stands. */
// @ts-ignore: decorator
@inline
export function pointer(d: usize, role: i32): usize {
  return load<usize>(record(d, role), at.POINTER);
}

/** Bytes from one frame's vector to the next; 0 where the operand stands still. */
// @ts-ignore: decorator
@inline
export function stride(d: usize, role: i32): usize {
  return load<usize>(record(d, role), at.STRIDE);
}

// @ts-ignore: decorator
@inline
export function tile(d: usize, index: i32): usize {
  return load<usize>(d, at.WORK) + index * at.TILE_BYTES;
}

/** Points a record at its own tile, one vector a frame. */
// @ts-ignore: decorator
@inline
export function pointAtTile(d: usize, role: i32): void {
  store<usize>(record(d, role), tile(d, role), at.POINTER);
  store<usize>(record(d, role), at.VECTOR, at.STRIDE);
}

/** True for an operand whose value does not depend on the state n. */
// @ts-ignore: decorator
@inline
export function isSharedByStates(d: usize, role: i32): bool {
  return load<i32>(record(d, role), at.COLUMNS) == 1;
}

/** A group of up to 4 channels from `h` on. */
// @ts-ignore: decorator
@inline
export function lanesOf(d: usize, h: i32): i32 {
  return min(at.LANES, load<i32>(d, at.CHANNELS) - h);
}

/** Bytes from an operand's first element of a frame to that of lane (h, n). */
// @ts-ignore: decorator
@inline
function offset(entry: usize, h: i32, n: i32): usize {
  const columns = load<i32>(entry, at.COLUMNS);
  return ((h / load<i32>(entry, at.SPAN)) * columns + (columns == 1 ? 0 : n)) << 2;
}

/**
 * Makes an operand readable as vectors for lanes (h … h + 3, n) over a tile that begins `first` frames into the
 * run: in place where the frame holds the four side by side, else gathered. Lanes beyond the last channel repeat it.
 */
export function fetch(d: usize, role: i32, h: i32, n: i32, first: i32, frames: i32): void {
  const entry = record(d, role);
  const step = load<usize>(entry, at.STEP);
  let from = load<usize>(entry, at.SOURCE);
  if (step == 0) {
    const slot = (h >> 2) * load<i32>(d, at.STATES) + n;
    store<usize>(entry, from + <usize>slot * load<usize>(entry, at.SLOT_STEP), at.POINTER);
    store<usize>(entry, 0, at.STRIDE);
    return;
  }
  from += <usize>first * step;
  const lanes = lanesOf(d, h);
  const o0 = offset(entry, h, n);
  const o1 = offset(entry, h + min(1, lanes - 1), n);
  const o2 = offset(entry, h + min(2, lanes - 1), n);
  const o3 = offset(entry, h + lanes - 1, n);
  if (o1 == o0 + 4 && o2 == o0 + 8 && o3 == o0 + 12) {
    store<usize>(entry, from + o0, at.POINTER);
    store<usize>(entry, step, at.STRIDE);
    return;
  }
  pointAtTile(d, role);
  let to = tile(d, role);
  if (o0 == o3) {
    for (from += o0; frames > 0; frames--, from += step, to += at.VECTOR) {
      v128.store(to, v128.load32_splat(from));
    }
    return;
  }
  for (; frames > 0; frames--, from += step, to += at.VECTOR) {
    store<f32>(to, load<f32>(from + o0), 0);
    store<f32>(to, load<f32>(from + o1), 4);
    store<f32>(to, load<f32>(from + o2), 8);
    store<f32>(to, load<f32>(from + o3), 12);
  }
}

/**
 * Gives a tile of gradients to its operand: adds it to the operand's frames, or to a constant's sums for this
 * slot, in float64. Lanes beyond the last channel must hold 0.
 */
export function emit(d: usize, role: i32, h: i32, n: i32, first: i32, frames: i32): void {
  const entry = record(d, role);
  let to = load<usize>(entry, at.GRADIENT);
  if (to == 0) return;
  let from = tile(d, at.GRADIENTS + role);
  const step = load<usize>(entry, at.STEP);
  if (step == 0) {
    to += ((h >> 2) * load<i32>(d, at.STATES) + n) * at.SUM_BYTES;
    let low = v128.load(to);
    let high = v128.load(to, 16);
    for (; frames > 0; frames--, from += at.VECTOR) {
      const value = v128.load(from);
      low = f64x2.add(low, f64x2.promote_low_f32x4(value));
      high = f64x2.add(high, promoteHigh(value));
    }
    v128.store(to, low);
    v128.store(to, high, 16);
    return;
  }
  to += <usize>first * step;
  const lanes = lanesOf(d, h);
  const o0 = offset(entry, h, n);
  const last = offset(entry, h + lanes - 1, n);
  if (o0 == last) {
    for (to += o0; frames > 0; frames--, from += at.VECTOR, to += step) {
      store<f32>(to, load<f32>(to) + sum(v128.load(from)));
    }
    return;
  }
  if (lanes == at.LANES && offset(entry, h + 1, n) == o0 + 4 && last == o0 + 12) {
    for (to += o0; frames > 0; frames--, from += at.VECTOR, to += step) {
      v128.store(to, f32x4.add(v128.load(to), v128.load(from)));
    }
    return;
  }
  for (; frames > 0; frames--, from += at.VECTOR, to += step) {
    for (let lane = 0; lane < lanes; lane++) {
      const cell = to + offset(entry, h + lane, n);
      store<f32>(cell, load<f32>(cell) + load<f32>(from + (lane << 2)));
    }
  }
}
