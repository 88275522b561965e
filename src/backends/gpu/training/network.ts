/** A graph as kernels: the way from inputs and weights to outputs, and the way back from outputs to weights. */
import { BackendError } from '../../../errors.ts';
import {
  firingsOf,
  isConstant,
  sizeOf,
  type Environment,
  type Graph,
  type Node,
} from '../../../signal/index.ts';
import { GradientBook } from './book.ts';
import type { Clock, ForwardCall, OpKernels } from './kernels.ts';
import { kernelsOf } from './ops/index.ts';
import type { Plan } from './plan.ts';
import type { Tensor } from './tensor.ts';

/** Where each parameter stands among all weights. */
export interface WeightLayout {
  readonly offsets: ReadonlyMap<string, number>;
  readonly size: number;
}

export function layOutWeights(graph: Graph): WeightLayout {
  const offsets = new Map<string, number>();
  let size = 0;
  for (const [name, { shape }] of graph.parameters) {
    offsets.set(name, size);
    size += sizeOf(shape);
  }
  return { offsets, size };
}

export interface NetworkOptions {
  readonly graph: Graph;
  readonly environment: Environment;
  readonly items: number;
  /** Frames of the batch's longest item, before the model's end rule. */
  readonly frames: number;
  readonly weights: WeightLayout;
  /** Frames of a port that has its own, at least as many as are read: they limit nothing. */
  readonly ownFrames?: (port: string) => number | undefined;
}

/** How many frames an item has at each row of `lengths`, from those that it has at the input. */
type Row = (frames: number, earlier: readonly number[]) => number;

interface Recorded {
  /** The inputs as they are known to the book of gradients; `call` may have arrays made of them. */
  readonly known: readonly Tensor[];
  readonly call: ForwardCall;
  readonly kernels: OpKernels;
  readonly output: Tensor;
  readonly saved: ReadonlyMap<string, Tensor>;
}

export class Network {
  readonly plan: Plan;
  readonly items: number;
  readonly lengths: Tensor;
  readonly #options: NetworkOptions;
  readonly #tensors = new Map<Node, Tensor>();
  readonly #clocks = new Map<Node, Clock>();
  readonly #recorded = new Map<Node, Recorded>();
  readonly #rows: Row[] = [];

  /** Writes the way forward down. */
  constructor(plan: Plan, weights: Tensor, options: NetworkOptions) {
    this.plan = plan;
    this.items = options.items;
    this.#options = options;
    const { graph } = options;
    const clocks = countClocks(options, this.#rows);
    for (const [node, clock] of clocks) this.#clocks.set(node, clock);
    this.lengths = plan.argument('lengths', [Math.max(1, this.#rows.length) * options.items]);
    for (const node of graph.nodes) this.#tensors.set(node, this.#forward(node, weights));
  }

  tensor(node: Node): Tensor {
    return this.#tensors.get(node)!;
  }

  clock(node: Node): Clock {
    return this.#clocks.get(node)!;
  }

  /** The contents of the argument `lengths`. */
  lengthsOf(frames: readonly number[]): Float32Array {
    const found = new Float32Array(Math.max(1, this.#rows.length) * this.items);
    for (let item = 0; item < this.items; item++) {
      const counts: number[] = [];
      for (const row of this.#rows) counts.push(row(frames[item] ?? 0, counts));
      counts.forEach((count, row) => (found[row * this.items + item] = count));
    }
    return found;
  }

  /**
   * Writes the way back down: the gradient of every parameter that has one, by name.
   *
   * @param ports is given the gradients of the inputs too, where they are asked for.
   */
  backward(
    seeds: ReadonlyMap<Node, Tensor>,
    trained: (parameter: string) => boolean,
    ports?: Map<string, Tensor>,
  ): Map<string, Tensor> {
    const { graph } = this.#options;
    const wanted = this.#wantedFor(trained, ports !== undefined);
    const book = new GradientBook(this.plan);
    for (const [node, seed] of seeds) book.give(this.tensor(node), seed, node.path);
    for (const node of graph.nodes.toReversed()) {
      const recorded = this.#recorded.get(node);
      const output = this.tensor(node);
      if (!recorded || !wanted.has(output)) continue;
      // A reshape's output is its input under another name: whoever made the numbers reads their gradient.
      if (recorded.known.includes(output)) continue;
      const label = `${node.path} ᵀ`;
      const dOutput = book.read(output, label);
      if (!dOutput) continue;
      const { call, kernels, saved, known } = recorded;
      kernels.adjoint({
        ...(call as ForwardCall<never, never>),
        label,
        output,
        dOutput: kernels.lazy ? dOutput : this.plan.array(dOutput),
        saved,
        wanted: (i) => wanted.has(known[i]!),
        give: (i, gradient, start) => {
          if (wanted.has(known[i]!)) book.give(known[i]!, gradient, label, start);
        },
      });
    }
    const gradients = new Map<string, Tensor>();
    for (const [name, node] of graph.parameters) {
      if (!trained(name)) continue;
      const gradient = book.read(this.tensor(node), name);
      if (gradient) gradients.set(name, gradient);
    }
    for (const [port, node] of ports ? graph.inputs : []) {
      const gradient = book.read(this.tensor(node), port);
      if (gradient) ports!.set(port, gradient);
    }
    return gradients;
  }

  /** Everything that depends on a parameter that is trained, or on an input. */
  #wantedFor(trained: (parameter: string) => boolean, inputs: boolean): ReadonlySet<Tensor> {
    const wanted = new Set<Tensor>();
    for (const node of this.#options.graph.nodes) {
      const { source } = node;
      const own =
        (source.kind === 'parameter' && trained(source.name)) || (inputs && source.kind === 'input');
      if (own || node.inputs.some((input) => wanted.has(this.tensor(input)))) wanted.add(this.tensor(node));
    }
    return wanted;
  }

  #forward(node: Node, weights: Tensor): Tensor {
    const { plan, items } = this;
    const { source, shape, path } = node;
    const size = sizeOf(shape);
    if (source.kind === 'literal') return plan.literal(source.values);
    if (source.kind === 'environment') return plan.literal(source.value(this.#options.environment));
    if (source.kind === 'input') {
      return plan.argument(`input.${source.port}`, [size, this.clock(node).frames, items]);
    }
    if (source.kind === 'parameter') {
      return plan.run({
        label: path,
        dims: [size],
        inputs: { weights },
        scalars: { offset: this.#options.weights.offsets.get(source.name)! },
        body: 'return weights[this.thread.x + offset];',
      });
    }
    const { op, attributes } = source;
    const kernels = kernelsOf(node);
    const clock = this.#clocks.get(node);
    const known = node.inputs.map((input) => this.tensor(input));
    const call: ForwardCall = {
      plan,
      label: path,
      op,
      attributes,
      types: node.inputs,
      prepared: preparedWithoutValues(node),
      inputs: kernels.lazy ? known : known.map((tensor) => plan.array(tensor)),
      dims: clock ? [size, clock.frames, items] : [size],
      clocks: node.inputs.map((input) => this.#clocks.get(input)),
      clock,
      items,
      lengths: this.lengths,
    };
    const saved = new Map<string, Tensor>();
    const output = kernels.forward(call as ForwardCall<never, never>, (name, tensor) =>
      saved.set(name, tensor),
    );
    this.#recorded.set(node, { call, known, kernels, output, saved });
    return output;
  }
}

/** Indices of gathers and broadcasts; `prepare` of other ops asks for the values of constants, which stay on the device. */
function preparedWithoutValues(node: Node): unknown {
  if (node.source.kind !== 'op') return undefined;
  const { op, attributes } = node.source;
  if (!INDEXED.has(op.name)) return undefined;
  return op.prepare?.({
    attributes,
    types: node.inputs,
    constants: node.inputs.map(() => undefined),
    precision: 'float64',
  });
}

const INDEXED = new Set(['add', 'sub', 'mul', 'div', 'slice', 'concat', 'reshape', 'expand', 'permute']);

/** How many frames each signal has, for the longest item and, by rows, for every other. */
function countClocks({ graph, frames, ownFrames }: NetworkOptions, rows: Row[]): Map<Node, Clock> {
  const clocks = new Map<Node, Clock>();
  const added = (count: number, row: Row): Clock => ({ frames: count, row: rows.push(row) - 1 });
  const padded = (count: number): number => count + graph.endPadding(count);
  let input: Clock | undefined;
  for (const node of graph.nodes) {
    if (isConstant(node)) continue;
    if (node.source.kind === 'input') {
      const own = ownFrames?.(node.source.port);
      if (own !== undefined) {
        clocks.set(
          node,
          added(own, () => own),
        );
      } else {
        input ??= added(padded(frames), padded);
        clocks.set(node, input);
      }
      continue;
    }
    const timing = node.timing!;
    const limits = (one: Node): boolean =>
      !isConstant(one) && !(one.source.kind === 'input' && ownFrames?.(one.source.port) !== undefined);
    const varying = node.inputs.flatMap((one, i) => (limits(one) ? [{ i, clock: clocks.get(one)! }] : []));
    const plain =
      timing.stride === 1 &&
      timing.emit === 1 &&
      timing.atEnd !== true &&
      !timing.surplus &&
      varying.every(({ i }) => {
        const { size, left, right } = timing.windows[i]!;
        return left + right === size - 1;
      });
    const known = varying.map(({ clock }) => clock);
    if (plain && known.every((clock) => clock === known[0])) {
      clocks.set(node, known[0]!);
      continue;
    }
    const count = (of: (clock: Clock) => number): number => {
      const firings = Math.min(...varying.map(({ i, clock }) => firingsOf(timing, i, of(clock), true)));
      return Math.max(0, firings * timing.emit - (timing.surplus ?? 0));
    };
    const most = count((clock) => clock.frames);
    if (most === 0) {
      throw new BackendError(
        `${node.path} gives no frame for a batch of ${frames} frames; give longer sequences`,
      );
    }
    clocks.set(
      node,
      added(most, (_, earlier) => count((clock) => earlier[clock.row]!)),
    );
  }
  return clocks;
}
