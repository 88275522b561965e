import { GraphError, StreamError } from '../errors.ts';
import type { FloatArray } from '../signal/index.ts';
import { Executor, type Running } from './executor.ts';
import { firstNonFinite, mendNonFinite, type Diagnostic, type NonFinitePolicy } from './non-finite.ts';
import type { Program } from './program.ts';
import { originOf, readSnapshot, writeSnapshot } from './snapshot.ts';
import { refuseBackwards } from './time-steps.ts';

/** One array for the only port, or one for each by name. Frames × channels, time-major. */
export type Block = FloatArray | Readonly<Record<string, FloatArray>>;

export interface StreamOptions {
  /** What to do with NaN and infinities in the input; `throw` by default. */
  readonly nonFinite?: NonFinitePolicy;
  readonly onDiagnostic?: (diagnostic: Diagnostic) => void;
}

export interface RestoreOptions {
  /** `convert` takes a snapshot from a stream of the same model at another rate: the state goes on at this one's. */
  readonly sampleRate?: 'convert';
}

/** An input port of a running stream. */
interface InputPort {
  readonly name: string;
  readonly node: Running;
  /** The last finite value of each channel, for the policy `hold`. */
  readonly held: Float64Array;
}

interface OutputPort {
  readonly name: string;
  readonly node: Running;
  /** Frames written by the call that is running. */
  written: number;
}

/**
 * A model running on one signal: coefficients discretised once, state carried from frame to frame.
 * Blocks may have any size, one frame included; any chunking gives the same bits.
 *
 * `process` allocates nothing once it has run. All state is in one block of memory: `snapshot` and `restore`
 * copy it out and in, `fork` makes a second stream that goes on from here by itself, `reset` starts anew.
 *
 * @example
 * const stream = compile(model, parameters, { sampleRate: 16_000 });
 * const output = new Float32Array(stream.maxOutput(128) * stream.outputChannels);
 * const frames = stream.process(input, output);
 */
export class Stream {
  #program: Program;
  readonly #options: StreamOptions;
  #executor: Executor;
  #inputs: readonly InputPort[];
  #outputs: readonly OutputPort[];
  readonly #maxOutput = new Map<number, number>();
  // Reused by every call, so that a running stream makes no garbage.
  readonly #from: (FloatArray | undefined)[];
  readonly #to: (FloatArray | undefined)[];
  #frames = 0;
  #ended = false;

  /** @internal Use `compile`. */
  constructor(program: Program, options: StreamOptions) {
    this.#program = program;
    this.#options = options;
    this.#executor = new Executor(program);
    this.#inputs = inputPorts(program, this.#executor);
    this.#outputs = outputPorts(program, this.#executor);
    this.#from = this.#inputs.map(() => undefined);
    this.#to = this.#outputs.map(() => undefined);
  }

  /** Input frames of look-ahead: output frame t comes out once input frame t + latency has gone in. */
  get latency(): number {
    return this.#program.latency;
  }

  /** Hz this stream runs at; undefined where neither the model nor `compile` named a rate. */
  get sampleRate(): number | undefined {
    return this.#program.sampleRate;
  }

  /** Input frames taken since the start. */
  get framesSeen(): number {
    return this.#frames;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Numbers in a frame of the first input port. */
  get inputChannels(): number {
    return this.#inputs[0]!.node.step.width;
  }

  /** Numbers in a frame of the first output port. */
  get outputChannels(): number {
    return this.#outputs[0]!.node.step.width;
  }

  /** Output frames for each input frame, in the long run, at the first output port. */
  get outputRate(): number {
    const { rate } = this.#outputs[0]!.node.step.node;
    return rate === 'constant' ? 0 : rate.numerator / rate.denominator;
  }

  /** Names the backend, the precision and the model: what a snapshot must match. */
  get identity(): {
    readonly backend: string;
    readonly precision: string;
    readonly model: string;
    readonly hash: string;
  } {
    const { backend, precision, graph, hash } = this.#program;
    return { backend: backend.name, precision, model: graph.name, hash };
  }

  /**
   * The most frames that `frames` further input frames can bring out of the first output port, whenever they
   * come; without an argument, the most that `end` can.
   */
  maxOutput(frames?: number): number {
    const { schedule, graph } = this.#program;
    const id = this.#outputs[0]!.node.step.node.id;
    if (frames === undefined) {
      const total = this.#frames + (this.#ended ? 0 : graph.endPadding(this.#frames));
      return schedule.emitted(id, total, true) - schedule.emitted(id, this.#frames);
    }
    let most = this.#maxOutput.get(frames);
    if (most === undefined) {
      most = schedule.maxEmitted(frames)[id]!;
      this.#maxOutput.set(frames, most);
    }
    return most;
  }

  /**
   * Takes a block of frames and writes the frames that are ready.
   *
   * @param input frames × channels for each input port.
   * @param output room for the frames that come, at most `maxOutput(frames)`, for each output port.
   * @returns frames written to the first output port: with look-ahead fewer at first, at another rate more or fewer.
   * @throws StreamError on a wrong length, after `end`, or on NaN and infinities under the policy `throw`;
   *   nothing has been consumed then.
   */
  process(input: Block, output: Block): number {
    if (this.#ended) {
      throw new StreamError(
        `this stream of ${this.#program.graph.name} has ended; reset() it or compile another`,
      );
    }
    this.#assign(this.#inputs, input, this.#from, 'input');
    this.#assign(this.#outputs, output, this.#to, 'output');
    const frames = this.#countFrames();
    this.#checkRoom(this.#program.schedule.counts(this.#frames + frames));
    if ((this.#options.nonFinite ?? 'throw') === 'throw') this.#refuseNonFinite(frames);
    if (this.#program.irregular) refuseBackwards(this.#inputs, this.#from, this.#frames);
    this.#feed(frames, this.#options.nonFinite ?? 'throw');
    this.#frames += frames;
    return this.#outputs[0]!.written;
  }

  /**
   * No more input: writes what look-ahead still holds back, after the frames that the model's own end rule
   * appends. Returns the frames written; the stream takes no more input until `reset`.
   */
  end(output: Block): number {
    this.#refuseEnded();
    this.#assign(this.#outputs, output, this.#to, 'output');
    const padding = this.#program.graph.endPadding(this.#frames);
    this.#checkRoom(this.#program.schedule.counts(this.#frames + padding, true));
    this.#from.fill(undefined);
    this.#feed(padding, 'throw');
    this.#ended = true;
    this.#executor.finish();
    while (this.#executor.pass()) this.#drain();
    return this.#outputs[0]!.written;
  }

  /** `process` into a fresh array of just the frames that came. One output port only. */
  push(input: Block): FloatArray {
    this.#refuseEnded();
    this.#assign(this.#inputs, input, this.#from, 'input');
    const { node } = this.#outputs[0]!;
    const frames = this.#countFrames();
    const count = this.#program.schedule.emitted(node.step.node.id, this.#frames + frames) - node.produced;
    const output = this.#fresh(count * node.step.width);
    this.process(input, output);
    return output;
  }

  /** `end` into a fresh array. One output port only. */
  flush(): FloatArray {
    const output = this.#fresh(this.maxOutput() * this.outputChannels);
    this.end(output);
    return output;
  }

  /** A fresh stream of the same program: state, frame count and end forgotten. */
  reset(): void {
    this.#executor.reset();
    for (const { held } of this.#inputs) held.fill(0);
    this.#frames = 0;
    this.#ended = false;
  }

  /** A second stream that goes on from here; neither sees what the other does. */
  fork(): Stream {
    const copy = new Stream(this.#program, this.#options);
    new Uint8Array(copy.#executor.arena.buffer).set(
      new Uint8Array(this.#executor.arena.buffer).subarray(0, this.#program.bytes),
    );
    copy.#frames = this.#frames;
    copy.#ended = this.#ended;
    this.#inputs.forEach(({ held }, i) => copy.#inputs[i]!.held.set(held));
    this.#executor.nodes.forEach((node, i) => {
      const { base, produced, fired, ended, drained } = node;
      Object.assign(copy.#executor.nodes[i]!, { base, produced, fired, ended, drained });
    });
    return copy;
  }

  /**
   * All state as bytes: version, model hash, rate, precision, backend, frames seen, state, checksum.
   * The layout is canonical: it does not depend on how the input was cut into blocks.
   */
  snapshot(): Uint8Array {
    return writeSnapshot(this.#program, this.#executor, {
      frames: this.#frames,
      ended: this.#ended,
      held: this.#inputs.map(({ held }) => held),
    });
  }

  /**
   * Goes on from a snapshot, bit for bit.
   *
   * @throws SnapshotError on a snapshot of another model, other weights, another rate or precision, or a damaged
   *   one; the stream is as before then. With `sampleRate: 'convert'` the rate may differ, and a model that can't
   *   follow both is refused by a GraphError.
   */
  restore(snapshot: Uint8Array, options: RestoreOptions = {}): void {
    const origin = options.sampleRate === 'convert' ? originOf(this.#program, snapshot) : this.#program;
    const { frames, ended, held } = readSnapshot(this.#program, this.#executor, snapshot, origin);
    this.#frames = frames;
    this.#ended = ended;
    this.#inputs.forEach((port, i) => port.held.set(held[i]!));
  }

  /**
   * From the next frame on the stream runs at another rate: coefficients are computed anew, the state x itself goes
   * on, as a physical one does. The bits are those of a snapshot restored, with `sampleRate: 'convert'`, into a stream
   * compiled at that rate. Not for the audio callback: it allocates as `compile` does.
   *
   * @throws GraphError where an op with memory counts frames instead of time, or where a `dt` comes with every frame;
   *   ArgumentError for a rate that is none. The stream is as before then.
   * @example
   * stream.setSampleRate(44_100);
   */
  setSampleRate(sampleRate: number): void {
    const before = this.#program;
    if (sampleRate === before.sampleRate) return;
    if (before.irregular) {
      throw new GraphError(
        `${before.graph.name} takes a dt for every frame, so ${sampleRate} Hz has no meaning; give the frames another dt`,
      );
    }
    if (before.sampleRate === undefined) {
      throw new GraphError(
        `${before.graph.name} runs at no known rate, so it can't change to ${sampleRate} Hz; compile it with a sampleRate`,
      );
    }
    const after = before.at(sampleRate);
    const executor = new Executor(after);
    const inputs = inputPorts(after, executor);
    const outputs = outputPorts(after, executor);
    const { held } = readSnapshot(after, executor, this.snapshot(), before);
    inputs.forEach((port, i) => port.held.set(held[i]!));
    this.#program = after;
    this.#executor = executor;
    this.#inputs = inputs;
    this.#outputs = outputs;
  }

  #refuseEnded(): void {
    if (this.#ended) {
      throw new StreamError(
        `this stream of ${this.#program.graph.name} has ended; reset() it or compile another`,
      );
    }
  }

  #fresh(length: number): FloatArray {
    return this.#program.precision === 'float64' ? new Float64Array(length) : new Float32Array(length);
  }

  #assign(
    ports: readonly (InputPort | OutputPort)[],
    block: Block,
    into: (FloatArray | undefined)[],
    what: string,
  ): void {
    for (let i = 0; i < ports.length; i++) {
      const { name } = ports[i]!;
      const data = isArray(block) ? (ports.length === 1 ? block : undefined) : block[name];
      if (data === undefined || !isArray(data)) {
        throw new StreamError(
          `${this.#program.graph.name} wants ${what} { ${ports.map((port) => port.name).join(', ')} } as Float32Array or ` +
            `Float64Array, but "${name}" is ${data === undefined ? 'missing' : typeof data}`,
        );
      }
      into[i] = data;
    }
  }

  /** Frames in the assigned input, the same at every port. */
  #countFrames(): number {
    let frames = -1;
    for (let i = 0; i < this.#inputs.length; i++) {
      const { name, node } = this.#inputs[i]!;
      const { length } = this.#from[i]!;
      const count = length / node.step.width;
      if (!Number.isInteger(count)) {
        throw new StreamError(
          `input "${name}" has ${length} values, which is no whole number of frames of ${node.step.width} channels; ` +
            'give frames × channels, time-major',
        );
      }
      if (frames >= 0 && count !== frames) {
        throw new StreamError(
          `input "${name}" has ${count} frames, "${this.#inputs[0]!.name}" has ${frames}; give all ports as many`,
        );
      }
      frames = count;
    }
    return frames;
  }

  #checkRoom(counts: Float64Array): void {
    for (let i = 0; i < this.#outputs.length; i++) {
      const { name, node } = this.#outputs[i]!;
      this.#outputs[i]!.written = 0;
      const frames = counts[node.step.node.id]! - node.produced;
      if (this.#to[i]!.length < frames * node.step.width) {
        throw new StreamError(
          `output "${name}" has room for ${Math.floor(this.#to[i]!.length / node.step.width)} frames, but ${frames} ` +
            `of ${node.step.width} channels are ready; size it by maxOutput()`,
        );
      }
    }
  }

  #refuseNonFinite(frames: number): void {
    for (let i = 0; i < this.#inputs.length; i++) {
      const { name, node } = this.#inputs[i]!;
      const bad = firstNonFinite(this.#from[i]!, 0, frames * node.step.width);
      if (bad >= 0) {
        throw new StreamError(
          `input "${name}" is ${this.#from[i]![bad]} at frame ${this.#frames + Math.floor(bad / node.step.width)}, ` +
            `channel ${bad % node.step.width}; mend it, or set nonFinite to 'hold', 'zero' or 'reset'`,
        );
      }
    }
  }

  /** `frames` frames of the assigned input, or zeros where none is assigned, through the graph. */
  #feed(frames: number, policy: NonFinitePolicy): void {
    for (let done = 0; done < frames;) {
      let count = Math.min(this.#program.passFrames, frames - done);
      if (policy === 'reset') {
        const clean = this.#cleanFrames(done, count);
        if (clean === 0) this.#executor.forget();
        count = clean === 0 ? 1 : clean;
      }
      for (let i = 0; i < this.#inputs.length; i++) {
        const { node, name, held } = this.#inputs[i]!;
        const { width } = node.step;
        const from = this.#from[i];
        const at = this.#executor.reserve(node, count);
        if (from === undefined) {
          node.data.fill(0, at, at + count * width);
          continue;
        }
        copy(from, done * width, node.data, at, count * width);
        if (policy === 'throw') continue;
        const replaced = mendNonFinite(node.data, at, count, held, policy === 'hold');
        if (replaced > 0) {
          const first = firstNonFinite(from, done * width, (done + count) * width);
          const frame = this.#frames + Math.floor(first / width);
          this.#options.onDiagnostic?.({
            kind: 'non-finite',
            port: name,
            frame,
            channel: first % width,
            count: replaced,
            action: policy,
          });
        }
      }
      this.#executor.pass();
      this.#drain();
      done += count;
    }
  }

  /** How many of the next `count` frames come before the first that is not finite at some port. */
  #cleanFrames(done: number, count: number): number {
    let clean = count;
    for (let i = 0; i < this.#inputs.length; i++) {
      const { width } = this.#inputs[i]!.node.step;
      const first = firstNonFinite(this.#from[i]!, done * width, (done + count) * width);
      if (first >= 0) clean = Math.min(clean, Math.floor(first / width) - done);
    }
    return clean;
  }

  /** Copies what has come out since the last time to the caller's arrays. */
  #drain(): void {
    for (let i = 0; i < this.#outputs.length; i++) {
      const port = this.#outputs[i]!;
      const { node } = port;
      const { width } = node.step;
      const to = this.#to[i]!;
      const from = (node.drained - node.base) * width;
      const size = (node.produced - node.drained) * width;
      copy(node.data, from, to, port.written * width, size);
      port.written += node.produced - node.drained;
      node.drained = node.produced;
    }
  }
}

const inputPorts = ({ graph }: Program, executor: Executor): InputPort[] =>
  [...graph.inputs].map(([name, { id }]) => {
    const node = executor.at(id);
    return { name, node, held: new Float64Array(node.step.width) };
  });

/** Marks the nodes as ports, so that their frames wait for the caller. */
const outputPorts = ({ graph }: Program, executor: Executor): OutputPort[] =>
  [...graph.outputs].map(([name, { id }]) => {
    const node = executor.at(id);
    node.drained = 0;
    return { name, node, written: 0 };
  });

/** Without a view in between, which would be garbage on a running stream. */
function copy(from: FloatArray, fromAt: number, to: FloatArray, toAt: number, size: number): void {
  if (fromAt === 0 && size === from.length) to.set(from, toAt);
  else for (let i = 0; i < size; i++) to[toAt + i] = from[fromAt + i]!;
}

const isArray = (value: unknown): value is FloatArray =>
  value instanceof Float32Array || value instanceof Float64Array;
