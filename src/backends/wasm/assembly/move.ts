// Numbers that only change places within a frame: runs of neighbours, one after the other.

import * as at from '../layout';

/** A record a run: where it begins in its input's frame and in the output's, and its numbers. */
export function move(d: usize, frames: i32): void {
  const outputStep = load<usize>(d, at.MOVE_OUTPUT_STEP);
  const last = load<usize>(d, at.MOVE_RUNS) + load<usize>(d, at.MOVE_COUNT) * at.MOVE_RUN_BYTES;
  for (let run = load<usize>(d, at.MOVE_RUNS); run < last; run += at.MOVE_RUN_BYTES) {
    const input = d + at.MOVE_INPUTS + (load<usize>(run, at.MOVE_RUN_INPUT) << 3);
    const inputStep = load<usize>(input, 4);
    let from = load<usize>(input) + load<usize>(run, at.MOVE_RUN_FROM);
    let to = load<usize>(d, at.MOVE_OUTPUT) + load<usize>(run, at.MOVE_RUN_TO);
    const size = load<usize>(run, at.MOVE_RUN_SIZE);
    for (let k = 0; k < frames; k++, from += inputStep, to += outputStep) copy(from, to, size);
  }
}

// @ts-ignore: decorator
@inline
function copy(from: usize, to: usize, size: usize): void {
  const end = from + size;
  for (; from + 16 <= end; from += 16, to += 16) v128.store(to, v128.load(from));
  for (; from < end; from += 4, to += 4) store<f32>(to, load<f32>(from));
}
