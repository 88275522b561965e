import { SnapshotError } from '../errors.ts';
import { AppendFile } from './append-file.ts';
import { loadCheckpoint, saveCheckpoint } from './checkpoint.ts';
import type { Job } from './job.ts';

/** A message of a broker. */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/** One that the broker keeps until it is acknowledged, and may bring more than once. */
export interface Delivery extends Message {
  acknowledge(): void;
}

export interface ConsumeOptions {
  /** Lines are added to it; what a crash leaves behind the last checkpoint is cut off and written again. */
  readonly output: string;
  readonly checkpoint: string;
  /** Messages after which state and positions are saved and the broker may forget them; 100. */
  readonly every?: number;
  /** Milliseconds that a message waits for that at most; 200. */
  readonly within?: number;
  /**
   * Who sent a message, and its number there: each sender counts its own by one. A number that is not above the last
   * one of its sender has been taken already.
   */
  readonly sequence: (message: Message) => { readonly sender: string; readonly number: number };
  /** Told of what came again and of numbers that never came. */
  readonly onNote?: (note: ConsumeNote) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface ConsumeNote {
  readonly kind: 'repeated' | 'gap';
  readonly sender: string;
  /** For a gap, the first number that is missing. */
  readonly number: number;
  /** Numbers that are missing; 1 for a repetition. */
  readonly count: number;
}

export interface ConsumeReport {
  /** Messages taken in this run, without repetitions. */
  readonly taken: number;
  readonly repeated: number;
}

/**
 * A broker's messages through a job that remembers, so that a crash costs nothing: state, the last number of every
 * sender and the position in the output are saved together, and only then messages are acknowledged. After `kill -9` at
 * any instant the broker brings again what was not acknowledged, numbers tell what of it has been taken, and the output
 * is that of an undisturbed run: none lost, none twice.
 *
 * That takes a broker that brings messages until they are acknowledged, those of a sender in order (MQTT with QoS 1 and
 * a session that outlives the process), and senders that count. Runs until the signal, the end of `deliveries`, or an
 * error.
 *
 * @throws SnapshotError for a checkpoint that is damaged or another job's; StreamError where the output is not that of
 *   the checkpoint.
 * @example
 * const broker = await openMqtt({ url, topics: 'pumps/#', clientId: 'scores', session: 86_400 });
 * await consumeDurably(job, broker, { output: 'scores.csv', checkpoint: 'scores.state', sequence });
 */
export async function consumeDurably(
  job: Job<Message>,
  deliveries: AsyncIterable<Delivery>,
  options: ConsumeOptions,
): Promise<ConsumeReport> {
  const { output, checkpoint, every = 100, within = 200, sequence, onNote, signal } = options;
  const saved = loadCheckpoint(checkpoint, job.identity);
  const { last, state } = saved ? unpackState(saved.state, checkpoint) : { last: new Map<string, number>() };
  if (state) await job.restore(state);
  else await job.begin?.();
  const file = new AppendFile(output, saved?.output ?? 0);
  let input = saved?.input ?? 0;
  let taken = 0;
  let repeated = 0;
  let open: Delivery[] = [];
  const save = async (): Promise<void> => {
    file.sync();
    const { identity } = job;
    const bytes = packState(last, await job.snapshot());
    saveCheckpoint(checkpoint, { identity, input, output: file.position, done: false, state: bytes });
    for (const delivery of open) delivery.acknowledge();
    open = [];
  };
  const iterator = deliveries[Symbol.asyncIterator]();
  let stop = (): void => {};
  // A promise of its own each time: a race against one that lives as long as the run would gather reactions.
  const pull = (): Promise<IteratorResult<Delivery, unknown>> =>
    new Promise((resolve, reject) => {
      stop = () => resolve({ done: true, value: undefined });
      if (signal?.aborted === true) stop();
      else iterator.next().then(resolve, reject);
    });
  const abort = (): void => stop();
  signal?.addEventListener('abort', abort, { once: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  let due: Promise<'due'> | undefined;
  try {
    let next = pull();
    for (;;) {
      if (open.length >= every) await save();
      if (open.length === 0) {
        clearTimeout(timer);
        due = undefined;
      } else {
        due ??= new Promise((resolve) => (timer = setTimeout(() => resolve('due'), within)));
      }
      const result = await (due ? Promise.race([next, due]) : next);
      if (result === 'due') {
        await save();
        continue;
      }
      if (result.done === true) break;
      const delivery = result.value;
      next = pull();
      next.catch(() => {});
      const { sender, number } = sequence(delivery);
      const before = last.get(sender);
      // Acknowledged with the others: what it repeats may not be saved yet.
      open.push(delivery);
      if (before !== undefined && number <= before) {
        repeated += 1;
        onNote?.({ kind: 'repeated', sender, number, count: 1 });
        continue;
      }
      if (before !== undefined && number > before + 1)
        onNote?.({ kind: 'gap', sender, number: before + 1, count: number - before - 1 });
      const text = job.take(delivery);
      file.append(typeof text === 'string' ? text : await text);
      last.set(sender, number);
      input += 1;
      taken += 1;
    }
    if (open.length > 0) await save();
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
    file.close();
    const closed = iterator.return?.();
    // A generator that waits for its next message would not hear of it.
    if (signal?.aborted === true) closed?.catch(() => {});
    else await closed;
  }
  return { taken, repeated };
}

/** Length of the numbers (u32, little-endian) · numbers (JSON, by sender) · state of the job. */
function packState(last: ReadonlyMap<string, number>, state: Uint8Array): Uint8Array {
  const numbers = new TextEncoder().encode(
    JSON.stringify([...last].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );
  const bytes = new Uint8Array(4 + numbers.length + state.length);
  new DataView(bytes.buffer).setUint32(0, numbers.length, true);
  bytes.set(numbers, 4);
  bytes.set(state, 4 + numbers.length);
  return bytes;
}

function unpackState(bytes: Uint8Array, place: string): { last: Map<string, number>; state: Uint8Array } {
  try {
    const end = 4 + new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(0, true);
    const numbers = JSON.parse(new TextDecoder().decode(bytes.subarray(4, end))) as [string, number][];
    return { last: new Map(numbers), state: bytes.slice(end) };
  } catch (cause) {
    throw new SnapshotError(
      `${place} is a checkpoint, but not one of messages; give this job one of its own`,
      { cause },
    );
  }
}
