import type { Arena } from '../backends/backend.ts';
import { GraphError, StreamError } from '../errors.ts';
import type { FloatArray } from '../signal/index.ts';
import { Executor } from './executor.ts';
import type { Diagnostic, NonFinitePolicy } from './non-finite.ts';
import { InputPorts, OutputPorts, type Block } from './ports.ts';
import type { Program } from './program.ts';
import { originOf, readSnapshot, writeSnapshot } from './snapshot.ts';
import { refuseBackwards } from './time-steps.ts';

export type { Block };

export interface StreamOptions {
  /** What to do with NaN and infinities in the input; `throw` by default. */
  readonly nonFinite?: NonFinitePolicy;
  readonly onDiagnostic?: (diagnostic: Diagnostic) => void;
}

export interface RestoreOptions {
  /** `convert` takes a snapshot from a stream of the same model at another rate: the state goes on at this one's. */
  readonly sampleRate?: 'convert';
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
  #inputs: InputPorts;
  #outputs: OutputPorts;
  readonly #maxOutput = new Map<number, number>();
  #frames = 0;
  #ended = false;

  /** @internal Use `compile`. */
  constructor(program: Program, options: StreamOptions, origin?: Executor, arena?: Arena) {
    this.#program = program;
    this.#options = options;
    this.#executor = new Executor(program, origin, arena);
    this.#inputs = new InputPorts(program, this.#executor);
    this.#outputs = new OutputPorts(program, this.#executor);
  }

  /** @internal What a bank moves in and out, one stream after the other. */
  get lane(): { readonly executor: Executor; readonly inputs: InputPorts; readonly outputs: OutputPorts } {
    return { executor: this.#executor, inputs: this.#inputs, outputs: this.#outputs };
  }

  /** @internal Another stream has moved in, which has taken so many frames. */
  goOnFrom(frames: number, ended: boolean): void {
    this.#frames = frames;
    this.#ended = ended;
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
    return this.#inputs.ports[0]!.node.step.width;
  }

  /** Numbers in a frame of the first output port. */
  get outputChannels(): number {
    return this.#outputs.ports[0]!.node.step.width;
  }

  /** Output frames for each input frame, in the long run, at the first output port. */
  get outputRate(): number {
    const { rate } = this.#outputs.ports[0]!.node.step.node;
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
    const id = this.#outputs.ports[0]!.node.step.node.id;
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
    this.#refuseEnded();
    const frames = this.#inputs.assign(input);
    this.#outputs.assign(output, this.#frames + frames, false);
    const { nonFinite = 'throw' } = this.#options;
    if (nonFinite === 'throw') this.#inputs.refuseNonFinite(frames, this.#frames);
    if (this.#program.irregular) refuseBackwards(this.#inputs, this.#frames);
    this.#feed(frames, nonFinite);
    this.#frames += frames;
    return this.#outputs.written;
  }

  /**
   * No more input: writes what look-ahead still holds back, after the frames that the model's own end rule
   * appends. Returns the frames written; the stream takes no more input until `reset`.
   */
  end(output: Block): number {
    this.#refuseEnded();
    const padding = this.#program.graph.endPadding(this.#frames);
    this.#outputs.assign(output, this.#frames + padding, true);
    this.#inputs.assignZeros();
    this.#feed(padding, 'throw');
    this.#ended = true;
    this.#executor.finish();
    while (this.#executor.pass()) this.#outputs.drain();
    return this.#outputs.written;
  }

  /** `process` into a fresh array of just the frames that came. One output port only. */
  push(input: Block): FloatArray {
    this.#refuseEnded();
    const frames = this.#inputs.assign(input);
    const { node } = this.#outputs.ports[0]!;
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
    for (const { held } of this.#inputs.ports) held.fill(0);
    this.#frames = 0;
    this.#ended = false;
  }

  /** A second stream that goes on from here; neither sees what the other does. */
  fork(): Stream {
    const copy = new Stream(this.#program, this.#options, this.#executor);
    copy.#frames = this.#frames;
    copy.#ended = this.#ended;
    this.#inputs.ports.forEach(({ held }, i) => copy.#inputs.ports[i]!.held.set(held));
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
      held: this.#inputs.ports.map(({ held }) => held),
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
    this.#inputs.ports.forEach((port, i) => port.held.set(held[i]!));
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
    const inputs = new InputPorts(after, executor);
    const outputs = new OutputPorts(after, executor);
    const { held } = readSnapshot(after, executor, this.snapshot(), before);
    inputs.ports.forEach((port, i) => port.held.set(held[i]!));
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

  /** `frames` frames of the assigned input, or zeros where none is assigned, through the graph. */
  #feed(frames: number, policy: NonFinitePolicy): void {
    for (let done = 0; done < frames;) {
      let count = Math.min(this.#program.passFrames, frames - done);
      if (policy === 'reset') {
        const clean = this.#inputs.cleanFrames(done, count);
        if (clean === 0) this.#executor.forget();
        count = clean === 0 ? 1 : clean;
      }
      this.#inputs.feed(this.#executor, done, count, policy, this.#frames, this.#options.onDiagnostic);
      this.#executor.pass();
      this.#outputs.drain();
      done += count;
    }
  }
}
