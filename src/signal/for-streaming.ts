import type { Graph, Node } from './graph.ts';
import { rewrite } from './rewrite.ts';

/**
 * The graph as it runs outside of training: without the ops that do something in training alone (dropout). What read
 * them reads their input instead. A graph without such ops is returned as it is.
 *
 * @example
 * const graph = forStreaming(traceModel(model));
 */
export function forStreaming(graph: Graph): Graph {
  const passes = ({ source }: Node): boolean => source.kind === 'op' && source.op.trainingOnly === true;
  return graph.nodes.some(passes)
    ? rewrite(graph, (node, [input]) => (passes(node) ? [input!] : [node]))
    : graph;
}
