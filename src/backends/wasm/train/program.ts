import { isConstant, sizeOf, type FloatArray, type Graph, type Node } from '../../../signal/index.ts';
import { Bytes } from '../scan.ts';
import { Carry, notCarried, type Carried } from './carry.ts';
import type { BackCall, ForwardCall, TrainKernel } from './kernel.ts';
import { openTrainingMemory, type TrainingBuild, type TrainingMemory } from './module.ts';
import { layOutSequence, type Place, type SequencePlaces } from './sequence-places.ts';
import { planStages, type Stage, type Step } from './stages.ts';

/** A sequence at an input port: frames × channels, and the frames of it that run. */
export interface SequenceInput {
  readonly data: FloatArray;
  readonly frames: number;
  /** Zero frames behind them that count as signal. */
  readonly appended?: number;
}

export interface ProgramOptions {
  readonly deterministic?: boolean | undefined;
  /** Kernels that another thread has compiled. */
  readonly build?: TrainingBuild | undefined;
  /** Whether the gradient of a constant that signals meet is asked for. */
  readonly isTrained: (constant: Node) => boolean;
  /** Whether gradients of the input ports are asked for. */
  readonly inputGradients?: boolean | undefined;
}

/**
 * The part of a graph that varies in time, forward and back over one sequence after the other, in float32 in one
 * memory. Constants are given once a batch in float64; their gradients are summed over the sequences in float64.
 *
 * | symbol | meaning |
 * | --- | --- |
 * | stage | ops that run together, see `stages.ts` |
 * | stretch | frames that pass through a stage at a time |
 */
export class SequenceProgram {
  readonly graph: Graph;
  readonly memory: TrainingMemory;
  readonly stages: readonly Stage[];
  /** Nanoseconds by op's name, forward and back, where somebody measures. */
  clock: Map<string, [forward: number, back: number]> | undefined;

  readonly #constants: readonly Node[];
  readonly #isTrained: (node: Node) => boolean;
  readonly #inputGradients: boolean;
  readonly #kernels = new Map<Node, TrainKernel>();
  /** Constants in float32, and their gradients in float64 (0 where nobody asks). */
  readonly #valueAt = new Map<Node, number>();
  readonly #gradientAt = new Map<Node, number>();
  readonly #base: number;
  readonly #layouts = new Map<string, SequencePlaces>();
  #places: SequencePlaces | undefined;
  #carry: Carry | undefined;

  constructor(
    graph: Graph,
    { deterministic = false, build, isTrained, inputGradients = false }: ProgramOptions,
  ) {
    this.graph = graph;
    this.memory = openTrainingMemory(deterministic, build);
    this.#inputGradients = inputGradients;
    this.#isTrained = (node) => (node.source.kind === 'input' ? inputGradients : isTrained(node));
    this.stages = planStages(graph, this.#isTrained);
    const varying = graph.nodes.filter((node) => !isConstant(node));
    this.#constants = [...new Set(varying.flatMap((node) => node.inputs.filter(isConstant)))];

    // Nothing stands at address 0: there it means that nobody asks.
    const bytes = new Bytes(64);
    const fixed = new Map<Step, number>();
    for (const { steps } of this.stages)
      for (const step of steps) fixed.set(step, bytes.take(step.plan.fixed));
    for (const node of this.#constants) {
      this.#valueAt.set(node, bytes.take(4 * sizeOf(node.shape)));
      this.#gradientAt.set(node, this.#isTrained(node) ? bytes.take(8 * sizeOf(node.shape)) : 0);
    }
    this.#base = Math.ceil(bytes.size / 64) * 64;
    this.memory.need(this.#base);
    for (const [step, at] of fixed) this.#kernels.set(step.node, step.plan.bind(this.memory, at));
  }

  /** Names of the ops that run the reference's code, for want of a kernel. */
  get fallbacks(): string[] {
    const names = this.stages.flatMap(({ steps }) => steps.filter(({ plan }) => !plan.native).map(nameOf));
    return [...new Set(names)].sort();
  }

  /** Constants that signals meet: what `load` wants. */
  get constants(): readonly Node[] {
    return this.#constants;
  }

  /** Begins a batch: new constants by node id, gradients of zero. */
  load(constants: ReadonlyMap<number, Float64Array>): void {
    for (const node of this.#constants) {
      const values = constants.get(node.id)!;
      this.memory.f32.set(values, this.#valueAt.get(node)! / 4);
      const at = this.#gradientAt.get(node)!;
      if (at > 0) this.memory.f64.fill(0, at / 8, at / 8 + values.length);
    }
    for (const [node, kernel] of this.#kernels) {
      kernel.load?.(
        node.inputs.map((input) => constants.get(input.id)),
        node.inputs.map((input) => this.#valueAt.get(input) ?? 0),
      );
    }
  }

  /** Ops whose past can't be carried on from one sequence to the next. */
  get notCarried(): string[] {
    return notCarried(this.stages);
  }

  /** What the sequence that went forward last leaves to the one that goes on where it ended. */
  get left(): Carried {
    return this.#carry!.left;
  }

  /**
   * A sequence forward. The outputs are views that hold until the next call.
   *
   * @param training false: the way back will not be asked for.
   * @param from what the sequence goes on from; a fresh start without it.
   */
  forward(
    inputs: Readonly<Record<string, SequenceInput>>,
    training: boolean,
    from?: Carried,
  ): Record<string, Float32Array> {
    const places = this.#layOut(inputs, training);
    this.#places = places;
    this.#carry = new Carry(this.graph, from);
    this.memory.need(this.#base + places.bytes + 64);
    for (const [port, node] of this.graph.inputs) {
      this.#write(inputs[port]!, places.values.get(node)!, node);
      this.#pass(node, places);
    }
    this.stages.forEach((stage, i) => {
      if (!stage.local) this.#whole(stage.steps[0]!, places);
      else this.#throughStretches(stage, places, places.stretch[i]!);
      for (const { node, stored } of stage.steps) if (stored) this.#pass(node, places);
    });
    return Object.fromEntries(
      [...this.graph.outputs].map(([port, node]) => [
        port,
        this.#view(places.values.get(node)!, places.frames.get(node)!),
      ]),
    );
  }

  /** The way back of the sequence that went forward last; gradients of the outputs by port, as long as these. */
  back(dOutputs: Readonly<Record<string, FloatArray>>): void {
    const places = this.#places!;
    const begun = new Set<Node>();
    for (const [port, node] of this.graph.outputs) {
      const place = places.gradients.get(node);
      if (place === undefined) continue;
      const seed = dOutputs[port]!;
      const to = (this.#base + place.frame0) / 4;
      const { f32 } = this.memory;
      if (begun.has(node)) for (let i = 0; i < seed.length; i++) f32[to + i]! += seed[i]!;
      else {
        this.#clearBut(place, seed.length);
        f32.set(seed, to);
      }
      begun.add(node);
    }
    for (let i = this.stages.length - 1; i >= 0; i--) {
      const stage = this.stages[i]!;
      for (const { node, wanted } of stage.steps) {
        if (!wanted) continue;
        for (const about of [...node.inputs, node]) this.#begin(about, places, begun, stage);
      }
      if (!stage.local) this.#wholeBack(stage.steps[0]!, places);
      else this.#stretchesBack(stage, places, places.stretch[i]!);
    }
  }

  /** Gradients of the input ports of the sequence that went back last, the frames that were given. */
  inputGradient(port: string, frames: number): Float32Array {
    const node = this.graph.inputs.get(port)!;
    const place = this.#inputGradients ? this.#places!.gradients.get(node) : undefined;
    return place ? this.#view(place, frames).slice() : new Float32Array(frames * sizeOf(node.shape));
  }

  /** Ends a batch: the gradients of the constants by node id, summed over its sequences. */
  finish(): Map<number, Float64Array> {
    const gradients = new Map<number, Float64Array>();
    for (const node of this.#constants) {
      const at = this.#gradientAt.get(node)! / 8;
      if (at > 0) gradients.set(node.id, this.memory.f64.slice(at, at + sizeOf(node.shape)));
    }
    for (const [node, kernel] of this.#kernels) {
      kernel.finish?.((input) => gradients.get(node.inputs[input]!.id));
    }
    return gradients;
  }

  #layOut(inputs: Readonly<Record<string, SequenceInput>>, training: boolean): SequencePlaces {
    const counts = new Map(
      [...this.graph.inputs].map(([port, node]) => {
        const { frames, appended = 0 } = inputs[port]!;
        return [node, frames + appended] as const;
      }),
    );
    const key = `${training}:${[...counts.values()].join(',')}`;
    let places = this.#layouts.get(key);
    if (places === undefined) {
      places = layOutSequence(this.graph, this.stages, counts, training, this.#isTrained);
      // Recordings of all lengths must not gather layouts for ever.
      if (this.#layouts.size >= 64) this.#layouts.clear();
      this.#layouts.set(key, places);
    }
    return places;
  }

  #write({ data, frames }: SequenceInput, place: Place, node: Node): void {
    const count = frames * sizeOf(node.shape);
    this.#clearBut(place, count);
    const to = (this.#base + place.frame0) / 4;
    this.memory.f32.set(data.length === count ? data : data.subarray(0, count), to);
  }

  #pass(node: Node, places: SequencePlaces): void {
    this.#carry!.pass(node, places.values.get(node)!, this.#base, this.memory, places);
  }

  #clear({ start, bytes }: Place): void {
    const from = (this.#base + start) / 4;
    this.memory.f32.fill(0, from, from + bytes / 4);
  }

  /** Zeroes what stands around the first `count` numbers. */
  #clearBut({ start, frame0, bytes }: Place, count: number): void {
    const from = this.#base / 4;
    this.memory.f32.fill(0, from + start / 4, from + frame0 / 4);
    this.memory.f32.fill(0, from + frame0 / 4 + count, from + (start + bytes) / 4);
  }

  /** Zeroes the padding of a stored value, which stands where something else stood before. */
  #clearAround(node: Node, place: Place, places: SequencePlaces): void {
    const { f32 } = this.memory;
    const base = this.#base / 4;
    f32.fill(0, base + place.start / 4, base + place.frame0 / 4);
    const written = places.firings.get(node)! * node.timing!.emit * place.width;
    f32.fill(0, base + place.frame0 / 4 + written, base + (place.start + place.bytes) / 4);
  }

  /** Zeroes a gradient of a whole sequence before the first that adds to it. */
  #begin(node: Node, places: SequencePlaces, begun: Set<Node>, stage: Stage): void {
    if (begun.has(node)) return;
    const place = places.gradients.get(node);
    if (place === undefined || stage.steps.some((step) => step.node === node && !step.storedGradient)) return;
    begun.add(node);
    this.#clear(place);
  }

  #view(place: Place, frames: number): Float32Array {
    const from = (this.#base + place.frame0) / 4;
    return this.memory.f32.subarray(from, from + frames * place.width);
  }

  #whole(step: Step, places: SequencePlaces): void {
    const { node } = step;
    const place = places.values.get(node)!;
    const kernel = this.#kernels.get(node)!;
    this.#clearAround(node, place, places);
    this.#carry!.begin(node, kernel);
    this.#forward(step, places, 0, places.firings.get(node)!, false);
    this.#carry!.end(node, kernel);
    this.#dropSurplus(node, place, places);
  }

  #wholeBack(step: Step, places: SequencePlaces): void {
    const { node, wanted } = step;
    if (!wanted) return;
    this.#dropSurplus(node, places.gradients.get(node)!, places);
    this.#back(step, places, 0, places.firings.get(node)!);
  }

  /** Zeroes what the last firings wrote too much: readers see it as the zeros behind the end. */
  #dropSurplus(node: Node, place: Place, places: SequencePlaces): void {
    if ((node.timing!.surplus ?? 0) === 0) return;
    const from = (this.#base + place.frame0) / 4;
    const written = places.firings.get(node)! * node.timing!.emit * place.width;
    this.memory.f32.fill(0, from + places.frames.get(node)! * place.width, from + written);
  }

  #throughStretches(stage: Stage, places: SequencePlaces, size: number): void {
    for (const { node, stored } of stage.steps) {
      if (stored) this.#clearAround(node, places.values.get(node)!, places);
    }
    const frames = Math.max(...stage.steps.map(({ node }) => places.firings.get(node)!));
    for (let first = 0; first < frames; first += size) {
      for (const step of stage.steps) {
        const count = Math.min(size, places.firings.get(step.node)! - first);
        if (count > 0) this.#forward(step, places, first, count, false);
      }
    }
  }

  #stretchesBack(stage: Stage, places: SequencePlaces, size: number): void {
    if (!stage.steps.some(({ wanted }) => wanted)) return;
    const frames = Math.max(...stage.steps.map(({ node }) => places.firings.get(node)!));
    const order = [...stage.steps].reverse();
    for (let first = Math.floor((frames - 1) / size) * size; first >= 0; first -= size) {
      for (const step of stage.again) {
        const count = Math.min(size, places.firings.get(step.node)! - first);
        if (count > 0) this.#forward(step, places, first, count, true);
      }
      for (const { node, wanted, storedGradient } of stage.steps) {
        if (wanted && !storedGradient) this.#clear(places.gradients.get(node)!);
      }
      for (const step of order) {
        const count = Math.min(size, places.firings.get(step.node)! - first);
        if (count > 0 && step.wanted) this.#back(step, places, first, count);
      }
    }
  }

  #forward(step: Step, places: SequencePlaces, first: number, firings: number, again: boolean): void {
    const call = this.#call(step, places, first, firings, again);
    const kernel = this.#kernels.get(step.node)!;
    if (this.clock === undefined) kernel.forward(call);
    else this.#time(step, 0, () => kernel.forward(call));
  }

  #back(step: Step, places: SequencePlaces, first: number, firings: number): void {
    const { node } = step;
    const call: BackCall = {
      ...this.#call(step, places, first, firings, true),
      scratch: this.#base + (places.scratch.get(node)?.[1] ?? 0),
      dOutput: this.#address(places.gradients.get(node)!, step, node, first, true),
      dInputs: node.inputs.map((input) => {
        if (isConstant(input)) return this.#gradientAt.get(input)!;
        const place = places.gradients.get(input);
        return place ? this.#address(place, step, input, first, true) : 0;
      }),
    };
    const kernel = this.#kernels.get(node)!;
    if (this.clock === undefined) kernel.back(call);
    else this.#time(step, 1, () => kernel.back(call));
  }

  #call(step: Step, places: SequencePlaces, first: number, firings: number, again: boolean): ForwardCall {
    const { node } = step;
    const valueOf = (of: Node): number => {
      if (isConstant(of)) return this.#valueAt.get(of)!;
      const place = (again ? places.again.get(of) : undefined) ?? places.values.get(of)!;
      return this.#address(place, step, of, first, false);
    };
    return {
      first,
      firings,
      frames: node.inputs.map((input) => places.frames.get(input) ?? 1),
      inputs: node.inputs.map(valueOf),
      output: valueOf(node),
      scratch: this.#base + (places.scratch.get(node)?.[0] ?? 0),
      kept: this.#base + (places.kept.get(node) ?? 0),
    };
  }

  /** Where a local op's stretch begins: `first` frames into what is stored, or at the start of what is not. */
  #address(place: Place, step: Step, of: Node, first: number, gradient: boolean): number {
    const at = this.#base + place.frame0;
    if (!step.plan.local) return at;
    const own = this.#stepOf(of);
    const whole = own === undefined || (gradient ? own.storedGradient : own.stored);
    return whole ? at + 4 * first * place.width : at;
  }

  readonly #steps = new Map<Node, Step>();
  #stepOf(node: Node): Step | undefined {
    if (this.#steps.size === 0) {
      for (const { steps } of this.stages) for (const step of steps) this.#steps.set(step.node, step);
    }
    return this.#steps.get(node);
  }

  #time(step: Step, way: 0 | 1, run: () => void): void {
    const start = process.hrtime.bigint();
    run();
    const name = nameOf(step);
    const entry = this.clock!.get(name) ?? [0, 0];
    entry[way] += Number(process.hrtime.bigint() - start);
    this.clock!.set(name, entry);
  }
}

const nameOf = ({ node: { source } }: Step): string => (source.kind === 'op' ? source.op.name : source.kind);
