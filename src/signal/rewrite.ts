import type { Graph, Node } from './graph.ts';

/**
 * A graph with other nodes in place of some: what stands behind them reads the new ones, everything else is kept.
 *
 * @param replace given a node that reads the new nodes already, and these: what takes its place, the last of them for
 *   its readers. A node that is in the graph already is not added again; new input nodes become ports. Every node has an
 *   id of its own.
 */
export function rewrite(
  graph: Graph,
  replace: (node: Node, inputs: readonly Node[]) => readonly [Node, ...Node[]],
): Graph {
  const nodes: Node[] = [];
  const known = new Set<Node>();
  const renamed = new Map<Node, Node>();
  const inputs = new Map<string, Node>();
  for (const node of graph.nodes) {
    const sources = node.inputs.map((input) => renamed.get(input)!);
    const moved = sources.some((source, i) => source !== node.inputs[i])
      ? { ...node, inputs: sources }
      : node;
    const made = replace(moved, sources);
    for (const one of made) {
      if (known.has(one)) continue;
      known.add(one);
      nodes.push(one);
      if (one.source.kind === 'input') inputs.set(one.source.port, one);
    }
    renamed.set(node, made.at(-1)!);
  }
  const follow = (ports: ReadonlyMap<string, Node>): Map<string, Node> =>
    new Map([...ports].map(([name, node]) => [name, renamed.get(node)!]));
  return { ...graph, nodes, inputs, outputs: follow(graph.outputs), parameters: follow(graph.parameters) };
}
