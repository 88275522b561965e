import { Stream } from '../stream/stream.ts';
import { buildProgram } from '../stream/program.ts';
import { compile, type Parameters } from '../stream/index.ts';
import { traceModel, type FloatArray, type Graph, type Node, type Precision } from '../signal/index.ts';
import type { Run, Settings, Subject } from './case.ts';
import { framesOf } from './layout.ts';

/** The precision of a run: its own, what was asked for, or what the official code ran in. */
export const precisionOf = ({ golden, settings }: Subject, run: Run): Precision =>
  run.precision ?? settings.precision ?? (golden.inFloat64 ? 'float64' : 'auto');

/** The official input of each port, for each item of the batch. */
export function inputsOf({ golden }: Subject, run: Run): Record<string, Float64Array>[] {
  const ports = Object.entries(run.inputs).map(([port, name]) => {
    const { shape, values } = golden.tensor(name);
    return [port, framesOf(shape, values, golden.layoutOf(name)).items] as const;
  });
  return ports[0][1].map((_, item) => Object.fromEntries(ports.map(([port, items]) => [port, items[item]])));
}

/** A fresh stream of a run that ends at one output port. */
export function openStream(subject: Subject, run: Run, port: string): Stream {
  const { backend } = subject.settings;
  const { sampleRate, irregular = false } = run;
  const precision = precisionOf(subject, run);
  const graph = traceModel(run.model, irregular ? 'port' : 'constant');
  if (graph.outputs.size > 1) {
    const node = graph.outputs.get(port)!;
    return streamTo(graph, node, run.parameters, { backend, precision, sampleRate, irregular });
  }
  const causal = subject.golden.causal === 'true' ? { maxLatency: 0 } : {};
  return compile(run.model, run.parameters, { backend, precision, sampleRate, irregular, ...causal });
}

interface StreamToOptions {
  readonly backend: Settings['backend'];
  readonly precision: Precision;
  readonly sampleRate?: number | undefined;
  readonly irregular?: boolean | undefined;
}

/**
 * A stream of the part of a graph that ends at one of its inner signals: what a probe there would see, with the
 * same ops and the same state as in the whole.
 */
export function streamTo(graph: Graph, end: Node, parameters: Parameters, options: StreamToOptions): Stream {
  const needed = new Set<Node>(graph.inputs.values());
  const visit = (node: Node): void => {
    if (needed.has(node)) return;
    needed.add(node);
    node.inputs.forEach(visit);
  };
  visit(end);
  const cut: Graph = {
    ...graph,
    nodes: graph.nodes.filter((node) => needed.has(node)),
    parameters: new Map([...graph.parameters].filter(([, node]) => needed.has(node))),
    outputs: new Map([[end.path, end]]),
  };
  const all = new Map(
    parameters instanceof Map
      ? (parameters as ReadonlyMap<string, ArrayLike<number>>)
      : Object.entries(parameters),
  );
  const some = new Map([...all].filter(([name]) => cut.parameters.has(name)));
  const { backend, precision, sampleRate, irregular = false } = options;
  return new Stream(buildProgram(cut, some, { backend, precision, sampleRate, irregular }), {});
}

/** Frames `from` to `to` of every port. */
export function cutFrames(
  inputs: Readonly<Record<string, Float64Array>>,
  frames: number,
  from: number,
  to: number,
): Record<string, Float64Array> {
  return Object.fromEntries(
    Object.entries(inputs).map(([port, data]) => {
      const width = data.length / frames;
      return [port, data.subarray(from * width, to * width)];
    }),
  );
}

/** Arrays one behind the other, in float64. */
export function join(parts: readonly FloatArray[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
