import { GraphError } from '../errors.ts';
import { hasMemory, isConstant, type Graph, type Node } from '../signal/index.ts';

/** How a graph is about to be run. */
export interface Pace {
  /** Hz; undefined: that of the model. */
  readonly sampleRate: number | undefined;
  /** One `dt` a frame. */
  readonly irregular: boolean;
}

/**
 * Refuses a graph with an op that counts frames: at another sample rate, or in irregular time, it would be silently
 * wrong. An op that remembers is right where the step reaches one of its inputs of time (`Op.time`), through ops
 * without memory, or where time does not matter to it.
 *
 * @throws GraphError naming the op and the cure.
 */
export function refuseFrameCounters(graph: Graph, { sampleRate, irregular }: Pace): void {
  const clocked = new Set<Node>();
  for (const node of graph.nodes) {
    const { source } = node;
    // A scale of time means nothing where nobody said which rate it is relative to.
    if (source.kind === 'environment' && source.clock !== 'none')
      if (source.clock === 'period' || graph.sampleRate !== undefined) clocked.add(node);
    if (source.kind === 'input' && source.port === 'dt') clocked.add(node);
    if (source.kind !== 'op') continue;
    const { op, attributes } = source;
    if (isConstant(node) || !hasMemory(op, attributes, node.inputs)) {
      if (node.inputs.some((input) => clocked.has(input))) clocked.add(node);
      continue;
    }
    const time = op.time?.(attributes, node.inputs) ?? [];
    const knows = time === 'free' || time.some((input) => clocked.has(node.inputs[input]!));
    if (knows && !(irregular && node.timing!.stride !== 1)) continue;
    const where = `${node.path} (${op.name})`;
    if (irregular) {
      throw new GraphError(
        `${graph.name} can't take a dt for every frame: ${where} counts frames, not time; ` +
          'resample the series to a regular rate first',
      );
    }
    throw new GraphError(
      graph.sampleRate === undefined
        ? `${graph.name} can't follow ${sampleRate} Hz: ${where} does not know how long a frame lasts; ` +
            'where the layer is in continuous time, give the model the sampleRate that its parameters are for'
        : `${graph.name} was made for ${graph.sampleRate} Hz and can't follow ${sampleRate} Hz: ${where} ` +
            `counts frames, not time; resample the input to ${graph.sampleRate} Hz`,
    );
  }
}
