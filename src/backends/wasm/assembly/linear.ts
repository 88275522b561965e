// y = W x + b of one firing after the other, W constant: dense layers and convolutions.
//
// | symbol | name | shape |
// | --- | --- | --- |
// | x | window | the numbers that a firing sees; a segment is a stretch of neighbours |
// | W | weight | (rows × columns), in panels of 16 rows and tiles of 4, column after column |
// | b | bias | (rows) |
//
// Rows are the lanes of vectors. Every row's sum runs through a segment's columns in their order and then joins
// the sum of the segments before, whatever number of firings is computed side by side: chunks never show.

import * as at from '../layout';
import { flushed, madd, sum } from './vector';

/** Firings that pass by a panel before the next: their windows and the panel stay in the nearest cache. */
const BLOCK = 32;

/** By panels and tiles of rows. */
export function linear(d: usize, frames: i32): void {
  const inputStep = load<usize>(d, at.LINEAR_INPUT_STEP);
  const outputStep = load<usize>(d, at.LINEAR_OUTPUT_STEP);
  const rows = load<i32>(d, at.LINEAR_ROWS);
  let input = load<usize>(d, at.LINEAR_INPUT);
  let output = load<usize>(d, at.LINEAR_OUTPUT);
  const panelBytes = columnsOf(d) * at.PANEL * 4;
  const tileBytes = columnsOf(d) * at.VECTOR;
  for (; frames > 0; frames -= BLOCK) {
    const count = min(frames, BLOCK);
    let w = load<usize>(d, at.LINEAR_WEIGHTS);
    let bias = load<usize>(d, at.LINEAR_BIAS);
    let x = input;
    let y = output;
    for (let g = load<i32>(d, at.LINEAR_GROUPS); g > 0; g--) {
      let left = rows;
      for (; left > at.PANEL - at.LANES; left -= at.PANEL, w += panelBytes, bias += at.PANEL * 4, y += at.PANEL * 4) {
        panel(d, w, bias, x, y, count, min(left, at.PANEL));
      }
      for (; left > 0; left -= at.LANES, w += tileBytes, bias += at.VECTOR, y += at.VECTOR) {
        tile(d, w, bias, x, y, count, min(left, at.LANES));
      }
      // Back from the last panel's or tile's end to that of the rows.
      y += left << 2;
      x += load<usize>(d, at.LINEAR_GROUP_STEP);
    }
    input += BLOCK * inputStep;
    output += BLOCK * outputStep;
  }
}

function columnsOf(d: usize): usize {
  let columns: usize = 0;
  let entry = load<usize>(d, at.LINEAR_TABLE);
  for (let s = load<i32>(d, at.LINEAR_SEGMENTS); s > 0; s--, entry += 8) columns += load<usize>(entry, 4);
  return columns;
}

/** 13 to 16 rows of some firings. */
function panel(d: usize, w: usize, bias: usize, x: usize, y: usize, frames: i32, rows: i32): void {
  const inputStep = load<usize>(d, at.LINEAR_INPUT_STEP);
  const outputStep = load<usize>(d, at.LINEAR_OUTPUT_STEP);
  const isWhole = rows == at.PANEL;
  const scratch = load<usize>(d, at.LINEAR_SCRATCH);
  const toStep = isWhole ? outputStep : at.PANEL * 4;
  const b0 = v128.load(bias);
  const b1 = v128.load(bias, 16);
  const b2 = v128.load(bias, 32);
  const b3 = v128.load(bias, 48);
  while (frames > 0) {
    const together = min(frames, 2);
    const to = isWhole ? y : scratch;
    v128.store(to, b0);
    v128.store(to, b1, 16);
    v128.store(to, b2, 32);
    v128.store(to, b3, 48);
    let weights = w;
    let entry = load<usize>(d, at.LINEAR_TABLE);
    const table = entry + (load<usize>(d, at.LINEAR_SEGMENTS) << 3);
    if (together == 2) {
      v128.store(to + toStep, b0);
      v128.store(to + toStep, b1, 16);
      v128.store(to + toStep, b2, 32);
      v128.store(to + toStep, b3, 48);
      for (; entry < table; entry += 8) {
        const columns = load<usize>(entry, 4);
        panelOfTwo(weights, x + load<usize>(entry), inputStep, columns, to, toStep);
        weights += columns * at.PANEL * 4;
      }
    } else {
      for (; entry < table; entry += 8) {
        const columns = load<usize>(entry, 4);
        panelOfOne(weights, x + load<usize>(entry), columns, to);
        weights += columns * at.PANEL * 4;
      }
    }
    settle(to, 4);
    if (together == 2) settle(to + toStep, 4);
    if (!isWhole) {
      memory.copy(y, scratch, rows << 2);
      if (together == 2) memory.copy(y + outputStep, scratch + at.PANEL * 4, rows << 2);
    }
    x += <usize>together * inputStep;
    y += <usize>together * outputStep;
    frames -= together;
  }
}

/** Sums that are complete: what is too small to be heard becomes 0, or the next product runs on subnormal numbers. */
// @ts-ignore: decorator
@inline
function settle(y: usize, vectors: i32): void {
  for (; vectors > 0; vectors--, y += 16) v128.store(y, flushed(v128.load(y)));
}

/** Adds one segment's products to 16 rows of two firings. */
function panelOfTwo(w: usize, x: usize, xStep: usize, columns: usize, y: usize, yStep: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  let c0 = a0;
  let c1 = a0;
  let c2 = a0;
  let c3 = a0;
  for (const end = x + (columns << 2); x < end; x += 4, w += 64) {
    const first = v128.load32_splat(x);
    const second = v128.load32_splat(x + xStep);
    const w0 = v128.load(w);
    const w1 = v128.load(w, 16);
    const w2 = v128.load(w, 32);
    const w3 = v128.load(w, 48);
    a0 = madd(w0, first, a0);
    c0 = madd(w0, second, c0);
    a1 = madd(w1, first, a1);
    c1 = madd(w1, second, c1);
    a2 = madd(w2, first, a2);
    c2 = madd(w2, second, c2);
    a3 = madd(w3, first, a3);
    c3 = madd(w3, second, c3);
  }
  v128.store(y, f32x4.add(v128.load(y), a0));
  v128.store(y, f32x4.add(v128.load(y, 16), a1), 16);
  v128.store(y, f32x4.add(v128.load(y, 32), a2), 32);
  v128.store(y, f32x4.add(v128.load(y, 48), a3), 48);
  y += yStep;
  v128.store(y, f32x4.add(v128.load(y), c0));
  v128.store(y, f32x4.add(v128.load(y, 16), c1), 16);
  v128.store(y, f32x4.add(v128.load(y, 32), c2), 32);
  v128.store(y, f32x4.add(v128.load(y, 48), c3), 48);
}

/** The same of one firing. */
function panelOfOne(w: usize, x: usize, columns: usize, y: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  for (const end = x + (columns << 2); x < end; x += 4, w += 64) {
    const value = v128.load32_splat(x);
    a0 = madd(v128.load(w), value, a0);
    a1 = madd(v128.load(w, 16), value, a1);
    a2 = madd(v128.load(w, 32), value, a2);
    a3 = madd(v128.load(w, 48), value, a3);
  }
  v128.store(y, f32x4.add(v128.load(y), a0));
  v128.store(y, f32x4.add(v128.load(y, 16), a1), 16);
  v128.store(y, f32x4.add(v128.load(y, 32), a2), 32);
  v128.store(y, f32x4.add(v128.load(y, 48), a3), 48);
}

/** Up to 4 rows of some firings. */
function tile(d: usize, w: usize, bias: usize, x: usize, y: usize, frames: i32, rows: i32): void {
  const inputStep = load<usize>(d, at.LINEAR_INPUT_STEP);
  const outputStep = load<usize>(d, at.LINEAR_OUTPUT_STEP);
  const isWhole = rows == at.LANES;
  const scratch = load<usize>(d, at.LINEAR_SCRATCH);
  const toStep = isWhole ? outputStep : at.VECTOR;
  const start = v128.load(bias);
  while (frames > 0) {
    const together = frames >= 4 ? 4 : 1;
    const to = isWhole ? y : scratch;
    for (let k = 0; k < together; k++) v128.store(to + <usize>k * toStep, start);
    let weights = w;
    let entry = load<usize>(d, at.LINEAR_TABLE);
    const table = entry + (load<usize>(d, at.LINEAR_SEGMENTS) << 3);
    for (; entry < table; entry += 8) {
      const columns = load<usize>(entry, 4);
      const from = x + load<usize>(entry);
      if (together == 4) tileOfFour(weights, from, inputStep, columns, to, toStep);
      else tileOfOne(weights, from, columns, to);
      weights += columns * at.VECTOR;
    }
    for (let k = 0; k < together; k++) settle(to + <usize>k * toStep, 1);
    if (!isWhole) {
      for (let k = 0; k < together; k++) {
        storeLanes(y + <usize>k * outputStep, v128.load(scratch + <usize>k * at.VECTOR), rows);
      }
    }
    x += <usize>together * inputStep;
    y += <usize>together * outputStep;
    frames -= together;
  }
}

/** Adds one segment's products to 4 rows of four firings. */
function tileOfFour(w: usize, x: usize, xStep: usize, columns: usize, y: usize, yStep: usize): void {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  const xStep2 = xStep << 1;
  const xStep3 = xStep2 + xStep;
  for (const end = x + (columns << 2); x < end; x += 4, w += 16) {
    const weight = v128.load(w);
    a0 = madd(weight, v128.load32_splat(x), a0);
    a1 = madd(weight, v128.load32_splat(x + xStep), a1);
    a2 = madd(weight, v128.load32_splat(x + xStep2), a2);
    a3 = madd(weight, v128.load32_splat(x + xStep3), a3);
  }
  v128.store(y, f32x4.add(v128.load(y), a0));
  y += yStep;
  v128.store(y, f32x4.add(v128.load(y), a1));
  y += yStep;
  v128.store(y, f32x4.add(v128.load(y), a2));
  y += yStep;
  v128.store(y, f32x4.add(v128.load(y), a3));
}

/** The same of one firing. */
function tileOfOne(w: usize, x: usize, columns: usize, y: usize): void {
  let total = f32x4.splat(0);
  for (const end = x + (columns << 2); x < end; x += 4, w += 16) {
    total = madd(v128.load(w), v128.load32_splat(x), total);
  }
  v128.store(y, f32x4.add(v128.load(y), total));
}

/** By rows, where they are too few to fill a vector: columns are the lanes. W is row after row. */
export function linearByRows(d: usize, frames: i32): void {
  const inputStep = load<usize>(d, at.LINEAR_INPUT_STEP);
  const groupStep = load<usize>(d, at.LINEAR_GROUP_STEP);
  const outputStep = load<usize>(d, at.LINEAR_OUTPUT_STEP);
  const rows = load<i32>(d, at.LINEAR_ROWS);
  const table = load<usize>(d, at.LINEAR_TABLE);
  const tableEnd = table + (load<usize>(d, at.LINEAR_SEGMENTS) << 3);
  let input = load<usize>(d, at.LINEAR_INPUT);
  let output = load<usize>(d, at.LINEAR_OUTPUT);
  for (; frames > 0; frames--, input += inputStep, output += outputStep) {
    let w = load<usize>(d, at.LINEAR_WEIGHTS);
    let bias = load<usize>(d, at.LINEAR_BIAS);
    let x = input;
    let y = output;
    for (let g = load<i32>(d, at.LINEAR_GROUPS); g > 0; g--, x += groupStep) {
      for (let row = 0; row < rows; row++, y += 4) {
        let total = load<f32>(bias + (row << 2));
        for (let entry = table; entry < tableEnd; entry += 8) {
          const columns = load<i32>(entry, 4);
          total += dot(w, x + load<usize>(entry), columns);
          w += columns << 2;
        }
        store<f32>(y, abs(total) < <f32>7.888609052210118e-31 ? 0 : total);
      }
      bias += ((rows + 3) & ~3) << 2;
    }
  }
}

function dot(w: usize, x: usize, columns: i32): f32 {
  let a0 = f32x4.splat(0);
  let a1 = a0;
  let a2 = a0;
  let a3 = a0;
  for (; columns >= 16; columns -= 16, w += 64, x += 64) {
    a0 = madd(v128.load(w), v128.load(x), a0);
    a1 = madd(v128.load(w, 16), v128.load(x, 16), a1);
    a2 = madd(v128.load(w, 32), v128.load(x, 32), a2);
    a3 = madd(v128.load(w, 48), v128.load(x, 48), a3);
  }
  for (; columns >= 4; columns -= 4, w += 16, x += 16) a0 = madd(v128.load(w), v128.load(x), a0);
  let total = sum(f32x4.add(f32x4.add(a0, a1), f32x4.add(a2, a3)));
  for (; columns > 0; columns--, w += 4, x += 4) total += load<f32>(w) * load<f32>(x);
  return total;
}

/** Every row has one channel of its own: channels are the lanes, W is (vectors × taps × 4). */
export function depthwise(d: usize, frames: i32): void {
  const inputStep = load<usize>(d, at.LINEAR_INPUT_STEP);
  const outputStep = load<usize>(d, at.LINEAR_OUTPUT_STEP);
  const tapStep = load<usize>(d, at.LINEAR_GROUP_STEP);
  const tapBytes = load<usize>(d, at.LINEAR_TAPS) << 4;
  let w = load<usize>(d, at.LINEAR_WEIGHTS);
  let bias = load<usize>(d, at.LINEAR_BIAS);
  let input = load<usize>(d, at.LINEAR_INPUT);
  let output = load<usize>(d, at.LINEAR_OUTPUT);
  for (let left = load<i32>(d, at.LINEAR_CHANNELS); left > 0; left -= at.LANES) {
    const start = v128.load(bias);
    const end = w + tapBytes;
    let from = input;
    let to = output;
    for (let k = 0; k < frames; k++, from += inputStep, to += outputStep) {
      let total = start;
      let x = from;
      for (let weight = w; weight < end; weight += 16, x += tapStep) {
        total = madd(v128.load(weight), v128.load(x), total);
      }
      total = flushed(total);
      if (left >= at.LANES) v128.store(to, total);
      else storeLanes(to, total, left);
    }
    w = end;
    bias += at.VECTOR;
    input += at.VECTOR;
    output += at.VECTOR;
  }
}

/** The first 1, 2 or 3 lanes. */
export function storeLanes(to: usize, value: v128, lanes: i32): void {
  store<f32>(to, f32x4.extract_lane(value, 0));
  if (lanes > 1) store<f32>(to, f32x4.extract_lane(value, 1), 4);
  if (lanes > 2) store<f32>(to, f32x4.extract_lane(value, 2), 8);
}
