import type { Arena } from '../backends/backend.ts';
import { GraphError, SnapshotError, StreamError } from '../errors.ts';
import type { FloatArray } from '../signal/index.ts';
import { fadingPrefix, noChanges, readChanges, settingsOf, writeChanges, type Changes } from './changes.ts';
import type { Executor } from './executor.ts';
import { Lane } from './lane.ts';
import { valueAfter } from './moves.ts';
import type { Diagnostic, NonFinitePolicy } from './non-finite.ts';
import type { Block } from './ports.ts';
import type { Program, Settings } from './program.ts';
import { checkSetting, controlStates, type ControlState, type SetOptions, type SetResult } from './set.ts';
import { openSnapshot, originOf, readSnapshot, writeSnapshot } from './snapshot.ts';
import { refuseBackwards } from './time-steps.ts';
import { canRamp } from './tuner.ts';
import { Tuning, movingAt } from './tuning.ts';

export type { Block };

export interface StreamOptions {
  /** What to do with NaN and infinities in the input; `throw` by default. */
  readonly nonFinite?: NonFinitePolicy;
  readonly onDiagnostic?: (diagnostic: Diagnostic) => void;
}

export interface RestoreOptions {
  /** `convert` takes a snapshot from a stream of the same model at another rate: the state goes on at this one's. */
  readonly sampleRate?: 'convert';
  /** @internal A bank's streams share their coefficients. */
  readonly changes?: 'refuse';
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
  /** As compiled, at the rate that it runs at: what a snapshot is checked against. */
  #base: Program;
  #lane: Lane;
  readonly #options: StreamOptions;
  /** Numbers that are not finite are refused. */
  readonly #isStrict: boolean;
  readonly #maxOutput = new Map<number, number>();
  /** Of a stream on which something was set. */
  #tuning: Tuning | undefined;
  #frames = 0;
  #ended = false;

  /** @internal Use `compile`. */
  constructor(program: Program, options: StreamOptions, origin?: Executor, arena?: Arena) {
    this.#base = program;
    this.#options = options;
    this.#isStrict = (options.nonFinite ?? 'throw') === 'throw';
    this.#lane = new Lane(program, origin, arena);
  }

  /** @internal What a bank moves in and out, one stream after the other. */
  get lane(): Lane {
    return this.#lane;
  }

  /** @internal Another stream has moved in, which has taken so many frames. */
  goOnFrom(frames: number, ended: boolean): void {
    this.#frames = frames;
    this.#ended = ended;
  }

  /** Input frames of look-ahead: output frame t comes out once input frame t + latency has gone in. */
  get latency(): number {
    return this.#base.latency;
  }

  /** Hz this stream runs at; undefined where neither the model nor `compile` named a rate. */
  get sampleRate(): number | undefined {
    return this.#base.sampleRate;
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
    return this.#lane.inputs.ports[0]!.node.step.width;
  }

  /** Numbers in a frame of the first output port. */
  get outputChannels(): number {
    return this.#lane.outputs.ports[0]!.node.step.width;
  }

  /** Output frames for each input frame, in the long run, at the first output port. */
  get outputRate(): number {
    const { rate } = this.#lane.outputs.ports[0]!.node.step.node;
    return rate === 'constant' ? 0 : rate.numerator / rate.denominator;
  }

  /** Names the backend, the precision and the model: what a snapshot must match. */
  get identity(): {
    readonly backend: string;
    readonly precision: string;
    readonly model: string;
    readonly hash: string;
  } {
    const { backend, precision, graph, hash } = this.#base;
    return { backend: backend.name, precision, model: graph.name, hash };
  }

  /**
   * The most frames that `frames` further input frames can bring out of the first output port, whenever they
   * come; without an argument, the most that `end` can.
   */
  maxOutput(frames?: number): number {
    const { schedule, graph } = this.#base;
    const id = this.#lane.outputs.ports[0]!.node.step.node.id;
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
    const { straight } = this.#lane;
    if (straight !== undefined && this.#isStrict && this.#tuning === undefined) {
      const taken = straight.take(input, output);
      if (taken >= 0) {
        this.#frames += taken;
        return taken;
      }
    }
    const frames = this.#lane.inputs.assign(input);
    this.#lane.outputs.assign(output, this.#frames + frames, false);
    const { nonFinite = 'throw' } = this.#options;
    if (nonFinite === 'throw') this.#lane.inputs.refuseNonFinite(frames, this.#frames);
    if (this.#base.irregular) refuseBackwards(this.#lane.inputs, this.#frames);
    this.#feed(frames, nonFinite);
    this.#frames += frames;
    return this.#lane.outputs.written;
  }

  /**
   * No more input: writes what look-ahead still holds back, after the frames that the model's own end rule
   * appends. Returns the frames written; the stream takes no more input until `reset`.
   */
  end(output: Block): number {
    this.#refuseEnded();
    const padding = this.#base.graph.endPadding(this.#frames);
    this.#lane.outputs.assign(output, this.#frames + padding, true);
    this.#lane.inputs.assignZeros();
    this.#feed(padding, 'throw');
    this.#ended = true;
    for (const lane of this.#tuning?.lanes ?? [this.#lane]) lane.executor.finish();
    while (this.#lane.executor.pass()) {
      this.#lane.outputs.drain();
      if (this.#tuning?.fading) this.#tuning.flush();
    }
    return this.#lane.outputs.written;
  }

  /** `process` into a fresh array of just the frames that came. One output port only. */
  push(input: Block): FloatArray {
    this.#refuseEnded();
    const frames = this.#lane.inputs.assign(input);
    const { node } = this.#lane.outputs.ports[0]!;
    const count = this.#base.schedule.emitted(node.step.node.id, this.#frames + frames) - node.produced;
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

  /** As compiled: state, frame count, end, and what was set forgotten. */
  reset(): void {
    if (this.#tuning === undefined) {
      this.#lane.executor.reset();
      for (const { held } of this.#lane.inputs.ports) held.fill(0);
    } else {
      this.#lane = new Lane(this.#base);
      this.#tuning = undefined;
    }
    this.#frames = 0;
    this.#ended = false;
  }

  /** A second stream that goes on from here; neither sees what the other does. */
  fork(): Stream {
    const copy = new Stream(this.#base, this.#options, this.#tuning ? undefined : this.#lane.executor);
    if (this.#tuning) copy.#adopt((copy.#tuning = this.#tuning.fork(this.#frames)));
    else copy.#lane.hold(this.#held);
    copy.#frames = this.#frames;
    copy.#ended = this.#ended;
    return copy;
  }

  /**
   * All state as bytes: version, model hash, rate, precision, backend, frames seen, state, what was set, checksum.
   * The layout is canonical: it does not depend on how the input was cut into blocks.
   */
  snapshot(): Uint8Array {
    const { program, executor } = this.#lane;
    const position = { frames: this.#frames, ended: this.#ended, held: this.#held };
    if (this.#tuning === undefined) return writeSnapshot(program, executor, position);
    const { changes, fading } = this.#tuning;
    return writeSnapshot(program, executor, position, writeChanges(changes, fading?.executor));
  }

  /**
   * Goes on from a snapshot, bit for bit, in the middle of a ramp too.
   *
   * @throws SnapshotError on a snapshot of another model, other weights, another rate or precision, or a damaged
   *   one; the stream is as before then. With `sampleRate: 'convert'` the rate may differ, and a model that can't
   *   follow both is refused by a GraphError.
   */
  restore(snapshot: Uint8Array, options: RestoreOptions = {}): void {
    const opened = openSnapshot(snapshot);
    const base = this.#base;
    const origin = options.sampleRate === 'convert' ? originOf(base, opened) : base;
    const changes = readChanges(opened, base.graph);
    if (changes !== undefined && options.changes === 'refuse') {
      throw new SnapshotError(
        `the snapshot is of a stream of ${base.graph.name} on which parameters were set, and a bank runs all its streams ` +
          'on one set of coefficients; restore it into a stream of compile()',
      );
    }
    if (changes === undefined && this.#tuning === undefined) {
      const { frames, ended, held } = readSnapshot(base, this.#lane.executor, opened, origin);
      this.#lane.hold(held);
      this.#frames = frames;
      this.#ended = ended;
      return;
    }
    const { frames, ended } = opened.header;
    const made = rebuild(base, changes ?? noChanges, frames, (lane, prefix) => {
      const from = origin === base ? lane.program : origin;
      lane.hold(readSnapshot(lane.program, lane.executor, opened, from, prefix).held);
    });
    this.#tuning = made;
    this.#adopt(made);
    this.#frames = frames;
    this.#ended = ended;
  }

  /**
   * A parameter, by its official name, or a control of a layer (a filter's `cutoff`) goes to another value, over `ramp`
   * frames from the next frame on. A control whose coefficients are cheap ramps by itself, frame by frame; everything else
   * is a crossfade of two forks, by equal gains, which starts when one that runs is over. Not at once is right for the
   * ear; `ramp: 0` takes over the state x and changes what it runs on. docs/parameters.md says which is which.
   *
   * Allocates, and for a crossfade compiles; `process` allocates nothing while a ramp runs. `reset` undoes it; a
   * snapshot, a fork and another sample rate keep it.
   *
   * @param value a number, or as many as the parameter has, row-major; a control in its own unit.
   * @throws ParameterError for a name that is unknown, a wrong length, a value that is not finite or out of range;
   *   ArgumentError for a bad ramp; StreamError after the end. The stream is as before then.
   * @example
   * stream.set('cutoff', 800, { ramp: 480 }); // { by: 'ramp', start: 0, end: 480 }
   */
  set(name: string, value: number | ArrayLike<number>, options: SetOptions = {}): SetResult {
    this.#refuseEnded();
    const { values, frames, control } = checkSetting(this.#base, name, value, options);
    const start = this.#frames;
    const tuning = this.#tuning ?? new Tuning(this.#base, this.#lane, noChanges);
    if (control && canRamp(this.#base, control)) {
      const { moves } = tuning.changes;
      const move = moves.get(name);
      const from = move ? valueAfter(move, start) : control.initial;
      const next = new Map(moves).set(name, { control, from, to: values, start, frames });
      tuning.move(next, tuning.plan(next, movingAt(next, start).add(name), start), start);
      this.#tuning = tuning;
      return { by: frames > 0 ? 'ramp' : 'step', start, end: start + frames };
    }
    const all = new Map([[name, values]]);
    if (frames === 0) {
      tuning.step(all, start);
      this.#tuning = tuning;
      this.#adopt(tuning);
      return { by: 'step', start, end: start };
    }
    const fade = tuning.crossfade(all, frames, start);
    this.#tuning = tuning;
    return { by: 'crossfade', start: fade.start, end: fade.start + fade.frames };
  }

  /** The model's controls, and where they stand now. */
  get controls(): readonly ControlState[] {
    return controlStates(this.#base, this.#tuning?.changes ?? noChanges, this.#frames);
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
    const before = this.#base;
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
    if (this.#tuning === undefined) {
      const lane = new Lane(after);
      lane.takeOver(this.#lane, this.#frames, this.#ended);
      this.#lane = lane;
    } else {
      const { changes, main, fading } = this.#tuning;
      const made = rebuild(after, changes, this.#frames, (lane, prefix) =>
        lane.takeOver(prefix === '' ? main : fading!, this.#frames, this.#ended),
      );
      this.#tuning = made;
      this.#adopt(made);
    }
    this.#base = after;
  }

  get #held(): Float64Array[] {
    return this.#lane.inputs.ports.map(({ held }) => held);
  }

  /** The lane that a tuning runs on now. */
  #adopt({ main }: Tuning): void {
    this.#lane = main;
  }

  #refuseEnded(): void {
    if (this.#ended) {
      throw new StreamError(
        `this stream of ${this.#base.graph.name} has ended; reset() it or compile another`,
      );
    }
  }

  #fresh(length: number): FloatArray {
    return this.#base.precision === 'float64' ? new Float64Array(length) : new Float32Array(length);
  }

  /** `frames` frames of the assigned input, or zeros where none is assigned, through the graph. */
  #feed(frames: number, policy: NonFinitePolicy): void {
    const tuning = this.#tuning;
    for (let done = 0; done < frames;) {
      let count = Math.min(this.#base.passFrames, frames - done);
      if (tuning !== undefined) {
        count = tuning.prepare(this.#frames + done, count);
        this.#adopt(tuning);
      }
      const { inputs, outputs, executor } = this.#lane;
      if (policy === 'reset') {
        const clean = inputs.cleanFrames(done, count);
        if (clean === 0) {
          executor.forget();
          tuning?.fading?.executor.forget();
        }
        count = clean === 0 ? 1 : clean;
      }
      inputs.feed(executor, done, count, policy, this.#frames, this.#options.onDiagnostic);
      executor.pass();
      outputs.drain();
      if (tuning?.fading !== undefined) tuning.follow(done, count, policy, this.#frames);
      done += count;
    }
  }
}

/** A tuning over fresh lanes, filled with state. @param prefix of the sections that the lane's state has in a snapshot. */
function rebuild(
  base: Program,
  changes: Changes,
  time: number,
  load: (lane: Lane, prefix: string) => void,
): Tuning {
  const laneOf = (values: Settings | undefined, prefix: string): Lane => {
    const lane = new Lane(base.with(settingsOf(changes, values)));
    load(lane, prefix);
    return lane;
  };
  const main = laneOf(undefined, '');
  const fading = changes.fade && laneOf(changes.fade.values, fadingPrefix);
  fading?.outputs.makeRoom();
  const tuning = new Tuning(base, main, changes, fading);
  const moving = movingAt(changes.moves, time);
  if (moving.size > 0) tuning.begin(tuning.plan(changes.moves, moving, time), time);
  return tuning;
}
