import { StreamError } from '../errors.ts';
import type { FloatArray } from '../signal/index.ts';
import { firstNonFinite, type Diagnostic, type NonFinitePolicy } from './non-finite.ts';
import { MOST_VIEWS, assign, copyNumbers, type Block } from './ports.ts';
import type { Program } from './program.ts';
import { Slots } from './slots.ts';

export interface BankOptions {
  /** What to do with NaN and infinities in the input; `throw` by default. */
  readonly nonFinite?: NonFinitePolicy;
  readonly onDiagnostic?: (diagnostic: BankDiagnostic) => void;
}

/** What one of a bank's streams has to say beside its output. */
export interface BankDiagnostic extends Diagnostic {
  readonly stream: number;
}

const CLOSED = 0;
const OPEN = 1;
const ENDED = 2;

/**
 * Many streams of one model: what `Stream` does, for thousands of them at once. Coefficients are there once, the
 * state of a stream that does not run takes `bytesPerStream`. A call runs a batch of streams one after the other,
 * inside the backend's memory where it can; the bits are those of lone streams, snapshots go both ways.
 *
 * @example
 * const bank = compileBank(model, parameters);
 * const [a, b] = [bank.open(), bank.open()];
 * const output = new Float32Array(2 * bank.maxOutput(1) * bank.outputChannels);
 * bank.process([a, b], Float32Array.of(0.1, 0.2), output); // a frame of a, then one of b
 */
export class StreamBank {
  readonly #program: Program;
  readonly #options: BankOptions;
  readonly #slots: Slots;
  /** By id: whether it is open. */
  #states = new Uint8Array(16);
  #highest = 0;
  readonly #free: number[] = [];
  /** Of streams that have ended: all that is left of them. */
  readonly #ends = new Map<number, Uint8Array>();
  readonly #emitted = new Map<number, Float64Array>();
  readonly #inputs: (FloatArray | undefined)[];
  readonly #outputs: (FloatArray | undefined)[];
  /** By output port: what the last batch brought, and numbers written by the call that is running. */
  readonly #views: (Float32Array | undefined)[];
  readonly #written: number[];
  #viewCount = 0;
  #open = 0;
  #running = 0;

  /** @internal Use `compileBank`. */
  constructor(program: Program, options: BankOptions) {
    this.#program = program;
    this.#options = options;
    const { nonFinite, onDiagnostic } = options;
    this.#slots = new Slots(program, {
      ...(nonFinite === undefined ? {} : { nonFinite }),
      ...(onDiagnostic === undefined
        ? {}
        : { onDiagnostic: (told: Diagnostic) => onDiagnostic({ ...told, stream: this.#running }) }),
    });
    const { inputs, outputs } = this.#slots.lane.lane;
    this.#inputs = inputs.ports.map(() => undefined);
    this.#outputs = outputs.ports.map(() => undefined);
    this.#views = outputs.ports.map(() => undefined);
    this.#written = outputs.ports.map(() => 0);
  }

  /** Streams that are open. */
  get size(): number {
    return this.#open;
  }

  /** Bytes that one more stream costs: its state, counts and kept frames. */
  get bytesPerStream(): number {
    return this.#slots.bytes + 1;
  }

  /** Input frames of look-ahead: output frame t comes out once input frame t + latency has gone in. */
  get latency(): number {
    return this.#program.latency;
  }

  get sampleRate(): number | undefined {
    return this.#program.sampleRate;
  }

  /** Numbers in a frame of the first input port. */
  get inputChannels(): number {
    return this.#slots.lane.inputChannels;
  }

  /** Numbers in a frame of the first output port. */
  get outputChannels(): number {
    return this.#slots.lane.outputChannels;
  }

  /** As `Stream.identity`. */
  get identity(): {
    readonly backend: string;
    readonly precision: string;
    readonly model: string;
    readonly hash: string;
  } {
    return this.#slots.lane.identity;
  }

  /** The most frames that `frames` further input frames of one stream bring out of the first output port. */
  maxOutput(frames: number): number {
    return this.#mostEmitted(frames)[this.#slots.lane.lane.outputs.ports[0]!.node.step.node.id]!;
  }

  /** A fresh stream. Returns its number; those of closed streams come again. */
  open(): number {
    const id = this.#free.pop() ?? this.#highest;
    if (id === this.#highest) {
      this.#slots.reserve(id + 1);
      this.#highest++;
      if (this.#states.length < this.#highest) {
        const states = new Uint8Array(2 * this.#highest);
        states.set(this.#states);
        this.#states = states;
      }
    }
    this.#slots.clear(id);
    this.#states[id] = OPEN;
    this.#open++;
    return id;
  }

  /** Forgets a stream and frees its place. */
  close(id: number): void {
    this.#refuseClosed(id);
    this.#states[id] = CLOSED;
    this.#ends.delete(id);
    this.#free.push(id);
    this.#open--;
  }

  /** As a fresh stream. */
  reset(id: number): void {
    this.#refuseClosed(id);
    this.#ends.delete(id);
    this.#states[id] = OPEN;
    this.#slots.clear(id);
  }

  /** A second stream that goes on from where `id` is. */
  fork(id: number): number {
    this.#refuseEnded(id);
    const copy = this.open();
    this.#slots.copy(id, copy);
    return copy;
  }

  /** Input frames that a stream has taken since its start. */
  framesSeen(id: number): number {
    this.#refuseEnded(id);
    return this.#slots.framesOf(id);
  }

  /**
   * Takes frames of many streams, as many of each, and writes what is ready.
   *
   * @param ids the streams, in the order of their frames; one that stands there twice takes two runs.
   * @param input streams × frames × channels for each input port: all frames of the first stream, then of the second.
   * @param output room for what comes, at most streams × `maxOutput(frames)` frames, for each output port: one stream's
   *   behind the other's.
   * @param written receives the frames that each stream wrote to the first output port.
   * @returns frames written to the first output port, of all streams together.
   * @throws StreamError on a stream that is not open or has ended, on a wrong length, and on what `Stream.process`
   *   refuses; no stream has consumed anything then.
   */
  process(ids: ArrayLike<number>, input: Block, output: Block, written?: Int32Array): number {
    const count = ids.length;
    const { inputs, outputs } = this.#slots.lane.lane;
    for (let i = 0; i < count; i++) this.#refuseEnded(ids[i]!);
    if (written && written.length < count)
      throw new StreamError(`written has room for ${written.length} streams, ${count} come; give it as many`);
    assign(this.#program.graph.name, inputs.ports, input, this.#inputs, 'input');
    assign(this.#program.graph.name, outputs.ports, output, this.#outputs, 'output');
    if (count === 0) return 0;
    const frames = this.#frames(count);
    this.#refuseNarrow(ids, frames);
    const isClean = this.#checkValues(ids, frames);
    if (frames > 0 && isClean && this.#slots.hasBatches) return this.#runBatches(ids, frames, written);
    return this.#runOneByOne(ids, frames, written);
  }

  /**
   * No more input for one stream: writes what look-ahead still holds back. It takes no more until `reset` or `close`.
   *
   * @returns the frames written, as `Stream.end` does.
   */
  end(id: number, output: Block): number {
    return this.#finish(id, (lane) => lane.end(output));
  }

  /** `end` into a fresh array. One output port only. */
  flush(id: number): FloatArray {
    return this.#finish(id, (lane) => lane.flush());
  }

  /** As `Stream.snapshot`, byte for byte: either restores the other's. */
  snapshot(id: number): Uint8Array {
    this.#refuseClosed(id);
    const end = this.#ends.get(id);
    if (end) return end.slice();
    this.#slots.load(id);
    return this.#slots.lane.snapshot();
  }

  /**
   * A stream goes on from a snapshot, bit for bit.
   *
   * @throws SnapshotError as `Stream.restore` does; the stream is as before then.
   */
  restore(id: number, snapshot: Uint8Array): void {
    this.#refuseClosed(id);
    const { lane } = this.#slots;
    lane.restore(snapshot, { changes: 'refuse' });
    this.#ends.delete(id);
    this.#states[id] = lane.ended ? ENDED : OPEN;
    if (lane.ended) {
      this.#ends.set(id, snapshot.slice());
      lane.reset();
    } else {
      this.#slots.store(id);
    }
  }

  /**
   * Refused: the streams of a bank share their coefficients.
   *
   * @throws StreamError always.
   */
  set(id: number, name: string): never {
    throw new StreamError(
      `"${name}" of stream ${id} can't be set: this bank of ${this.#program.graph.name} runs all its streams on one set of ` +
        'coefficients; run that stream by itself, with compile(), and restore its snapshot there',
    );
  }

  #finish<Result>(id: number, work: (lane: Slots['lane']) => Result): Result {
    this.#refuseEnded(id);
    this.#slots.load(id);
    const { lane } = this.#slots;
    const result = work(lane);
    this.#ends.set(id, lane.snapshot());
    this.#states[id] = ENDED;
    lane.reset();
    return result;
  }

  #refuseClosed(id: number): void {
    if (this.#states[id] === OPEN || this.#states[id] === ENDED) return;
    throw new StreamError(
      `stream ${id} of this bank of ${this.#program.graph.name} is not open; open() gives one`,
    );
  }

  #refuseEnded(id: number): void {
    if (this.#states[id] === OPEN) return;
    this.#refuseClosed(id);
    throw new StreamError(
      `stream ${id} of this bank of ${this.#program.graph.name} has ended; reset(${id}) it or open another`,
    );
  }

  #mostEmitted(frames: number): Float64Array {
    let most = this.#emitted.get(frames);
    if (most === undefined) {
      most = this.#program.schedule.maxEmitted(frames);
      this.#emitted.set(frames, most);
    }
    return most;
  }

  /** Frames of each stream at every port. */
  #frames(count: number): number {
    const { ports } = this.#slots.lane.lane.inputs;
    let frames = -1;
    for (let i = 0; i < ports.length; i++) {
      const { name, node } = ports[i]!;
      const { length } = this.#inputs[i]!;
      const own = length / (count * node.step.width);
      if (!Number.isInteger(own)) {
        throw new StreamError(
          `input "${name}" has ${length} values, which is no whole number of frames of ${node.step.width} channels for ` +
            `each of ${count} streams; give streams × frames × channels`,
        );
      }
      if (frames >= 0 && own !== frames) {
        throw new StreamError(
          `input "${name}" has ${own} frames a stream, "${ports[0]!.name}" has ${frames}; give all ports as many`,
        );
      }
      frames = own;
    }
    return frames;
  }

  #refuseNarrow(ids: ArrayLike<number>, frames: number): void {
    const most = this.#mostEmitted(frames);
    const { ports } = this.#slots.lane.lane.outputs;
    const { schedule } = this.#program;
    for (let i = 0; i < ports.length; i++) {
      const { name, node } = ports[i]!;
      const { width, node: graphNode } = node.step;
      const room = this.#outputs[i]!.length / width;
      if (room >= most[graphNode.id]! * ids.length) continue;
      const taken = new Map<number, number>();
      let ready = 0;
      for (let k = 0; k < ids.length; k++) {
        const before = taken.get(ids[k]!) ?? this.#slots.framesOf(ids[k]!);
        ready += schedule.emitted(graphNode.id, before + frames) - schedule.emitted(graphNode.id, before);
        taken.set(ids[k]!, before + frames);
      }
      if (room >= ready) continue;
      throw new StreamError(
        `output "${name}" has room for ${Math.floor(room)} frames, but ${ready} of ${width} channels are ready; ` +
          'size it by streams × maxOutput(frames)',
      );
    }
  }

  /** Whether all values are finite; refuses what the policy does not mend. */
  #checkValues(ids: ArrayLike<number>, frames: number): boolean {
    const { ports } = this.#slots.lane.lane.inputs;
    const { nonFinite = 'throw' } = this.#options;
    let isClean = true;
    for (let i = 0; i < ports.length; i++) {
      const { name, node } = ports[i]!;
      const block = this.#inputs[i]!;
      const bad = firstNonFinite(block, 0, block.length);
      if (bad >= 0) {
        isClean = false;
        if (nonFinite === 'throw') {
          throw new StreamError(
            `input "${name}" ${this.#where(ids, i, bad, frames)}, channel ${bad % node.step.width}; mend it, or set ` +
              "nonFinite to 'hold', 'zero' or 'reset'",
          );
        }
      }
      if (!this.#program.irregular || name !== 'dt') continue;
      for (let k = 0; k < block.length; k++) {
        if (block[k]! < 0) {
          throw new StreamError(
            `input "dt" ${this.#where(ids, i, k, frames)}: time runs backwards; sort the frames by time, or drop this one`,
          );
        }
      }
    }
    return isClean;
  }

  /** Where a value of a port stands, for messages. */
  #where(ids: ArrayLike<number>, port: number, index: number, frames: number): string {
    const { width } = this.#slots.lane.lane.inputs.ports[port]!.node.step;
    const id = ids[Math.floor(index / (frames * width))]!;
    const frame = this.#slots.framesOf(id) + (Math.floor(index / width) % frames);
    return `of stream ${id} is ${this.#inputs[port]![index]} at frame ${frame}`;
  }

  #runBatches(ids: ArrayLike<number>, frames: number, written: Int32Array | undefined): number {
    const slots = this.#slots;
    const size = slots.batchSize(frames, this.#mostEmitted(frames));
    if (size === 0) return this.#runOneByOne(ids, frames, written);
    const { ids: slotIds, written: counts, inputs, outputs } = slots.views;
    const all = ids.length;
    this.#written.fill(0);
    let total = 0;
    for (let from = 0; from < all; from += size) {
      const count = Math.min(size, all - from);
      for (let i = 0; i < count; i++) slotIds[i] = ids[from + i]!;
      for (let i = 0; i < inputs.length; i++) {
        const block = this.#inputs[i]!;
        const perStream = block.length / all;
        inputs[i]!.set(count === all ? block : block.subarray(from * perStream, (from + count) * perStream));
      }
      slots.run(count, frames);
      for (let i = 0; i < count; i++) {
        total += counts[i]!;
        if (written) written[from + i] = counts[i]!;
      }
      for (let i = 0; i < outputs.length; i++) {
        const numbers = slots.numbersTo(i);
        const from = outputs[i]!;
        let view = this.#views[i];
        const isSame = view?.length === numbers && view.buffer === from.buffer;
        if (!isSame && this.#viewCount < MOST_VIEWS) {
          view = this.#views[i] = from.subarray(0, numbers);
          this.#viewCount++;
        }
        if (view?.length === numbers) this.#outputs[i]!.set(view, this.#written[i]);
        else copyNumbers(from, 0, this.#outputs[i]!, this.#written[i]!, numbers);
        this.#written[i]! += numbers;
      }
    }
    return total;
  }

  #runOneByOne(ids: ArrayLike<number>, frames: number, written: Int32Array | undefined): number {
    const outputAt: number[] = this.#outputs.map(() => 0);
    let total = 0;
    for (let k = 0; k < ids.length; k++) {
      const id = ids[k]!;
      this.#running = id;
      this.#slots.load(id);
      const { lane } = this.#slots;
      const { inputs, outputs } = lane.lane;
      const input = Object.fromEntries(
        inputs.ports.map(({ name, node }, i) => {
          const size = frames * node.step.width;
          return [name, this.#inputs[i]!.subarray(k * size, (k + 1) * size)];
        }),
      );
      const output = Object.fromEntries(
        outputs.ports.map(({ name }, i) => [name, this.#outputs[i]!.subarray(outputAt[i])]),
      );
      const before = outputs.ports.map(({ node }) => node.drained);
      const came = lane.process(input, output);
      outputs.ports.forEach(({ node }, i) => {
        outputAt[i]! += (node.drained - before[i]!) * node.step.width;
      });
      if (written) written[k] = came;
      total += came;
      this.#slots.store(id);
    }
    return total;
  }
}
