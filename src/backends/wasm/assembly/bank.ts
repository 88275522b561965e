// Many streams of one plan, one after the other in one call. A stream that does not run lies in its slot: its counts and
// state, the frames of signals that it keeps, and the last value of every input channel.

import * as at from '../layout';
import { addressOf, number, oldestNeeded, pass, produced, roomFor } from './walk';

/** `frames` frames for each of `count` streams, stream after stream at the inputs and at the outputs. */
export function bank(d: usize, count: i32, frames: i32): void {
  rewind(load<usize>(d, at.BANK_INPUTS), load<i32>(d, at.BANK_INPUT_COUNT));
  rewind(load<usize>(d, at.BANK_OUTPUTS), load<i32>(d, at.BANK_OUTPUT_COUNT));
  const plan = load<usize>(d, at.BANK_PLAN);
  const ids = load<usize>(d, at.BANK_IDS);
  const written = load<usize>(d, at.BANK_WRITTEN);
  for (let s = 0; s < count; s++) {
    const slot = load<usize>(d, at.BANK_SLOTS) + load<usize>(ids + (s << 2)) * load<usize>(d, at.BANK_SLOT_BYTES);
    enter(d, slot);
    let came = 0;
    for (let left = frames; left > 0; ) {
      const run = min(left, load<i32>(d, at.BANK_PASS));
      left -= run;
      feed(d, slot, run);
      pass(plan);
      came += drain(d);
    }
    leave(d, slot);
    store<i32>(written + (s << 2), came);
  }
}

function rewind(record: usize, count: i32): void {
  for (; count > 0; count--, record += at.BANK_RECORD_BYTES) {
    store<usize>(record, load<usize>(record, at.BANK_FIRST), at.BANK_NEXT);
  }
}

/** The stream of a slot becomes the one that runs. */
function enter(d: usize, slot: usize): void {
  copy(load<usize>(d, at.BANK_MEMORY), slot, load<usize>(d, at.BANK_MEMORY_BYTES));
  let output = load<usize>(d, at.BANK_OUTPUTS);
  for (let left = load<i32>(d, at.BANK_OUTPUT_COUNT); left > 0; left--, output += at.BANK_RECORD_BYTES) {
    const node = load<usize>(output, at.BANK_NODE);
    store<f64>(load<usize>(node, at.NODE_MARKS), produced(node), at.DRAINED);
  }
  let kept = load<usize>(d, at.BANK_KEPT);
  for (let left = load<i32>(d, at.BANK_KEPT_COUNT); left > 0; left--, kept += at.BANK_RECORD_BYTES) {
    const node = load<usize>(kept, at.BANK_NODE);
    const oldest = oldestNeeded(node);
    store<f64>(load<usize>(node, at.NODE_MARKS), oldest, at.BASE);
    const bytes = <usize>(<i32>(produced(node) - oldest)) * load<usize>(node, at.NODE_FRAME);
    copy(load<usize>(node, at.NODE_BUFFER), slot + load<usize>(kept, at.BANK_OFFSET), bytes);
  }
}

/** And back. */
function leave(d: usize, slot: usize): void {
  copy(slot, load<usize>(d, at.BANK_MEMORY), load<usize>(d, at.BANK_MEMORY_BYTES));
  let kept = load<usize>(d, at.BANK_KEPT);
  for (let left = load<i32>(d, at.BANK_KEPT_COUNT); left > 0; left--, kept += at.BANK_RECORD_BYTES) {
    const node = load<usize>(kept, at.BANK_NODE);
    const from = addressOf(node, oldestNeeded(node));
    copy(slot + load<usize>(kept, at.BANK_OFFSET), from, addressOf(node, produced(node)) - from);
  }
}

/** The next frames of every input. */
function feed(d: usize, slot: usize, frames: i32): void {
  const holds = load<i32>(d, at.BANK_HOLDS) != 0;
  let record = load<usize>(d, at.BANK_INPUTS);
  for (let left = load<i32>(d, at.BANK_INPUT_COUNT); left > 0; left--, record += at.BANK_RECORD_BYTES) {
    const node = load<usize>(record, at.BANK_NODE);
    const from = load<usize>(record, at.BANK_NEXT);
    const frame = load<usize>(node, at.NODE_FRAME);
    const bytes = <usize>frames * frame;
    roomFor(node, <f64>frames);
    copy(addressOf(node, produced(node)), from, bytes);
    store<f64>(load<usize>(node, at.NODE_COUNTS), produced(node) + <f64>frames, at.PRODUCED);
    store<usize>(record, from + bytes, at.BANK_NEXT);
    if (!holds) continue;
    let to = slot + load<usize>(record, at.BANK_OFFSET);
    for (let last = from + bytes - frame; last < from + bytes; last += 4, to += 8) {
      store<f64>(to, <f64>load<f32>(last));
    }
  }
}

/** What has come out, behind what came before; how many frames of the first output. */
function drain(d: usize): i32 {
  const first = load<usize>(d, at.BANK_OUTPUTS);
  let record = first;
  let came = 0;
  for (let left = load<i32>(d, at.BANK_OUTPUT_COUNT); left > 0; left--, record += at.BANK_RECORD_BYTES) {
    const node = load<usize>(record, at.BANK_NODE);
    const marks = load<usize>(node, at.NODE_MARKS);
    const from = addressOf(node, load<f64>(marks, at.DRAINED));
    if (record == first) came = <i32>(produced(node) - load<f64>(marks, at.DRAINED));
    const bytes = addressOf(node, produced(node)) - from;
    const to = load<usize>(record, at.BANK_NEXT);
    copy(to, from, bytes);
    store<usize>(record, to + bytes, at.BANK_NEXT);
    store<f64>(marks, produced(node), at.DRAINED);
  }
  return came;
}

/** Whole numbers of 4 bytes; short ones without a call. */
function copy(to: usize, from: usize, bytes: usize): void {
  if (bytes > 1024) {
    memory.copy(to, from, bytes);
    return;
  }
  const end = from + bytes;
  for (; from + 16 <= end; from += 16, to += 16) v128.store(to, v128.load(from));
  for (; from < end; from += 4, to += 4) store<u32>(to, load<u32>(from));
}
