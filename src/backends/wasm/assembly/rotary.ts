// Rotary position: pairs turned by the frame's number times an angle of their own. The phase is a product of whole
// numbers modulo 2⁶⁴, 2e-19 turns off at most at any number of frames; its cosine and sine come from the first two quadrant bits and a
// series of the rest.

import * as at from '../layout';
import { cosNear, inQuadrant, sinNear } from './elementary';
import { madd } from './vector';

export function rotary(d: usize, frames: i32): void {
  const rows = load<i32>(d, at.ROTARY_ROWS);
  const pairs = load<i32>(d, at.ROTARY_PAIRS);
  const isInterleaved = load<i32>(d, at.ROTARY_INTERLEAVED) != 0;
  const cos = load<usize>(d, at.ROTARY_PHASES);
  const sin = cos + (<usize>((pairs + 3) & ~3) << 2);
  const row = <usize>pairs << 3;
  let frame = <u64>load<f64>(d, at.ROTARY_FIRST);
  let x = load<usize>(d, at.ROTARY_INPUT);
  let y = load<usize>(d, at.ROTARY_OUTPUT);
  for (; frames > 0; frames--, frame++) {
    phases(d, frame, cos, sin, pairs);
    for (let r = 0; r < rows; r++, x += row, y += row) {
      if (isInterleaved) turnNeighbours(x, y, cos, sin, pairs);
      else turnHalves(x, y, cos, sin, pairs);
    }
  }
}

/** The upper half of the product of two 64-bit numbers, two units too small at most. */
// @ts-ignore: decorator
@inline
function upper(a: u64, b: u64): u64 {
  const aHigh = a >> 32;
  const bHigh = b >> 32;
  return aHigh * bHigh + ((aHigh * (b & 0xffffffff)) >> 32) + (((a & 0xffffffff) * bHigh) >> 32);
}

/** cos and sin of 2π (turns · frame) for every pair. */
function phases(d: usize, frame: u64, cos: usize, sin: usize, pairs: i32): void {
  let turns = load<usize>(d, at.ROTARY_TURNS);
  for (let left = pairs; left > 0; left -= 4, cos += 16, sin += 16) {
    for (let lane: usize = 0; lane < 4; lane++) {
      const part = frame * load<u64>(turns + (lane << 4)) + upper(frame, load<u64>(turns + (lane << 4), 8));
      // Quarter turns rounded to the nearest, and the rest in −⅛ … ⅛ of a turn.
      const quadrant = (part + 0x2000000000000000) >> 62;
      const rest = <i64>(part - (quadrant << 62));
      store<f32>(cos + (lane << 2), <f32>(<f64>rest * 3.4061215800865545e-19));
      store<u32>(sin + (lane << 2), <u32>quadrant);
    }
    turns += 64;
    const r = v128.load(cos);
    const quadrant = v128.load(sin);
    const s = sinNear(r);
    const c = cosNear(r);
    v128.store(sin, inQuadrant(s, c, quadrant));
    v128.store(cos, inQuadrant(s, c, i32x4.add(quadrant, i32x4.splat(1))));
  }
}

/** (a, b) ← (a cos − b sin, b cos + a sin) with a, b in the two halves of a row. */
function turnHalves(x: usize, y: usize, cos: usize, sin: usize, pairs: i32): void {
  const half = <usize>pairs << 2;
  let left = pairs;
  for (; left >= 4; left -= 4, x += 16, y += 16, cos += 16, sin += 16) {
    const a = v128.load(x);
    const b = v128.load(x + half);
    const c = v128.load(cos);
    const s = v128.load(sin);
    v128.store(y, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
    v128.store(y + half, madd(a, s, f32x4.mul(b, c)));
  }
  for (; left > 0; left--, x += 4, y += 4, cos += 4, sin += 4) turn(x, x + half, y, y + half, cos, sin);
}

/** The same with neighbours for pairs. */
function turnNeighbours(x: usize, y: usize, cos: usize, sin: usize, pairs: i32): void {
  let left = pairs;
  for (; left >= 4; left -= 4, x += 32, y += 32, cos += 16, sin += 16) {
    const low = v128.load(x);
    const high = v128.load(x, 16);
    const a = v128.shuffle<f32>(low, high, 0, 2, 4, 6);
    const b = v128.shuffle<f32>(low, high, 1, 3, 5, 7);
    const c = v128.load(cos);
    const s = v128.load(sin);
    const turnedA = f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s));
    const turnedB = madd(a, s, f32x4.mul(b, c));
    v128.store(y, v128.shuffle<f32>(turnedA, turnedB, 0, 4, 1, 5));
    v128.store(y, v128.shuffle<f32>(turnedA, turnedB, 2, 6, 3, 7), 16);
  }
  for (; left > 0; left--, x += 8, y += 8, cos += 4, sin += 4) turn(x, x + 4, y, y + 4, cos, sin);
}

// @ts-ignore: decorator
@inline
function turn(x: usize, xNext: usize, y: usize, yNext: usize, cos: usize, sin: usize): void {
  const a = load<f32>(x);
  const b = load<f32>(xNext);
  const c = load<f32>(cos);
  const s = load<f32>(sin);
  store<f32>(y, a * c - b * s);
  store<f32>(yNext, b * c + a * s);
}
