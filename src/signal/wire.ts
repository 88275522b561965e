import { GraphError } from '../errors.ts';
import type { Graph, Node, Source } from './graph.ts';
import { isConstant } from './op.ts';
import { opByName } from './op-registry.ts';
import type { Rate } from './rate.ts';
import type { Shape } from './shape.ts';
import type { Timing } from './timing.ts';

/**
 * The part of a graph that varies in time, as data that can be cloned to another thread: ops by name, attributes as
 * they are. Constants that it reads become parameters with names of their own, `#<id>`: whoever sends it computes them.
 */
export interface PackedGraph {
  readonly name: string;
  readonly nodes: readonly PackedNode[];
  readonly inputs: readonly (readonly [port: string, id: number])[];
  readonly outputs: readonly (readonly [port: string, id: number])[];
}

interface PackedNode {
  readonly id: number;
  readonly path: string;
  readonly shape: Shape;
  readonly rate: Rate | 'constant';
  readonly inputs: readonly number[];
  readonly timing: Timing | undefined;
  readonly source:
    | { readonly kind: 'input'; readonly port: string }
    | { readonly kind: 'parameter' }
    | { readonly kind: 'op'; readonly name: string; readonly attributes: unknown };
}

/** The name under which `packGraph` makes a parameter of a constant. */
export const constantName = (id: number): string => `#${id}`;

/** @throws GraphError naming the op, where one was not made by `defineOp`. */
export function packGraph(graph: Graph): PackedGraph {
  const read = new Set(graph.nodes.flatMap((node) => (isConstant(node) ? [] : [node, ...node.inputs])));
  return {
    name: graph.name,
    nodes: graph.nodes.filter((node) => read.has(node)).map(packNode),
    inputs: [...graph.inputs].map(([port, node]) => [port, node.id]),
    outputs: [...graph.outputs].map(([port, node]) => [port, node.id]),
  };
}

function packNode(node: Node): PackedNode {
  const { id, path, shape, rate, timing } = node;
  const constant = isConstant(node);
  return {
    id,
    path,
    shape,
    rate,
    timing,
    inputs: constant ? [] : node.inputs.map((input) => input.id),
    source: constant ? { kind: 'parameter' } : packSource(node),
  };
}

function packSource({ path, source }: Node): PackedNode['source'] {
  if (source.kind === 'input') return source;
  if (source.kind !== 'op') throw new Error(`${path} varies, but is neither input nor op`);
  const { op, attributes } = source;
  if (opByName(op.name) !== op) {
    throw new GraphError(
      `${path}: the op "${op.name}" is not known by its name, so that its graph can't go to another thread; ` +
        'make it with defineOp, or train with workers: 1',
    );
  }
  return { kind: 'op', name: op.name, attributes: op.plain ? op.plain.pack(attributes) : attributes };
}

/**
 * The graph again; node ids are those of the original.
 *
 * @throws GraphError naming the op, where this thread has not loaded it.
 */
export function unpackGraph(packed: PackedGraph): Graph {
  const nodes = new Map<number, Node>();
  for (const { id, path, shape, rate, inputs, timing, source } of packed.nodes) {
    nodes.set(id, {
      id,
      path,
      shape,
      rate,
      inputs: inputs.map((input) => nodes.get(input)!),
      source: unpackSource(source, id, path),
      ...(timing === undefined ? {} : { timing }),
    });
  }
  const all = [...nodes.values()];
  const port = ([name, id]: readonly [string, number]): readonly [string, Node] => [name, nodes.get(id)!];
  return {
    name: packed.name,
    nodes: all,
    inputs: new Map(packed.inputs.map(port)),
    outputs: new Map(packed.outputs.map(port)),
    parameters: new Map(all.filter(isConstant).map((node) => [constantName(node.id), node])),
    sampleRate: undefined,
    endPadding: () => 0,
  };
}

function unpackSource(source: PackedNode['source'], id: number, path: string): Source {
  if (source.kind === 'input') return source;
  if (source.kind === 'parameter') {
    return { kind: 'parameter', name: constantName(id), initialise: undefined };
  }
  const op = opByName(source.name);
  if (op === undefined)
    throw new GraphError(`${path}: this thread knows no op "${source.name}"; import its module`);
  return { kind: 'op', op, attributes: op.plain ? op.plain.unpack(source.attributes) : source.attributes };
}
