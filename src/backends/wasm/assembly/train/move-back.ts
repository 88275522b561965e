// What only changed places goes back to where it came from: the runs of `move`, added the other way.

import * as at from '../../layout';
import { accumulate } from './sums';

/** The descriptor is that of `move`, inputs and output being those of the gradients; an input at 0 wants none. */
export function moveBack(d: usize, frames: i32): void {
  const outputStep = load<usize>(d, at.MOVE_OUTPUT_STEP);
  const last = load<usize>(d, at.MOVE_RUNS) + load<usize>(d, at.MOVE_COUNT) * at.MOVE_RUN_BYTES;
  for (let run = load<usize>(d, at.MOVE_RUNS); run < last; run += at.MOVE_RUN_BYTES) {
    const input = d + at.MOVE_INPUTS + (load<usize>(run, at.MOVE_RUN_INPUT) << 3);
    if (load<usize>(input) == 0) continue;
    const inputStep = load<usize>(input, 4);
    let to = load<usize>(input) + load<usize>(run, at.MOVE_RUN_FROM);
    let from = load<usize>(d, at.MOVE_OUTPUT) + load<usize>(run, at.MOVE_RUN_TO);
    const count = load<i32>(run, at.MOVE_RUN_SIZE) >> 2;
    for (let k = 0; k < frames; k++, from += outputStep, to += inputStep) accumulate(from, to, count);
  }
}
