import { GraphError } from '../errors.ts';
import type { Control, ControlSpec } from './control.ts';
import { isConstant, type AnyOp, type Op, type SignalType } from './op.ts';
import { formatRate, sameRate, scaleRate, unitRate, type Rate } from './rate.ts';
import { formatShape, sizeOf, type Shape } from './shape.ts';
import type { TimedNode, Timing } from './timing.ts';

/** A fresh value for every element of a parameter; `random` is seeded by the caller. */
export type Initialiser<Random> = (shape: Shape, random: Random) => ArrayLike<number>;

/** Values that a graph takes from the way it is run rather than from parameters. */
export interface Environment {
  /** Seconds a frame lasts at the input: 1 / sampleRate. NaN where no rate was given. */
  readonly period: number;
  /** The step relative to the one the model was made for: trained rate / running rate. */
  readonly timeScale: number;
  /** Controls that stand elsewhere than they did at first, by name. */
  readonly controls?: ReadonlyMap<string, Float64Array>;
}

/** How an environment node learns how long a frame lasts, if it does. */
export type Clock = 'period' | 'timeScale' | 'none';

export type Source =
  | { readonly kind: 'input'; readonly port: string }
  | { readonly kind: 'parameter'; readonly name: string; readonly initialise: Initialiser<never> | undefined }
  | { readonly kind: 'literal'; readonly values: Float64Array }
  | {
      readonly kind: 'environment';
      /** Which of the environment's clocks it follows. */
      readonly clock: Clock;
      /** The controls that it follows; absent: none. */
      readonly controls?: readonly Control[];
      readonly value: (environment: Environment) => Float64Array;
    }
  | { readonly kind: 'op'; readonly op: AnyOp; readonly attributes: unknown };

/** One vertex of the graph: where a signal comes from. */
export interface Node extends SignalType {
  readonly id: number;
  /** Where in the model it stands, such as `layers.0.scan`; for messages and state sections. */
  readonly path: string;
  readonly source: Source;
  readonly inputs: readonly Node[];
  /** Of an op node that varies in time. */
  readonly timing?: Timing;
}

/** A traced model: everything about it that does not depend on parameter values. */
export interface Graph {
  readonly name: string;
  /** All nodes, inputs before their readers. */
  readonly nodes: readonly Node[];
  readonly inputs: ReadonlyMap<string, Node>;
  readonly outputs: ReadonlyMap<string, Node>;
  readonly parameters: ReadonlyMap<string, Node>;
  /** Hz that the parameters were made for; undefined where they know no rate. */
  readonly sampleRate: number | undefined;
  /** Zero frames that are appended as signal when the input ends after `frames` frames. */
  readonly endPadding: (frames: number) => number;
}

/** A value at every frame (or a constant) while a model is being traced. Made by ops, consumed by ops. */
export class Signal {
  /** @internal */
  readonly trace: Trace;
  /** @internal */
  readonly node: Node;

  /** @internal */
  constructor(trace: Trace, node: Node) {
    this.trace = trace;
    this.node = node;
  }

  get shape(): Shape {
    return this.node.shape;
  }

  /** Numbers in a frame. */
  get width(): number {
    return sizeOf(this.node.shape);
  }

  get rate(): Rate | 'constant' {
    return this.node.rate;
  }
}

interface Book {
  readonly nodes: Node[];
  readonly inputs: Map<string, Node>;
  readonly parameters: Map<string, Node>;
  readonly controls: Map<string, Control>;
  readonly uses: Map<string, number>;
}

/** How the time step reaches the ops that follow it. */
export type TimeSource = 'constant' | 'port';

/**
 * Writes down what a layer does: each op applied adds a node. Scopes share one book and prefix the names,
 * so that a layer inside another keeps the official parameter names behind a prefix.
 */
export class Trace {
  readonly #book: Book;
  readonly #prefix: string;
  readonly #time: TimeSource;

  constructor(
    time: TimeSource = 'constant',
    book: Book = {
      nodes: [],
      inputs: new Map(),
      parameters: new Map(),
      controls: new Map(),
      uses: new Map(),
    },
    prefix = '',
  ) {
    this.#book = book;
    this.#prefix = prefix;
    this.#time = time;
  }

  /** The same trace with names prefixed: `scope('layers.0')` makes `layers.0.D` of `D`. */
  scope(name: string): Trace {
    return new Trace(this.#time, this.#book, `${this.#prefix}${name}.`);
  }

  /** A named input of the model; asking for the same port again gives the same signal. */
  input(port: string, shape: Shape): Signal {
    const known = this.#book.inputs.get(port);
    if (known !== undefined) {
      if (sizeOf(known.shape) !== sizeOf(shape)) {
        throw new GraphError(
          `input port "${port}" is asked for with shape ${formatShape(shape)}, but it has ${formatShape(known.shape)}; ` +
            'give the second use another port name',
        );
      }
      return new Signal(this, known);
    }
    const node = this.#add({ kind: 'input', port }, shape, unitRate, [], `input.${port}`);
    this.#book.inputs.set(port, node);
    return new Signal(this, node);
  }

  /**
   * A parameter, by the official checkpoint's name and shape. Each name is declared once:
   * a layer that shares a parameter passes the signal on.
   */
  parameter<Random>(name: string, shape: Shape, initialise?: Initialiser<Random>): Signal {
    const full = this.#prefix + name;
    if (this.#book.parameters.has(full)) {
      throw new GraphError(
        `parameter "${full}" is declared twice; put one of the layers into a scope of its own`,
      );
    }
    const node = this.#add({ kind: 'parameter', name: full, initialise }, shape, 'constant', [], full);
    this.#book.parameters.set(full, node);
    return new Signal(this, node);
  }

  /** Fixed numbers: `literal(2)`, `literal([1, 2, 3])`, or with a shape of their own. */
  literal(values: number | ArrayLike<number>, shape?: Shape): Signal {
    const data = typeof values === 'number' ? Float64Array.of(values) : Float64Array.from(values);
    const extents = shape ?? (typeof values === 'number' ? [] : [data.length]);
    if (sizeOf(extents) !== data.length) {
      throw new GraphError(
        `a literal of shape ${formatShape(extents)} needs ${sizeOf(extents)} values, got ${data.length}`,
      );
    }
    return new Signal(this, this.#add({ kind: 'literal', values: data }, extents, 'constant', [], 'literal'));
  }

  /**
   * The time step relative to the one the model was trained at: 1 at the trained rate, 2 at half of it.
   * A layer in continuous time multiplies its `dt` by this. Constant, or one number a frame from the
   * port `dt` where the model is compiled for irregular time.
   */
  timeScale(): Signal {
    if (this.#time === 'port') return this.input('dt', [1]);
    return this.#environment('timeScale', 'timeScale', [1], ({ timeScale }) => Float64Array.of(timeScale));
  }

  /** Numbers computed from the sample period in seconds, for layers designed in hertz. No gradient. */
  fromPeriod(shape: Shape, compute: (period: number) => Float64Array, path: string): Signal {
    this.#refuseIrregular(path);
    return this.#environment('period', path, shape, ({ period }) => compute(period));
  }

  #refuseIrregular(path: string): void {
    if (this.#time !== 'port') return;
    throw new GraphError(
      `${this.#prefix}${path} is designed for one sample rate and can't take a time step for every frame; ` +
        'run it at a fixed sampleRate, or use a layer in continuous time',
    );
  }

  /**
   * A named number that may be moved while a stream runs (`Stream.set`). It is no weight: checkpoints do not hold it.
   *
   * Where its name is taken, it gets a number behind it, `cutoff#2`: scopes keep names apart.
   *
   * @example
   * const cutoff = trace.control('cutoff', { value: 800, min: 20, unit: 'Hz', scale: 'logarithmic' });
   */
  control(name: string, spec: ControlSpec): Control {
    let full = this.#prefix + name;
    for (let use = 2; this.#book.controls.has(full) || this.#book.parameters.has(full); use++)
      full = `${this.#prefix}${name}#${use}`;
    const control = { ...spec, name: full, initial: Float64Array.from([spec.value].flat()) };
    this.#book.controls.set(full, control);
    return control;
  }

  /**
   * Numbers computed from controls, by `follows: 'period'` also from the sample period in seconds (else NaN). No gradient.
   *
   * @param compute given the controls' values in their order; must not keep them.
   */
  fromControls(
    shape: Shape,
    controls: readonly Control[],
    compute: (values: readonly Float64Array[], period: number) => Float64Array,
    path: string,
    follows: 'period' | 'none' = 'none',
  ): Signal {
    if (follows === 'period') this.#refuseIrregular(path);
    return this.#environment(
      follows,
      path,
      shape,
      ({ period, controls: moved }) =>
        compute(
          controls.map(({ name, initial }) => moved?.get(name) ?? initial),
          period,
        ),
      controls,
    );
  }

  #environment(
    clock: Clock,
    path: string,
    shape: Shape,
    value: (environment: Environment) => Float64Array,
    controls: readonly Control[] = [],
  ): Signal {
    const source = {
      kind: 'environment',
      clock,
      value,
      ...(controls.length > 0 ? { controls } : {}),
    } as const;
    return new Signal(this, this.#add(source, shape, 'constant', [], path));
  }

  /** One op on signals of this trace. */
  apply<Attributes, Prepared>(
    op: Op<Attributes, Prepared>,
    attributes: Attributes,
    inputs: readonly Signal[],
    label: string = op.name,
  ): Signal {
    const path = this.#unique(this.#prefix + label);
    const nodes = inputs.map((input) => input.node);
    const described = nodes.map((node) => `${node.path} ${formatShape(node.shape)}`).join(', ');
    const reject = (message: string): never => {
      throw new GraphError(`${path} (${op.name} of ${described || 'nothing'}): ${message}`);
    };
    if (inputs.some((input) => input.trace.#book !== this.#book)) {
      reject('an input belongs to another trace; build all of a model inside one trace');
    }
    const shape = op.shape(attributes, nodes, reject);
    const timing = op.timing?.(attributes, nodes);
    const varying = nodes.filter((node) => !isConstant(node));
    if (varying.length === 0) {
      if (op.state !== undefined || timing !== undefined || op.whole === true) {
        reject('it looks back in time, but all its inputs are constant; give it a signal');
      }
      return new Signal(this, this.#add({ kind: 'op', op, attributes }, shape, 'constant', nodes, path));
    }
    const rate = varying[0]!.rate as Rate;
    for (const node of varying) {
      if (!sameRate(node.rate as Rate, rate)) {
        reject(
          `its inputs run at different rates (${varying.map((n) => `${n.path} at ${formatRate(n.rate as Rate)}`).join(', ')}); ` +
            'bring them to one rate first, with framesToChannels, channelsToFrames or a strided convolution',
        );
      }
    }
    const resolved = timing ?? {
      windows: nodes.map(() => ({ size: 1, left: 0, right: 0 })),
      stride: 1,
      emit: 1,
    };
    const outputRate =
      resolved.atEnd === true
        ? { numerator: 0, denominator: 1 }
        : scaleRate(rate, resolved.emit, resolved.stride);
    return new Signal(
      this,
      this.#add({ kind: 'op', op, attributes }, shape, outputRate, nodes, path, resolved),
    );
  }

  /** Closes the trace. Nodes that no output needs are dropped; an input port stays a port. */
  finish(
    name: string,
    outputs: Readonly<Record<string, Signal>>,
    options: { sampleRate?: number | undefined; endPadding?: ((frames: number) => number) | undefined } = {},
  ): Graph {
    const needed = new Set<Node>(this.#book.inputs.values());
    const visit = (node: Node): void => {
      if (needed.has(node)) return;
      needed.add(node);
      node.inputs.forEach(visit);
    };
    for (const [port, signal] of Object.entries(outputs)) {
      if (isConstant(signal.node)) {
        throw new GraphError(`output "${port}" of ${name} is constant: it depends on no input port`);
      }
      visit(signal.node);
    }
    const unused = [...this.#book.parameters].filter(([, node]) => !needed.has(node)).map(([key]) => key);
    if (unused.length > 0) {
      throw new GraphError(
        `${name} declares parameters that reach no output: ${unused.join(', ')}; remove them or use them`,
      );
    }
    return {
      name,
      nodes: this.#book.nodes.filter((node) => needed.has(node)),
      inputs: this.#book.inputs,
      outputs: new Map(Object.entries(outputs).map(([port, signal]) => [port, signal.node])),
      parameters: this.#book.parameters,
      sampleRate: options.sampleRate,
      endPadding: options.endPadding ?? (() => 0),
    };
  }

  #unique(path: string): string {
    const uses = (this.#book.uses.get(path) ?? 0) + 1;
    this.#book.uses.set(path, uses);
    return uses === 1 ? path : `${path}#${uses}`;
  }

  #add(
    source: Source,
    shape: Shape,
    rate: Rate | 'constant',
    inputs: readonly Node[],
    path: string,
    timing?: Timing,
  ): Node {
    const node: Node = {
      id: this.#book.nodes.length,
      path,
      source,
      shape,
      rate,
      inputs,
      ...(timing === undefined ? {} : { timing }),
    };
    this.#book.nodes.push(node);
    return node;
  }
}

/** The controls of a graph that reach an output, by name. */
export function controlsOf(graph: Graph): Map<string, Control> {
  const found = new Map<string, Control>();
  for (const { source } of graph.nodes) {
    if (source.kind !== 'environment') continue;
    for (const control of source.controls ?? []) found.set(control.name, control);
  }
  return found;
}

/** The varying nodes of a graph as the schedule wants them. */
export function timedNodes(graph: Graph): TimedNode[] {
  return graph.nodes
    .filter((node) => !isConstant(node))
    .map((node) => ({
      id: node.id,
      rate: node.rate as Rate,
      inputs: node.inputs.map((input) => (isConstant(input) ? -1 : input.id)),
      ...(node.timing === undefined ? {} : { timing: node.timing }),
    }));
}
