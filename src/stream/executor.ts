import type { Arena, Walk } from '../backends/backend.ts';
import { firingsOf, isConstant, oldestFor, type FloatArray } from '../signal/index.ts';
import type { Program, Step } from './program.ts';
import { Running } from './running.ts';

/** Frames beyond those it keeps that a buffer takes before these go back to its start: short blocks stay in the cache. */
const SOFT_FRAMES = 16;

const NONE: readonly never[] = [];

/** How far a node is. */
export interface Position {
  readonly produced: number;
  readonly fired: number;
  /** The oldest frame that is kept, and the bytes of it and all behind it. */
  readonly oldest: number;
  readonly frames: Uint8Array;
}

/**
 * Runs a program over one arena: moves frames in, fires every op as often as its inputs allow, and keeps
 * of each signal just the frames that a reader will look at again. An arena that walks does so by itself
 * (`Arena.walk`); the walk here is the same, frame for frame, for those that do not.
 */
export class Executor {
  readonly program: Program;
  readonly arena: Arena;
  readonly nodes: readonly Running[];
  readonly #byId = new Map<number, Running>();
  readonly #walk: Walk | undefined;
  readonly #outputs: readonly Running[];
  /** What `#settle` was last told. */
  #settled: boolean | undefined;

  /**
   * @param origin one of the same program that holds coefficients and state already.
   * @param arena its arena, where it is the memory that has become larger; else this one gets a copy of its own.
   */
  constructor(program: Program, origin?: Executor, arena = program.backend.open(program.bytes)) {
    this.program = program;
    this.arena = arena;
    if (origin && arena !== origin.arena) copyBytes(origin, arena);
    this.nodes = program.steps.map((step) => this.#open(step));
    for (const node of this.nodes) {
      const { run } = node.step;
      if (run === undefined) continue;
      const { inputs, output, state } = node;
      const bound = { stateAt: run.stateAt, inputs, output, state };
      if (!origin) run.plan.pack?.(this.arena, run.extra, bound);
      node.kernel = run.plan.bind(this.arena, run.extra, bound);
    }
    this.#outputs = [...program.graph.outputs.values()].map(({ id }) => this.at(id));
    this.#walk = this.#describe();
    if (origin) this.#settle(this.nodes.some(({ ended }) => ended));
    else this.reset();
  }

  /** The running node behind a graph node. */
  at(id: number): Running {
    return this.#byId.get(id)!;
  }

  // Called so rarely that engines interpret it, and then each step of `for … of` is an object: a word spotter that
  // starts anew at every word would leave tens of kilobytes a word in an audio thread.

  /** As a fresh stream, without garbage. */
  reset(): void {
    for (let i = 0; i < this.nodes.length; i++) {
      const node = this.nodes[i]!;
      node.base = 0 - node.step.left;
      node.produced = 0;
      node.fired = 0;
      node.ended = false;
      node.drained = Infinity;
    }
    // A port's frames wait for the caller.
    for (let i = 0; i < this.#outputs.length; i++) this.#outputs[i]!.drained = 0;
    if (this.#settled !== false) this.#settle(false);
    this.forget();
  }

  /** All memory as at the start, but the frame numbers go on. */
  forget(): void {
    for (let i = 0; i < this.nodes.length; i++) {
      const node = this.nodes[i]!;
      const sections = node.step.run?.state ?? NONE;
      node.data.fill(0);
      for (let j = 0; j < sections.length; j++) {
        const { name, section } = sections[j]!;
        node.state[name]!.fill(section.initial ?? 0);
      }
      node.kernel?.load?.();
    }
  }

  /** Ready for another stream that has not ended, once its counts and state are in place: see `Slots`. */
  wake(): void {
    this.#settle(false);
    for (const node of this.nodes) node.ended = false;
    for (const node of this.#outputs) node.drained = node.produced;
    for (const node of this.nodes) node.base = node.isTransient ? node.produced : this.oldestNeeded(node);
  }

  /** Puts every node where a snapshot says, with the frames that it keeps. */
  place(positions: readonly Position[], ended: boolean): void {
    this.#settle(ended);
    positions.forEach(({ produced, fired, oldest, frames }, i) => {
      const node = this.nodes[i]!;
      node.base = oldest;
      node.produced = produced;
      node.fired = fired;
      node.ended = ended;
      if (node.drained !== Infinity) node.drained = produced;
      node.data.fill(0);
      new Uint8Array(node.data.buffer, node.data.byteOffset).set(frames);
    });
  }

  /** Where the next `frames` frames of an input node are to be written; then call `pass`. */
  reserve(node: Running, frames: number): number {
    this.#makeRoom(node, frames + node.step.right);
    const at = (node.produced - node.base) * node.step.width;
    node.produced += frames;
    return at;
  }

  /** Fires every op as often as it can. Returns whether any fired. */
  pass(): boolean {
    if (this.#walk !== undefined) return this.#walk.pass();
    let fired = false;
    for (const node of this.nodes) if (node.kernel && this.#fire(node)) fired = true;
    return fired;
  }

  /**
   * `reserve`, `pass` and the output taken, in one: the frames stand at the start of `input`'s buffer, those that come
   * stand at the start of `output`'s, as many. Refuses frames with a number that is not finite, and has changed nothing
   * then. Undefined where the plan has a node for which that does not hold. Not once the input has ended.
   */
  straight(input: Running, output: Running): ((frames: number) => boolean) | undefined {
    if (this.program.precision === 'float64') return undefined;
    return this.#walk?.straight(input.step.index, output.step.index);
  }

  /** No more input: the zeros behind each signal's last frame become visible, and `pass` goes on with them. */
  finish(): void {
    this.#settle(true);
    for (const node of this.nodes) if (!node.kernel) this.#end(node);
  }

  /** The oldest frame of `node` that a reader will look at again. */
  oldestNeeded(node: Running): number {
    let oldest = Math.min(node.produced, node.drained);
    for (const reader of node.readers) {
      const timing = reader.node.step.node.timing!;
      oldest = Math.min(oldest, oldestFor(timing, reader.input, reader.node.fired, node.produced));
    }
    return oldest;
  }

  #view({ at, length, type }: Step['buffer']): FloatArray {
    return type === 'float64'
      ? new Float64Array(this.arena.buffer, at, length)
      : new Float32Array(this.arena.buffer, at, length);
  }

  #open(step: Step): Running {
    const data = this.#view(step.buffer);
    const sources = step.node.inputs.map((input) => this.#byId.get(input.id));
    const node = new Running(step, this.arena.buffer, {
      data,
      sources,
      inputs: step.node.inputs.map((input, i) => ({
        data: isConstant(input) ? this.program.constants.get(input.id)! : sources[i]!.data,
        at: 0,
      })),
      output: { data, at: 0 },
      state: Object.fromEntries((step.run?.state ?? []).map(({ name, place }) => [name, this.#view(place)])),
    });
    sources.forEach((source, input) => source?.readers.push({ node, input }));
    this.#byId.set(step.node.id, node);
    return node;
  }

  #describe(): Walk | undefined {
    const { walkAt } = this.program;
    return this.arena.walk?.(
      walkAt,
      this.nodes.map(({ step, sources, kernel }) => ({
        timing: step.node.timing,
        sources: sources.flatMap((source, input) =>
          source ? [{ node: source.step.index, input, window: step.node.timing!.windows[input]! }] : [],
        ),
        call: kernel?.call,
        buffer: step.buffer.at,
        frame: step.width * (step.buffer.type === 'float64' ? 8 : 4),
        capacity: step.capacity,
        right: step.right,
        soft: softLimit(step),
        transient: step.transient,
        counts: step.counts,
        marks: step.marks,
      })),
      (index, firings) => this.#run(this.nodes[index]!, firings),
    );
  }

  /** Once the input has ended, frames of any node may have to wait for the next pass. */
  #settle(ended: boolean): void {
    this.#settled = ended;
    for (const node of this.nodes) {
      const { step } = node;
      if (!step.transient || node.isTransient === !ended) continue;
      node.isTransient = !ended;
      node.base = node.produced;
      node.data = this.#view(ended ? step.ending : step.buffer);
      node.output.data = node.data;
      for (const reader of node.readers) reader.node.inputs[reader.input]!.data = node.data;
    }
    this.#walk?.settle(this.program.steps.map(({ buffer, ending }) => (ended ? ending : buffer).at));
  }

  #fire(node: Running): boolean {
    const timing = node.step.node.timing!;
    let total = Infinity;
    let sourcesEnded = true;
    for (let i = 0; i < node.sources.length; i++) {
      const source = node.sources[i];
      if (source === undefined) continue;
      total = Math.min(total, firingsOf(timing, i, source.produced, source.ended));
      if (!source.ended) sourcesEnded = false;
    }
    let firings = total - node.fired;
    if (firings > 0) {
      // Buffers hold what a pass can bring; the flush at the end may bring more, which the next pass takes.
      this.#makeRoom(node, firings * timing.emit + node.step.right);
      const room = node.step.capacity - node.step.right - (node.produced - node.base);
      firings = Math.min(firings, Math.floor(room / timing.emit));
      this.#run(node, firings);
      node.fired += firings;
      node.produced += firings * timing.emit;
      if (sourcesEnded) node.produced = Math.min(node.produced, total * timing.emit - (timing.surplus ?? 0));
    }
    if (sourcesEnded && !node.ended && node.fired >= total) this.#end(node);
    return firings > 0;
  }

  #run(node: Running, firings: number): void {
    const timing = node.step.node.timing!;
    for (let i = 0; i < node.sources.length; i++) {
      const source = node.sources[i];
      const first = source ? oldestFor(timing, i, node.fired, source.produced) : 0;
      node.inputs[i]!.at = source ? (first - source.base) * source.step.width : 0;
    }
    node.output.at = (node.produced - node.base) * node.step.width;
    node.kernel!.run(firings, node.fired);
  }

  #end(node: Running): void {
    if (node.ended) return;
    this.#makeRoom(node, node.step.right);
    const at = (node.produced - node.base) * node.step.width;
    node.data.fill(0, at, at + node.step.right * node.step.width);
    node.ended = true;
  }

  /** Moves the frames that are still needed to the buffer's start when `frames` more would not fit, or it is time. */
  #makeRoom(node: Running, frames: number): void {
    if (node.isTransient) node.base = node.produced;
    const { width, capacity } = node.step;
    const held = node.produced - node.base;
    if (held <= softLimit(node.step) && held + frames <= capacity) return;
    const oldest = this.oldestNeeded(node);
    node.data.copyWithin(0, (oldest - node.base) * width, held * width);
    node.base = oldest;
  }
}

const softLimit = ({ retention }: Step): number => 2 * retention + SOFT_FRAMES;

/** What a stream of the same program holds, coefficients included. */
function copyBytes(origin: Executor, arena: Arena): void {
  const { program, nodes } = origin;
  // What only the end uses is empty before.
  const used = nodes.some(({ ended }) => ended) ? program.bytes : program.endingAt;
  new Uint8Array(arena.buffer).set(new Uint8Array(origin.arena.buffer, 0, used));
}
