// One pass over a plan: every node fires as often as its inputs allow, and of each signal just the frames are kept
// that a reader will look at again. What `Executor` does in JavaScript, by the arithmetic of `signal/timing.ts`.
//
// | symbol | meaning |
// | --- | --- |
// | node | a record of the plan |
// | produced, fired | frames and firings since the stream began, exact to 2^53 |
// | base | the frame that stands at the buffer's start |

import * as at from '../layout';
import { runKernel } from './plan';

/** Runs a node that has no kernel here. */
// @ts-ignore: decorator
@external('env', 'run')
declare function host(node: i32, firings: i32): void;

/** Fires every node as often as it can; 1 where any fired. */
export function pass(plan: usize): i32 {
  let node = load<usize>(plan, at.PLAN_RECORDS);
  let fired = 0;
  for (let left = load<i32>(plan, at.PLAN_NODES); left > 0; left--, node += at.NODE_BYTES) {
    if (load<i32>(node, at.NODE_PLAIN)) fired |= <i32>firePlain(node);
    else if (load<i32>(node, at.NODE_KERNEL) != at.KERNEL_NONE) fired |= <i32>fire(node);
  }
  return fired;
}

/**
 * `pass` where every node is plain: `frames` frames stand at the start of the buffer of `input`, and those of `output`
 * are taken at once. 0, and nothing has changed, where a number that goes in is not finite.
 */
export function straight(plan: usize, input: usize, output: usize, frames: i32): i32 {
  const from = load<usize>(input, at.NODE_BUFFER);
  if (!isFinite32(from, from + frames * load<i32>(input, at.NODE_FRAME))) return 0;
  const counts = load<usize>(input, at.NODE_COUNTS);
  const before = load<f64>(counts, at.PRODUCED);
  store<f64>(counts, before + <f64>frames, at.PRODUCED);
  store<f64>(load<usize>(input, at.NODE_MARKS), before, at.BASE);
  pass(plan);
  store<f64>(load<usize>(output, at.NODE_MARKS), before + <f64>frames, at.DRAINED);
  return 1;
}

/** Whether all float32 of a range are finite; it begins at a multiple of 16 bytes. */
function isFinite32(from: usize, end: usize): bool {
  // Exponents of all ones are what no finite number has: the largest magnitude, as bits, says whether one is there.
  let large = i32x4.splat(0);
  for (; from + 16 <= end; from += 16) {
    large = i32x4.max_s(large, v128.and(v128.load(from), i32x4.splat(0x7fffffff)));
  }
  if (v128.any_true(i32x4.gt_s(large, i32x4.splat(0x7f7fffff)))) return false;
  for (; from < end; from += 4) {
    if ((load<i32>(from) & 0x7fffffff) > 0x7f7fffff) return false;
  }
  return true;
}

// @ts-ignore: decorator
@inline
export function produced(node: usize): f64 {
  return load<f64>(load<usize>(node, at.NODE_COUNTS), at.PRODUCED);
}

// @ts-ignore: decorator
@inline
function isEnded(node: usize): bool {
  return load<f64>(load<usize>(node, at.NODE_MARKS), at.ENDED) != 0;
}

// @ts-ignore: decorator
@inline
export function number(record: usize, field: usize): f64 {
  return <f64>load<i32>(record + field);
}

/** `firingsOf` of timing.ts, for one input of a node. */
function firingsOf(node: usize, entry: usize): f64 {
  const source = load<usize>(entry, at.INPUT_SOURCE);
  let available = produced(source);
  const ended = isEnded(source);
  if (load<i32>(node, at.NODE_AT_END)) return ended && available >= number(entry, at.INPUT_SIZE) ? 1 : 0;
  if (ended) {
    if (available == 0) return 0;
    available += number(entry, at.INPUT_RIGHT);
  }
  const over = available + number(entry, at.INPUT_LEFT) - number(entry, at.INPUT_SIZE);
  const stride = load<i32>(node, at.NODE_STRIDE);
  return max(0, (stride == 1 ? over : Math.floor(over / <f64>stride)) + 1);
}

/** `oldestFor` of timing.ts; `entry` is an input's or a reader's record, `size` and `left` at the same places. */
function oldestFor(reader: usize, entry: usize, available: f64): f64 {
  if (load<i32>(reader, at.NODE_AT_END)) return max(0, available - number(entry, at.INPUT_SIZE));
  const fired = load<f64>(load<usize>(reader, at.NODE_COUNTS), at.FIRED);
  return fired * number(reader, at.NODE_STRIDE) - number(entry, at.INPUT_LEFT);
}

/** `fire` of a node whose inputs all bring the frames of this pass and no others. */
function firePlain(node: usize): bool {
  const counts = load<usize>(node, at.NODE_COUNTS);
  let entry = load<usize>(node, at.NODE_INPUTS);
  const before = load<f64>(counts, at.FIRED);
  const total = produced(load<usize>(entry, at.INPUT_SOURCE));
  if (total <= before) return false;
  for (let left = load<i32>(node, at.NODE_INPUT_COUNT); left > 0; left--, entry += at.INPUT_BYTES) {
    const from = load<usize>(load<usize>(entry, at.INPUT_SOURCE), at.NODE_BUFFER);
    store<usize>(load<usize>(entry, at.INPUT_FIELD), from);
  }
  store<usize>(load<usize>(node, at.NODE_OUTPUT), load<usize>(node, at.NODE_BUFFER));
  store<f64>(load<usize>(node, at.NODE_MARKS), before, at.BASE);
  run(node, <i32>(total - before), before);
  store<f64>(counts, total, at.FIRED);
  store<f64>(counts, total, at.PRODUCED);
  return true;
}

function fire(node: usize): bool {
  const counts = load<usize>(node, at.NODE_COUNTS);
  const marks = load<usize>(node, at.NODE_MARKS);
  const inputs = load<usize>(node, at.NODE_INPUTS);
  const inputsEnd = inputs + load<usize>(node, at.NODE_INPUT_COUNT) * at.INPUT_BYTES;
  let total: f64 = Infinity;
  let ended = true;
  for (let entry = inputs; entry < inputsEnd; entry += at.INPUT_BYTES) {
    total = min(total, firingsOf(node, entry));
    if (!isEnded(load<usize>(entry, at.INPUT_SOURCE))) ended = false;
  }
  const before = load<f64>(counts, at.FIRED);
  let firings = total - before;
  if (firings > 0) {
    const emit = number(node, at.NODE_EMIT);
    firings = min(firings, roomFor(node, firings * emit) / emit);
    for (let entry = inputs; entry < inputsEnd; entry += at.INPUT_BYTES) {
      const source = load<usize>(entry, at.INPUT_SOURCE);
      const first = oldestFor(node, entry, produced(source));
      store<usize>(load<usize>(entry, at.INPUT_FIELD), addressOf(source, first));
    }
    const made = load<f64>(counts, at.PRODUCED);
    store<usize>(load<usize>(node, at.NODE_OUTPUT), addressOf(node, made));
    run(node, <i32>firings, before);
    store<f64>(counts, before + firings, at.FIRED);
    let now = made + firings * emit;
    if (ended) now = min(now, total * emit - number(node, at.NODE_SURPLUS));
    store<f64>(counts, now, at.PRODUCED);
  }
  if (ended && load<f64>(marks, at.ENDED) == 0 && load<f64>(counts, at.FIRED) >= total) end(node);
  return firings > 0;
}

/** Where a frame of a node stands. */
export function addressOf(node: usize, frame: f64): usize {
  const offset = frame - load<f64>(load<usize>(node, at.NODE_MARKS), at.BASE);
  return load<usize>(node, at.NODE_BUFFER) + <usize>(<i32>offset) * load<usize>(node, at.NODE_FRAME);
}

function run(node: usize, firings: i32, first: f64): void {
  const kernel = load<i32>(node, at.NODE_KERNEL);
  if (kernel == at.KERNEL_HOST) {
    host(load<i32>(node, at.NODE_INDEX), firings);
    return;
  }
  const firstAt = load<usize>(node, at.NODE_FIRST);
  if (firstAt != 0) store<f64>(firstAt, first);
  const phase = <i32>(<i64>first) & load<i32>(node, at.NODE_MASK);
  runKernel(kernel, load<usize>(node, at.NODE_DESCRIPTOR), firings * load<i32>(node, at.NODE_TIMES), phase);
}

/**
 * Makes room for `frames` more, and says for how many there is: what a pass can bring always fits; the flush at the
 * end may bring more, which the next pass takes.
 */
export function roomFor(node: usize, frames: f64): f64 {
  const marks = load<usize>(node, at.NODE_MARKS);
  const made = produced(node);
  if (load<i32>(node, at.NODE_TRANSIENT)) store<f64>(marks, made, at.BASE);
  const capacity = number(node, at.NODE_CAPACITY) - number(node, at.NODE_RIGHT);
  const held = made - load<f64>(marks, at.BASE);
  if (held > number(node, at.NODE_SOFT) || held + frames > capacity) moveToStart(node);
  const room = capacity - (made - load<f64>(marks, at.BASE));
  if (frames <= room) return frames;
  const emit = number(node, at.NODE_EMIT);
  return Math.floor(room / emit) * emit;
}

/** The oldest frame that a reader will look at again. */
export function oldestNeeded(node: usize): f64 {
  const made = produced(node);
  let oldest = min(made, load<f64>(load<usize>(node, at.NODE_MARKS), at.DRAINED));
  let entry = load<usize>(node, at.NODE_READERS);
  for (let left = load<i32>(node, at.NODE_READER_COUNT); left > 0; left--, entry += at.READER_BYTES) {
    oldest = min(oldest, oldestFor(load<usize>(entry, at.READER_NODE), entry, made));
  }
  return oldest;
}

/** Moves the frames that are still needed to the buffer's start. */
function moveToStart(node: usize): void {
  const oldest = oldestNeeded(node);
  const from = addressOf(node, oldest);
  memory.copy(load<usize>(node, at.NODE_BUFFER), from, addressOf(node, produced(node)) - from);
  store<f64>(load<usize>(node, at.NODE_MARKS), oldest, at.BASE);
}

/** No more will come: the zeros behind the last frame become visible. */
function end(node: usize): void {
  const marks = load<usize>(node, at.NODE_MARKS);
  const right = load<i32>(node, at.NODE_RIGHT);
  const held = produced(node) - load<f64>(marks, at.BASE);
  if (held + <f64>right > number(node, at.NODE_CAPACITY)) moveToStart(node);
  memory.fill(addressOf(node, produced(node)), 0, <usize>right * load<usize>(node, at.NODE_FRAME));
  store<f64>(marks, 1, at.ENDED);
}
