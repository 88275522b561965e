import { StreamError } from '../errors.ts';
import { stepSequence } from '../backends/reference/sequence.ts';
import { environmentAt, checkParameters, evaluateConstants, type Parameters } from '../stream/constants.ts';
import {
  firingsOf,
  isConstant,
  sizeOf,
  traceModel,
  type FloatArray,
  type Graph,
  type Model,
  type Node,
  type Sequence,
  type SequenceCall,
} from '../signal/index.ts';

/** Sequences for each input port: frames × channels, time-major. */
export type Sequences = Readonly<Record<string, FloatArray>>;

export interface EvaluateOptions {
  /** Hz; by default the rate that the model was made for. */
  readonly sampleRate?: number | undefined;
  /** One `dt` a frame at the port `dt`. */
  readonly irregular?: boolean | undefined;
  /** `long` lets ops use their faster form for whole sequences; `step` (default) runs the definition. */
  readonly form?: 'step' | 'long' | undefined;
}

/** Everything that was computed on the way from inputs to outputs: what the way back needs. */
export interface Tape {
  readonly graph: Graph;
  readonly sequences: ReadonlyMap<Node, Sequence>;
  readonly frames: ReadonlyMap<Node, number>;
  readonly calls: ReadonlyMap<Node, SequenceCall<unknown>>;
}

/** Runs a model over whole sequences in float64, keeping every signal. */
export function record(
  model: Model,
  parameters: Parameters,
  inputs: Sequences,
  options: EvaluateOptions = {},
): Tape {
  const graph = traceModel(model, options.irregular === true ? 'port' : 'constant');
  return recordGraph(graph, parameters, inputs, options);
}

/** The same of a graph, such as one that a transform has made. */
export function recordGraph(
  graph: Graph,
  parameters: Parameters,
  inputs: Sequences,
  options: Omit<EvaluateOptions, 'irregular'> = {},
): Tape {
  const constants = evaluateConstants(
    graph,
    checkParameters(graph, parameters),
    environmentAt(graph, options.sampleRate),
  );
  const sequences = new Map<Node, Sequence>();
  const frames = new Map<Node, number>();
  const calls = new Map<Node, SequenceCall<unknown>>();

  for (const node of graph.nodes) {
    const width = sizeOf(node.shape);
    const constant = constants.get(node.id);
    if (constant !== undefined) sequences.set(node, { data: constant, origin: 0, width });
    const { source } = node;
    if (source.kind === 'input') {
      const given = inputs[source.port];
      if (given === undefined || given.length % width !== 0) {
        throw new StreamError(
          `input "${source.port}" of ${graph.name} ${given === undefined ? 'is missing' : `has ${given.length} values`}; ` +
            `give frames × ${width} numbers`,
        );
      }
      const count = given.length / width;
      const padded = count + graph.endPadding(count);
      const sequence = allocate(graph, node, padded);
      sequence.data.set(given, sequence.origin);
      sequences.set(node, sequence);
      frames.set(node, padded);
    } else if (source.kind === 'op') {
      const { op, attributes } = source;
      const firings = isConstant(node) ? 1 : countFirings(node, frames);
      const output = isConstant(node)
        ? sequences.get(node)!
        : allocate(graph, node, firings * node.timing!.emit);
      const call: SequenceCall<unknown> = {
        attributes,
        types: node.inputs,
        inputs: node.inputs.map((input) => sequences.get(input)!),
        output,
        prepared: op.prepare?.({
          attributes,
          types: node.inputs,
          constants: node.inputs.map((input) => constants.get(input.id)),
          precision: 'float64',
        }),
        firings,
        frames: node.inputs.map((input) => frames.get(input) ?? 1),
      };
      calls.set(node, call);
      if (isConstant(node)) continue;
      if (options.form !== 'long' || op.long?.(call) !== true) stepSequence({ op }, call);
      sequences.set(node, output);
      frames.set(node, emitted(node, firings));
      dropSurplus(node, firings, output);
    }
  }
  return { graph, sequences, frames, calls };
}

/** Firings over the whole sequence, its end included. */
function countFirings(node: Node, frames: ReadonlyMap<Node, number>): number {
  return Math.min(
    ...node.inputs.map((input, i) =>
      isConstant(input) ? Infinity : firingsOf(node.timing!, i, frames.get(input)!, true),
    ),
  );
}

/** Frames that count of what the firings wrote. */
const emitted = (node: Node, firings: number): number =>
  Math.max(0, firings * node.timing!.emit - (node.timing!.surplus ?? 0));

/** Zeroes what the last firings wrote too much: readers see it as the zeros behind the end. */
export function dropSurplus(node: Node, firings: number, { data, origin, width }: Sequence): void {
  data.fill(0, origin + emitted(node, firings) * width, origin + firings * node.timing!.emit * width);
}

/** Room for a signal with the zeros that its readers see before and behind it. */
function allocate(graph: Graph, node: Node, count: number): Sequence {
  let [left, right] = [0, 0];
  for (const reader of graph.nodes) {
    reader.inputs.forEach((input, i) => {
      if (input !== node || !reader.timing) return;
      left = Math.max(left, reader.timing.windows[i]!.left);
      right = Math.max(right, reader.timing.windows[i]!.right);
    });
  }
  const width = sizeOf(node.shape);
  return { data: new Float64Array((left + count + right) * width), origin: left * width, width };
}

/** The frames of a sequence without its padding. */
export const framesOf = ({ data, origin, width }: Sequence, count: number): Float64Array =>
  data.slice(origin, origin + count * width);
