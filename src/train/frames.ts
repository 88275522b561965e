import { countFrames, timedNodes, type Graph, type Node } from '../signal/index.ts';

/**
 * How many frames a node emits over a whole sequence, its end and the model's end rule included.
 *
 * @example
 * const count = framesOver(graph);
 * count(graph.outputs.get('output')!, 16_000);
 */
export function framesOver(graph: Graph): (node: Node, frames: number) => number {
  const timed = timedNodes(graph);
  const counts = new Float64Array(1 + Math.max(-1, ...graph.nodes.map(({ id }) => id)));
  return (node, frames) => {
    countFrames(timed, frames + graph.endPadding(frames), true, counts);
    return counts[node.id]!;
  };
}
