import { ArgumentError, ParameterError } from '../errors.ts';
import { formatShape, isConstant, sizeOf, type Environment, type Graph, type Node } from '../signal/index.ts';

/** Parameter values by official name; row-major. */
export type Parameters = ReadonlyMap<string, ArrayLike<number>> | Readonly<Record<string, ArrayLike<number>>>;

const asMap = (parameters: Parameters): ReadonlyMap<string, ArrayLike<number>> =>
  parameters instanceof Map
    ? (parameters as ReadonlyMap<string, ArrayLike<number>>)
    : new Map(Object.entries(parameters as Record<string, ArrayLike<number>>));

/** Checks names, sizes and finiteness of all parameters against the graph. */
export function checkParameters(graph: Graph, parameters: Parameters): Map<string, Float64Array> {
  const given = asMap(parameters);
  const checked = new Map<string, Float64Array>();
  for (const [name, node] of graph.parameters) {
    const values = given.get(name);
    if (values === undefined) {
      throw new ParameterError(
        `${graph.name} needs parameter "${name}" ${formatShape(node.shape)}, which is missing; ` +
          `given are ${[...given.keys()].slice(0, 8).join(', ') || 'none'}`,
      );
    }
    if (values.length !== sizeOf(node.shape)) {
      throw new ParameterError(
        `parameter "${name}" of ${graph.name} has ${values.length} values, but its shape ${formatShape(node.shape)} ` +
          `holds ${sizeOf(node.shape)}; check the model's configuration against the checkpoint's`,
      );
    }
    const data = Float64Array.from(values);
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new ParameterError(
        `parameter "${name}" of ${graph.name} is ${data[bad]} at index ${bad}; weights must be finite`,
      );
    }
    checked.set(name, data);
  }
  for (const name of given.keys()) {
    if (!graph.parameters.has(name)) {
      throw new ParameterError(
        `${graph.name} has no parameter "${name}"; it knows ${[...graph.parameters.keys()].slice(0, 8).join(', ') || 'none'}`,
      );
    }
  }
  return checked;
}

/** The environment of a model at a sample rate (Hz); either may be unknown. */
export function environmentAt(
  graph: Graph,
  sampleRate: number | undefined,
  controls?: ReadonlyMap<string, Float64Array>,
): Environment {
  if (sampleRate !== undefined && !(Number.isFinite(sampleRate) && sampleRate > 0)) {
    throw new ArgumentError(`sampleRate is ${sampleRate}; give a positive number of hertz`);
  }
  const running = sampleRate ?? graph.sampleRate;
  return {
    period: running === undefined ? Number.NaN : 1 / running,
    timeScale: running === undefined || graph.sampleRate === undefined ? 1 : graph.sampleRate / running,
    ...(controls === undefined ? {} : { controls }),
  };
}

/** What `prepare` made for each op node, by node id. */
export type PreparedNodes = ReadonlyMap<number, unknown>;

/** All that of a graph does not depend on time, in float64, by node id. */
export function evaluateConstants(
  graph: Graph,
  parameters: ReadonlyMap<string, Float64Array>,
  environment: Environment,
): Map<number, Float64Array> {
  const values = new Map<number, Float64Array>();
  for (const node of graph.nodes) {
    if (isConstant(node)) values.set(node.id, evaluateConstant(node, values, parameters, environment));
  }
  return values;
}

/** One of them, once its inputs are known. */
export function evaluateConstant(
  node: Node,
  values: ReadonlyMap<number, Float64Array>,
  parameters: ReadonlyMap<string, Float64Array>,
  environment: Environment,
): Float64Array {
  const { source, inputs, shape } = node;
  switch (source.kind) {
    case 'parameter':
      return parameters.get(source.name)!;
    case 'literal':
      return source.values;
    case 'environment':
      return source.value(environment);
    case 'input':
      throw new Error(`${node.path} is an input and no constant`);
    case 'op': {
      const constants = inputs.map((input) => values.get(input.id)!);
      const output = new Float64Array(sizeOf(shape));
      const { op, attributes } = source;
      const prepared = op.prepare?.({ attributes, types: inputs, constants, precision: 'float64' });
      const frames = constants.map((data) => ({ data, at: 0 }));
      op.step({
        attributes,
        types: inputs,
        inputs: frames,
        output: { data: output, at: 0 },
        state: {},
        prepared,
        firing: 0,
      });
      return output;
    }
  }
}
