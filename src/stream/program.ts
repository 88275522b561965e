import { planReference } from '../backends/reference/index.ts';
import type { KernelPlan, StreamBackend } from '../backends/backend.ts';
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
import { checkParameters, environmentAt, evaluateConstants, type Parameters } from './constants.ts';
import { Hash } from './checksum.ts';
import { refuseFrameCounters } from './clock.ts';

/** Input frames that one pass over the graph takes at most: buffers are sized for this. */
const PASS_FRAMES = 256;

/** A run of bytes in the arena. */
interface Place {
  readonly at: number;
  readonly length: number;
  readonly type: 'float32' | 'float64';
}

/** One varying node, with everything a stream needs to run it. */
export interface Step {
  readonly node: Node;
  readonly width: number;
  /** Frames of its output that may have to be kept, and that fit into its buffer. */
  readonly capacity: number;
  /** Zero frames that its readers see before its first frame, and behind its last. */
  readonly left: number;
  readonly right: number;
  readonly buffer: Place;
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
}

export interface ProgramOptions {
  readonly backend: StreamBackend;
  readonly precision: Precision;
  readonly sampleRate: number | undefined;
  readonly irregular: boolean;
  /** The rate is another one than the stream began with: every op with memory has to follow it. */
  readonly following?: boolean;
}

export function buildProgram(graph: Graph, parameters: Parameters, options: ProgramOptions): Program {
  const { backend, precision } = options;
  refuseWhole(graph);
  const environment = environmentAt(graph, options.sampleRate);
  const { irregular, following = false } = options;
  if (irregular || following || environment.timeScale !== 1) refuseFrameCounters(graph, options);
  const schedule = new Schedule(timedNodes(graph));
  const checked = checkParameters(graph, parameters);
  const values = evaluateConstants(graph, checked, environment);
  const emitted = schedule.maxEmitted(PASS_FRAMES);

  let bytes = 0;
  const place = (length: number, type: Place['type']): Place => {
    const at = bytes;
    bytes = Math.ceil((at + length * (type === 'float64' ? 8 : 4)) / 16) * 16;
    return { at, length, type };
  };
  const signalType = precision === 'float64' ? 'float64' : 'float32';

  const steps: Step[] = [];
  for (const node of graph.nodes) {
    if (isConstant(node)) continue;
    const width = sizeOf(node.shape);
    const readers = readersOf(graph, node);
    const left = Math.max(0, ...readers.map((window) => window.left));
    const right = Math.max(0, ...readers.map((window) => window.right));
    // Twice what must be kept, so that moving the kept frames to the front costs one copy a frame at most.
    const capacity = 2 * schedule.retention[node.id]! + emitted[node.id]! + right + 1;
    const buffer = place(capacity * width, signalType);
    const { source } = node;
    if (source.kind !== 'op') {
      steps.push({ node, width, capacity, left, right, buffer });
      continue;
    }
    const { op, attributes } = source;
    const constants = node.inputs.map((input) => values.get(input.id));
    const prepared = op.prepare?.({ attributes, types: node.inputs, constants, precision });
    const request = { op, attributes, types: node.inputs, prepared, constants, precision };
    const plan = backend.plan(request) ?? planReference(request);
    const state = Object.entries(op.state?.(attributes, node.inputs) ?? {}).map(([name, section]) => ({
      name,
      section,
      place: place(sizeOf(section.shape), section.type === 'float64' ? 'float64' : signalType),
    }));
    const extra = bytes;
    bytes = Math.ceil((extra + plan.bytes) / 16) * 16;
    const stateAt = bytes;
    bytes = Math.ceil((stateAt + (plan.stateBytes ?? 0)) / 16) * 16;
    steps.push({ node, width, capacity, left, right, buffer, run: { op, plan, extra, stateAt, state } });
  }

  const Numbers = precision === 'float64' ? Float64Array : Float32Array;
  return {
    graph,
    backend,
    precision,
    sampleRate: options.sampleRate ?? graph.sampleRate,
    irregular,
    schedule,
    steps,
    constants: new Map([...values].map(([id, data]) => [id, Numbers.from(data)])),
    bytes,
    passFrames: PASS_FRAMES,
    hash: hashOf(graph, values, precision),
    latency: Math.max(0, ...[...graph.outputs.values()].map((node) => schedule.latency(node.id))),
    at: (sampleRate) => buildProgram(graph, checked, { ...options, sampleRate, following: true }),
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
