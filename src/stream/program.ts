import { planReference } from '../backends/reference/index.ts';
import type { KernelPlan, KernelRequest, StreamBackend } from '../backends/backend.ts';
import { GraphError } from '../errors.ts';
import {
  Schedule,
  formatRate,
  isConstant,
  sizeOf,
  timedNodes,
  type AnyOp,
  type FloatArray,
  type Graph,
  type Node,
  type Precision,
  type Rate,
  type StateSection,
} from '../signal/index.ts';
import {
  checkParameters,
  environmentAt,
  evaluateConstant,
  evaluateConstants,
  type Parameters,
} from './constants.ts';
import { Hash } from './checksum.ts';
import { refuseFrameCounters } from './clock.ts';
import { shareMemory } from './memory.ts';

/** Input frames that one pass over the graph takes at most: buffers are sized for this. */
const PASS_FRAMES = 256;

/** Bytes of a node's two counts, and of its three marks; see `Running`. */
const COUNT_BYTES = 16;
const MARK_BYTES = 24;

/** A run of numbers in the arena. */
interface Place {
  readonly at: number;
  readonly length: number;
  readonly type: 'float32' | 'float64';
}

/** One varying node, with everything a stream needs to run it. */
export interface Step {
  readonly node: Node;
  /** Its number among the steps. */
  readonly index: number;
  readonly width: number;
  /** Frames of its output that may have to be kept from pass to pass. */
  readonly retention: number;
  /** Frames that fit into its buffer. */
  readonly capacity: number;
  /** Zero frames that its readers see before its first frame, and behind its last. */
  readonly left: number;
  readonly right: number;
  /** Nothing of it is kept from pass to pass while the stream goes on. */
  readonly transient: boolean;
  /** Where its frames stand; of a transient one, in memory that others use at other times. */
  readonly buffer: Place;
  /**
   * Where they stand once the input has ended: then passes go on for as long as anything comes, and frames may
   * have to wait for a pass. That of a transient one is its own.
   */
  readonly ending: Place;
  /** Bytes where its counts are (frames produced, firings) and its marks (`Running`), float64. */
  readonly counts: number;
  readonly marks: number;
  /** Of an op node. */
  readonly run?: {
    readonly op: AnyOp;
    readonly plan: KernelPlan;
    /** Where the kernel's own bytes begin, and those in which it remembers. */
    readonly extra: number;
    readonly stateAt: number;
    readonly state: readonly {
      readonly name: string;
      readonly section: StateSection;
      readonly place: Place;
    }[];
  };
}

/** Bytes of an arena. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** A model compiled for a backend and a rate: read-only, shared by all streams that run it. */
export interface Program {
  readonly graph: Graph;
  readonly backend: StreamBackend;
  readonly precision: Precision;
  readonly sampleRate: number | undefined;
  /** Whether a `dt` comes with every frame. */
  readonly irregular: boolean;
  readonly schedule: Schedule;
  readonly steps: readonly Step[];
  /** Values of constants as kernels read them, by node id. */
  readonly constants: ReadonlyMap<number, FloatArray>;
  readonly bytes: number;
  /** What a stream remembers beside the frames of signals that are kept: counts and state. */
  readonly memory: Range;
  /** From here on there is nothing before the input has ended. */
  readonly endingAt: number;
  /** Where the description of the walk stands. */
  readonly walkAt: number;
  readonly passFrames: number;
  /** Tells this model, these weights and this rate apart from others. */
  readonly hash: string;
  readonly latency: number;
  /**
   * The same model at another rate, its coefficients computed anew.
   *
   * @throws GraphError where an op with memory does not know how long a frame lasts.
   */
  at(sampleRate: number): Program;
  /** The same model with some parameters and controls at other values. It keeps the hash: a snapshot says what was set. */
  with(values: Settings): Program;
  /** Adds the values of constants in float64, inputs first, to `values`, with controls that stand elsewhere. */
  evaluate(nodes: readonly Node[], values: Map<number, Float64Array>, controls: Settings): void;
}

/** Values of parameters and controls, by name. */
export type Settings = ReadonlyMap<string, Float64Array>;

export interface ProgramOptions {
  readonly backend: StreamBackend;
  readonly precision: Precision;
  readonly sampleRate: number | undefined;
  readonly irregular: boolean;
  /** The rate is another one than the stream began with: every op with memory has to follow it. */
  readonly following?: boolean;
  /** Controls that have been moved. */
  readonly controls?: Settings;
}

export function buildProgram(graph: Graph, parameters: Parameters, options: ProgramOptions): Program {
  const { backend, precision } = options;
  refuseWhole(graph);
  const environment = environmentAt(graph, options.sampleRate, options.controls);
  const { irregular, following = false } = options;
  if (irregular || following || environment.timeScale !== 1) refuseFrameCounters(graph, options);
  const schedule = new Schedule(timedNodes(graph));
  const checked = checkParameters(graph, parameters);
  const values = evaluateConstants(graph, checked, environment);
  const emitted = schedule.maxEmitted(PASS_FRAMES);

  const signalType = precision === 'float64' ? 'float64' : 'float32';
  const numberBytes = (type: Place['type']): number => (type === 'float64' ? 8 : 4);
  let bytes = 0;
  const take = (size: number): number => {
    const at = bytes;
    bytes = wholeVectors(at + size);
    return at;
  };
  const place = (length: number, type: Place['type']): Place => ({
    at: take(length * numberBytes(type)),
    length,
    type,
  });

  // What each node wants.
  const nodes = graph.nodes.filter((node) => !isConstant(node));
  const outputs = new Set(graph.outputs.values());
  const drafts = nodes.map((node, index) => {
    const readers = readersOf(graph, node);
    const retention = schedule.retention[node.id]!;
    const left = Math.max(0, ...readers.map((window) => window.left));
    const right = Math.max(0, ...readers.map((window) => window.right));
    return {
      node,
      index,
      width: sizeOf(node.shape),
      retention,
      left,
      right,
      // Twice what must be kept, so that moving the kept frames to the front costs one copy a frame at most.
      capacity: 2 * retention + emitted[node.id]! + right + 1,
      transient: retention === 0 && left === 0 && right === 0,
      ...planOf(node, backend, values, precision),
    };
  });

  // Constants first, then what a stream remembers, then its signals, then what only its end uses.
  const inputCount = drafts.reduce((sum, { node }) => sum + node.inputs.length, 0);
  const walkAt = take(backend.walkBytes?.(drafts.length, inputCount) ?? 0);
  const extras = drafts.map(({ plan }) => take(plan?.bytes ?? 0));
  const marks = take(drafts.length * MARK_BYTES);
  const memoryFrom = bytes;
  const counts = take(drafts.length * COUNT_BYTES);
  const remembered = drafts.map(({ plan, sections }) => {
    const own = plan?.stateBytes ?? 0;
    return { stateAt: take(own), sections: own > 0 ? [] : sections.map((section) => section.place(place)) };
  });
  const memory: Range = { from: memoryFrom, to: bytes };
  // Sections that stand in for a kernel's own layout in a snapshot.
  const states = drafts.map(({ plan, sections }, i) =>
    (plan?.stateBytes ?? 0) > 0 ? sections.map((section) => section.place(place)) : remembered[i]!.sections,
  );
  const kept = drafts.map(({ capacity, width, transient }) =>
    transient ? undefined : place(capacity * width, signalType),
  );
  const transients = drafts.filter(({ transient }) => transient);
  const shared = shareMemory(
    transients.map(({ node, index, capacity, width, plan }) => ({
      bytes: wholeVectors(capacity * width * numberBytes(signalType)),
      from: node.source.kind === 'op' ? index : -1,
      to: outputs.has(node)
        ? Infinity
        : Math.max(
            index,
            nodes.findLastIndex((reader) => reader.inputs.includes(node)),
          ),
      inPlaceOf: (plan?.inPlace ?? []).flatMap((input) => {
        const found = transients.findIndex((other) => other.node === node.inputs[input]);
        return found >= 0 && node.timing?.emit === 1 && node.timing.stride === 1 ? [found] : [];
      }),
    })),
  );
  const sharedAt = take(shared.bytes);
  const endingAt = bytes;

  const steps = drafts.map(
    ({ plan, sections: _sections, prepared: _prepared, request: _request, op, ...draft }, i): Step => {
      const own = kept[i] ?? place(draft.capacity * draft.width, signalType);
      const buffer = draft.transient
        ? { ...own, at: sharedAt + shared.at[transients.indexOf(drafts[i]!)]! }
        : own;
      return {
        ...draft,
        buffer,
        ending: own,
        counts: counts + i * COUNT_BYTES,
        marks: marks + i * MARK_BYTES,
        ...(plan && op
          ? { run: { op, plan, extra: extras[i]!, stateAt: remembered[i]!.stateAt, state: states[i]! } }
          : {}),
      };
    },
  );

  const Numbers = precision === 'float64' ? Float64Array : Float32Array;
  const program: Program = {
    graph,
    backend,
    precision,
    sampleRate: options.sampleRate ?? graph.sampleRate,
    irregular,
    schedule,
    steps,
    constants: new Map([...values].map(([id, data]) => [id, Numbers.from(data)])),
    bytes,
    memory,
    endingAt,
    walkAt,
    passFrames: PASS_FRAMES,
    hash: hashOf(graph, values, precision),
    latency: Math.max(0, ...[...graph.outputs.values()].map((node) => schedule.latency(node.id))),
    at: (sampleRate) => buildProgram(graph, checked, { ...options, sampleRate, following: true }),
    with: (set) => ({
      ...buildProgram(graph, new Map([...checked].map(([name, data]) => [name, set.get(name) ?? data])), {
        ...options,
        controls: set,
      }),
      hash: program.hash,
    }),
    evaluate(nodes, known, controls) {
      const moved = options.controls ? new Map([...options.controls, ...controls]) : controls;
      const there = { ...environment, controls: moved };
      for (const node of nodes) known.set(node.id, evaluateConstant(node, known, checked, there));
    },
  };
  return program;
}

/** Kernels read and write whole vectors. */
const wholeVectors = (bytes: number): number => Math.ceil(bytes / 16) * 16;

/** The kernel of an op node, and what it remembers. */
export function planOf(
  { source, inputs }: Node,
  backend: StreamBackend,
  values: ReadonlyMap<number, Float64Array>,
  precision: Precision,
): {
  readonly op?: AnyOp;
  readonly plan?: KernelPlan;
  readonly prepared?: unknown;
  readonly request?: KernelRequest;
  readonly sections: readonly SectionDraft[];
} {
  if (source.kind !== 'op') return { sections: [] };
  const { op, attributes } = source;
  const constants = inputs.map((input) => values.get(input.id));
  const prepared = op.prepare?.({ attributes, types: inputs, constants, precision });
  const request = { op, attributes, types: inputs, prepared, constants, precision };
  const signalType = precision === 'float64' ? 'float64' : 'float32';
  return {
    op,
    prepared,
    request,
    plan: backend.plan(request) ?? planReference(request),
    sections: Object.entries(op.state?.(attributes, inputs) ?? {}).map(([name, section]) => ({
      place: (place) => ({
        name,
        section,
        place: place(sizeOf(section.shape), section.type === 'float64' ? 'float64' : signalType),
      }),
    })),
  };
}

/** A state section that is yet to be given a place. */
interface SectionDraft {
  place(place: (length: number, type: Place['type']) => Place): {
    readonly name: string;
    readonly section: StateSection;
    readonly place: Place;
  };
}

const readersOf = (graph: Graph, node: Node): { left: number; right: number }[] =>
  graph.nodes.flatMap((reader) =>
    reader.inputs.flatMap((input, i) => (input === node && reader.timing ? [reader.timing.windows[i]!] : [])),
  );

function refuseWhole(graph: Graph): void {
  for (const node of graph.nodes) {
    if (node.source.kind === 'op' && node.source.op.whole === true) {
      throw new GraphError(
        `${graph.name} can't stream: ${node.path} (${node.source.op.name}) needs its whole input before its first output; ` +
          'run it offline with evaluate(), or build the model without it (bidirectional: false)',
      );
    }
  }
}

function hashOf(graph: Graph, values: ReadonlyMap<number, Float64Array>, precision: Precision): string {
  const hash = new Hash().text(graph.name).text(precision);
  for (const node of graph.nodes) {
    const rate = node.rate === 'constant' ? 'constant' : formatRate(node.rate as Rate);
    hash.text(`${node.path} ${node.shape.join('x')} ${rate} ${node.inputs.map((input) => input.id).join()}`);
    if (node.source.kind === 'op')
      hash.text(`${node.source.op.name} ${JSON.stringify(node.source.attributes)}`);
    else if (isConstant(node)) hash.numbers(values.get(node.id)!);
  }
  return hash.digest();
}
