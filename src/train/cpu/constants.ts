import {
  isConstant,
  sizeOf,
  type Environment,
  type Graph,
  type Node,
  type Sequence,
} from '../../signal/index.ts';
import { evaluateConstants } from '../../stream/constants.ts';

/** The constants of a graph by node id, in float64. */
export type ConstantValues = Map<number, Float64Array>;

/** The nodes that depend on a parameter which `isTrained`, among the constants. */
export function trainedConstants(graph: Graph, isTrained: (parameter: string) => boolean): Set<number> {
  const trained = new Set<number>();
  for (const { id, source, inputs, rate } of graph.nodes) {
    if (rate !== 'constant') continue;
    const counts =
      source.kind === 'parameter' ? isTrained(source.name) : inputs.some((input) => trained.has(input.id));
    if (counts) trained.add(id);
  }
  return trained;
}

/**
 * The part of a graph that depends on parameters alone, in float64 by the reference: forward once a batch, and its
 * gradients back once a batch, summed over the batch's sequences by whoever ran these.
 */
export class ConstantPart {
  readonly #graph: Graph;
  readonly #environment: Environment;
  readonly #trained: ReadonlySet<number>;
  #values: ConstantValues = new Map();

  constructor(graph: Graph, environment: Environment, isTrained: (parameter: string) => boolean) {
    this.#graph = graph;
    this.#environment = environment;
    this.#trained = trainedConstants(graph, isTrained);
  }

  get trained(): ReadonlySet<number> {
    return this.#trained;
  }

  forward(parameters: ReadonlyMap<string, Float64Array>): ConstantValues {
    this.#values = evaluateConstants(this.#graph, parameters, this.#environment);
    return this.#values;
  }

  /** From ∂L/∂constant by node id to ∂L/∂parameter by name; the constants are those of the last `forward`. */
  back(given: ReadonlyMap<number, Float64Array>): Map<string, Float64Array> {
    const gradients = new Map<number, Sequence>();
    const of = (node: Node): Sequence => {
      let found = gradients.get(node.id);
      if (found === undefined) {
        found = sequence(given.get(node.id)?.slice() ?? new Float64Array(sizeOf(node.shape)));
        gradients.set(node.id, found);
      }
      return found;
    };
    for (const node of [...this.#graph.nodes].reverse()) {
      const { source, inputs } = node;
      if (source.kind !== 'op' || !isConstant(node) || !this.#trained.has(node.id)) continue;
      if (!gradients.has(node.id) && !given.has(node.id)) continue;
      const { op, attributes } = source;
      const constants = inputs.map((input) => this.#values.get(input.id)!);
      op.adjoint({
        attributes,
        types: inputs,
        inputs: constants.map(sequence),
        output: sequence(this.#values.get(node.id)!),
        prepared: op.prepare?.({ attributes, types: inputs, constants, precision: 'float64' }),
        firings: 1,
        frames: inputs.map(() => 1),
        dOutput: of(node),
        dInputs: inputs.map((input) => (this.#trained.has(input.id) ? of(input) : null)),
      });
    }
    return new Map([...this.#graph.parameters].map(([name, node]) => [name, of(node).data]));
  }
}

const sequence = (data: Float64Array): Sequence => ({ data, origin: 0, width: data.length });
