import type { Arena, Kernel } from '../backends/backend.ts';
import { firingsOf, isConstant, oldestFor, type FloatArray, type Frame } from '../signal/index.ts';
import type { Program, Step } from './program.ts';

/** A node of a running stream: its buffer and how far it is. */
export interface Running {
  readonly step: Step;
  readonly data: FloatArray;
  /** Where the node reads from, in the order of its inputs; undefined for a constant. */
  readonly sources: readonly (Running | undefined)[];
  readonly inputs: readonly Frame[];
  readonly output: Frame;
  readonly kernel: Kernel | undefined;
  readonly state: Readonly<Record<string, FloatArray>>;
  /** Number of the frame that stands at the buffer's start; negative while the zeros before frame 0 do. */
  base: number;
  /** Frames emitted since the stream began. */
  produced: number;
  fired: number;
  /** Nothing more will come: the zeros behind the last frame are in place. */
  ended: boolean;
  /** Frames taken by whoever reads an output port; Infinity where the node is none. */
  drained: number;
  /** Who reads this node, and as which of its inputs. */
  readonly readers: { readonly node: Running; readonly input: number }[];
}

/**
 * Runs a program over one arena: moves frames in, fires every op as often as its inputs allow, and keeps
 * of each signal just the frames that a reader will look at again.
 */
export class Executor {
  readonly program: Program;
  readonly arena: Arena;
  readonly nodes: readonly Running[];
  readonly #byId = new Map<number, Running>();

  constructor(program: Program) {
    this.program = program;
    this.arena = program.backend.open(program.bytes);
    const view = ({ at, length, type }: Step['buffer']): FloatArray =>
      type === 'float64'
        ? new Float64Array(this.arena.buffer, at, length)
        : new Float32Array(this.arena.buffer, at, length);
    this.nodes = program.steps.map((step) => {
      const data = view(step.buffer);
      const state = Object.fromEntries((step.run?.state ?? []).map(({ name, place }) => [name, view(place)]));
      const sources = step.node.inputs.map((input) => this.#byId.get(input.id));
      const inputs = step.node.inputs.map((input, i) => ({
        data: isConstant(input) ? program.constants.get(input.id)! : sources[i]!.data,
        at: 0,
      }));
      const output = { data, at: 0 };
      const bound = { stateAt: step.run?.stateAt ?? 0, inputs, output, state };
      step.run?.plan.pack?.(this.arena, step.run.extra, bound);
      const kernel = step.run?.plan.bind(this.arena, step.run.extra, bound);
      const running: Running = {
        step,
        data,
        sources,
        inputs,
        output,
        kernel,
        state,
        base: 0,
        produced: 0,
        fired: 0,
        ended: false,
        drained: Infinity,
        readers: [],
      };
      sources.forEach((source, i) => {
        source?.readers.push({ node: running, input: i });
      });
      this.#byId.set(step.node.id, running);
      return running;
    });
    this.reset();
  }

  /** The running node behind a graph node. */
  at(id: number): Running {
    return this.#byId.get(id)!;
  }

  /** As a fresh stream. */
  reset(): void {
    for (const node of this.nodes) {
      node.base = -node.step.left;
      node.produced = 0;
      node.fired = 0;
      node.ended = false;
      if (node.drained !== Infinity) node.drained = 0;
    }
    this.forget();
  }

  /** All memory as at the start, but the frame numbers go on. */
  forget(): void {
    for (const node of this.nodes) {
      node.data.fill(0);
      for (const { name, section } of node.step.run?.state ?? [])
        node.state[name]!.fill(section.initial ?? 0);
      node.kernel?.load?.();
    }
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
    let fired = false;
    for (const node of this.nodes) if (node.kernel && this.#fire(node)) fired = true;
    return fired;
  }

  /** No more input: the zeros behind each signal's last frame become visible, and `pass` goes on with them. */
  finish(): void {
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
      const room = node.step.capacity - node.step.right - (node.produced - node.base);
      if (firings * timing.emit > room) {
        this.#makeRoom(node, Infinity);
        const made = node.step.capacity - node.step.right - (node.produced - node.base);
        firings = Math.min(firings, Math.floor(made / timing.emit));
      }
      for (let i = 0; i < node.sources.length; i++) {
        const source = node.sources[i];
        const first = source ? oldestFor(timing, i, node.fired, source.produced) : 0;
        node.inputs[i]!.at = source ? (first - source.base) * source.step.width : 0;
      }
      node.output.at = (node.produced - node.base) * node.step.width;
      node.kernel!.run(firings, node.fired);
      node.fired += firings;
      node.produced += firings * timing.emit;
      if (sourcesEnded) node.produced = Math.min(node.produced, total * timing.emit - (timing.surplus ?? 0));
    }
    if (sourcesEnded && !node.ended && node.fired >= total) this.#end(node);
    return firings > 0;
  }

  #end(node: Running): void {
    if (node.ended) return;
    this.#makeRoom(node, node.step.right);
    const at = (node.produced - node.base) * node.step.width;
    node.data.fill(0, at, at + node.step.right * node.step.width);
    node.ended = true;
  }

  /** Moves the frames that are still needed to the buffer's start when `frames` more would not fit. */
  #makeRoom(node: Running, frames: number): void {
    const { width, capacity } = node.step;
    if (node.produced - node.base + frames <= capacity) return;
    const oldest = this.oldestNeeded(node);
    node.data.copyWithin(0, (oldest - node.base) * width, (node.produced - node.base) * width);
    node.base = oldest;
  }
}
