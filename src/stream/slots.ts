import type { Batch } from '../backends/backend.ts';
import { StreamError } from '../errors.ts';
import type { Program } from './program.ts';
import type { Running } from './running.ts';
import { Stream, type StreamOptions } from './stream.ts';

/** Streams of one call into the backend at most, and bytes that their frames take there at each side. */
const BATCH_STREAMS = 4096;
const BATCH_BYTES = 2 ** 20;

const wholeVectors = (bytes: number): number => Math.ceil(bytes / 16) * 16;

/** Frames of a port, on their way between the caller and a batch. */
interface Staged {
  readonly at: number;
  readonly frames: number;
}

/** What a batch runs on. */
export interface BatchViews {
  /** Numbers of slots, and frames that came out of each. */
  readonly ids: Uint32Array;
  readonly written: Int32Array;
  /** Frames, stream after stream, by port. */
  readonly inputs: readonly Float32Array[];
  readonly outputs: readonly Float32Array[];
}

/**
 * Memory for many streams of one program, of which one at a time runs in the lane. A slot holds what its stream
 * remembers: counts and state, the frames of signals that it keeps, the last value of every input channel.
 */
export class Slots {
  /** Bytes of a slot. */
  readonly bytes: number;
  readonly #program: Program;
  readonly #options: StreamOptions;
  readonly #kept: readonly { readonly node: number; readonly offset: number }[];
  readonly #held: readonly number[];
  /** Where slot 0 begins: behind the lane, if in its memory. */
  readonly #at: number;
  readonly #fresh: Uint8Array;
  /** Of a backend that runs batches. */
  readonly #staging:
    | {
        readonly at: number;
        readonly ids: number;
        readonly written: number;
        readonly inputs: Staged[];
        readonly outputs: Staged[];
      }
    | undefined;
  #lane: Stream;
  #memory: Uint8Array;
  #store: Uint8Array;
  #capacity = 0;
  #batch: Batch | undefined;
  #views: BatchViews | undefined;

  constructor(program: Program, options: StreamOptions) {
    this.#program = program;
    this.#options = options;
    const lane = new Stream(program, options);
    const { arena } = lane.lane.executor;
    let bytes = program.memory.to - program.memory.from;
    const take = (size: number): number => {
      const at = bytes;
      bytes += wholeVectors(size);
      return at;
    };
    this.#kept = program.steps.flatMap(({ index, transient, retention, width, buffer }) =>
      transient
        ? []
        : [{ node: index, offset: take(retention * width * (buffer.type === 'float64' ? 8 : 4)) }],
    );
    const holds = (options.nonFinite ?? 'throw') !== 'throw';
    this.#held = holds ? lane.lane.inputs.ports.map(({ held }) => take(held.byteLength)) : [];
    this.bytes = bytes;

    // In the lane's memory where the backend runs batches there; its signals are in float32 then.
    let end = wholeVectors(program.bytes);
    const next = (size: number): number => {
      const at = end;
      end += wholeVectors(size);
      return at;
    };
    if (arena.batch && arena.grow && program.backend.batchBytes && program.precision !== 'float64') {
      const { inputs, outputs } = lane.lane;
      const at = next(
        program.backend.batchBytes(this.#kept.length + inputs.ports.length + outputs.ports.length),
      );
      const stage = (width: number, least: number): Staged => {
        const frames = Math.max(least, Math.floor(BATCH_BYTES / 4 / width));
        return { at: next(4 * frames * width), frames };
      };
      const most = program.schedule.maxEmitted(program.passFrames);
      this.#staging = {
        at,
        ids: next(4 * BATCH_STREAMS),
        written: next(4 * BATCH_STREAMS),
        inputs: inputs.ports.map(({ node }) => stage(node.step.width, program.passFrames)),
        outputs: outputs.ports.map(({ node }) => stage(node.step.width, most[node.step.node.id]!)),
      };
      this.#at = end;
    } else {
      this.#at = 0;
    }
    this.#lane = lane;
    this.#memory = new Uint8Array(arena.buffer);
    this.#store = this.#staging ? this.#memory : new Uint8Array(0);
    this.reserve(1);
    this.store(0);
    this.#fresh = this.#store.slice(this.#at, this.#at + this.bytes);
  }

  /** The stream that runs whichever has been loaded last. */
  get lane(): Stream {
    return this.#lane;
  }

  /** Whether `run` may be called. */
  get hasBatches(): boolean {
    return this.#batch !== undefined;
  }

  /** Room for `count` slots, what is in them kept. */
  reserve(count: number): void {
    if (count <= this.#capacity) return;
    const capacity = Math.max(count, Math.ceil(this.#capacity * 1.5), 16);
    if (this.#staging === undefined) {
      const larger = new Uint8Array(capacity * this.bytes);
      larger.set(this.#store);
      this.#store = larger;
    } else {
      const { executor } = this.#lane.lane;
      const { arena } = executor;
      // The last quarter that a memory can have may be there though half as much again is not.
      const wanted = [capacity, count].find((slots) => arena.grow!(this.#at + slots * this.bytes));
      if (wanted === undefined) {
        throw new StreamError(
          `no memory for ${count} streams of ${this.bytes} bytes of ${this.#program.graph.name}: a bank holds 4 GiB at ` +
            'most; close streams, or open another bank',
        );
      }
      // The lane's memory is another buffer now.
      this.#lane = new Stream(this.#program, this.#options, executor, arena);
      this.#memory = this.#store = new Uint8Array(arena.buffer);
      this.#batch = this.#describe();
      this.#views = this.#look();
      this.#capacity = wanted;
      return;
    }
    this.#capacity = capacity;
  }

  /** A stream that has taken nothing yet. */
  clear(slot: number): void {
    this.#store.set(this.#fresh, this.#from(slot));
  }

  copy(from: number, to: number): void {
    this.#store.copyWithin(this.#from(to), this.#from(from), this.#from(from) + this.bytes);
  }

  /** Input frames that a slot's stream has taken. */
  framesOf(slot: number): number {
    const { counts } = this.#lane.lane.inputs.ports[0]!.node.step;
    const at = this.#from(slot) + counts - this.#program.memory.from;
    return new DataView(this.#store.buffer).getFloat64(at, true);
  }

  /** The slot's stream moves into the lane. */
  load(slot: number): void {
    const from = this.#from(slot);
    const { memory } = this.#program;
    const { executor, inputs } = this.#lane.lane;
    const end = from + memory.to - memory.from;
    this.#memory.set(this.#store.subarray(from, end), memory.from);
    executor.wake();
    for (const { node: index, offset } of this.#kept) {
      const node = executor.nodes[index]!;
      const bytes = (node.produced - node.base) * node.step.width * node.data.BYTES_PER_ELEMENT;
      this.#memory.set(this.#store.subarray(from + offset, from + offset + bytes), node.data.byteOffset);
    }
    this.#held.forEach((offset, i) => {
      const { held } = inputs.ports[i]!;
      bytesOf(held).set(this.#store.subarray(from + offset, from + offset + held.byteLength));
    });
    this.#lane.goOnFrom(this.framesOf(slot), false);
  }

  /** And back. The lane must not have ended. */
  store(slot: number): void {
    const to = this.#from(slot);
    const { memory } = this.#program;
    const { executor, inputs } = this.#lane.lane;
    this.#store.set(this.#memory.subarray(memory.from, memory.to), to);
    for (const { node: index, offset } of this.#kept) {
      const node = executor.nodes[index]!;
      const frame = node.step.width * node.data.BYTES_PER_ELEMENT;
      const first = node.data.byteOffset + (executor.oldestNeeded(node) - node.base) * frame;
      const last = node.data.byteOffset + (node.produced - node.base) * frame;
      this.#store.set(this.#memory.subarray(first, last), to + offset);
    }
    this.#held.forEach((offset, i) => this.#store.set(bytesOf(inputs.ports[i]!.held), to + offset));
  }

  /** How many streams of so many frames one `run` takes; 0 where they are too long for it. */
  batchSize(frames: number, emitted: Float64Array): number {
    const { inputs, outputs } = this.#staging!;
    const { ports } = this.#lane.lane.outputs;
    let most = BATCH_STREAMS;
    for (let i = 0; i < inputs.length; i++) most = Math.min(most, Math.floor(inputs[i]!.frames / frames));
    for (let i = 0; i < outputs.length; i++) {
      most = Math.min(most, Math.floor(outputs[i]!.frames / emitted[ports[i]!.node.step.node.id]!));
    }
    return most;
  }

  /** Places that a batch takes from and gives to. */
  get views(): BatchViews {
    return this.#views!;
  }

  /** Numbers that the last `run` wrote to an output. */
  numbersTo(port: number): number {
    return this.#batch!.written(port) / 4;
  }

  /** `frames` frames for each of the first `count` of `ids`. The lane must not have ended. */
  run(count: number, frames: number): void {
    this.#batch!.run(count, frames);
  }

  #look(): BatchViews {
    const { ids, written, inputs, outputs } = this.#staging!;
    const { buffer } = this.#memory;
    const { inputs: from, outputs: to } = this.#lane.lane;
    const view = ({ at, frames }: Staged, { node }: { readonly node: Running }): Float32Array =>
      new Float32Array(buffer, at, frames * node.step.width);
    return {
      ids: new Uint32Array(buffer, ids, BATCH_STREAMS),
      written: new Int32Array(buffer, written, BATCH_STREAMS),
      inputs: inputs.map((staged, i) => view(staged, from.ports[i]!)),
      outputs: outputs.map((staged, i) => view(staged, to.ports[i]!)),
    };
  }

  #from(slot: number): number {
    return this.#at + slot * this.bytes;
  }

  #describe(): Batch {
    const { at, ids, written, inputs, outputs } = this.#staging!;
    const { executor, inputs: from, outputs: to } = this.#lane.lane;
    const { walkAt, passFrames, memory } = this.#program;
    return executor.arena.batch!({
      at,
      walkAt,
      passFrames,
      ids,
      written,
      slots: this.#at,
      slotBytes: this.bytes,
      memory,
      kept: this.#kept,
      inputs: from.ports.map(({ node }, i) => ({
        node: node.step.index,
        frames: inputs[i]!.at,
        held: this.#held[i] ?? 0,
      })),
      outputs: to.ports.map(({ node }, i) => ({ node: node.step.index, frames: outputs[i]!.at })),
      holds: this.#held.length > 0,
    });
  }
}

const bytesOf = (data: Float64Array): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
