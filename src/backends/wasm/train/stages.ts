import { isConstant, sameRate, type Graph, type Node, type Rate } from '../../../signal/index.ts';
import { planTraining } from './plans.ts';
import type { TrainPlan } from './kernel.ts';

/** A node that varies, with what the program decided about it. */
export interface Step {
  readonly node: Node;
  readonly plan: TrainPlan;
  /** Some of its inputs, or itself, lead to what is trained. */
  readonly wanted: boolean;
  /** Kept for a whole sequence; else it lives in a stretch, and the way back computes it again. */
  readonly stored: boolean;
  /** Its gradient is one of a whole sequence: a reader stands in another stage. */
  readonly storedGradient: boolean;
}

/**
 * Ops that run together. Neighbours that work frame by frame share a stage and run through it stretch by stretch,
 * so that what passes between them stays in the cache and is never stored; every other op is a stage of its own.
 */
export interface Stage {
  readonly local: boolean;
  readonly steps: readonly Step[];
  /** Steps whose values the way back needs and does not find: in the order in which they are computed again. */
  readonly again: readonly Step[];
}

/** @param isTrained whether the gradient of a constant or of an input port is asked for. */
export function planStages(graph: Graph, isTrained: (node: Node) => boolean): Stage[] {
  const ops = graph.nodes.filter((node) => !isConstant(node) && node.source.kind === 'op');
  const plans = new Map(ops.map((node) => [node, planOf(node)]));
  const groups = group(ops, plans);
  const stageOf = new Map(groups.flatMap((nodes, i) => nodes.map((node) => [node, i] as const)));
  const readers = new Map<Node, Node[]>(graph.nodes.map((node) => [node, []]));
  for (const node of ops) for (const input of node.inputs) readers.get(input)!.push(node);
  const outputs = new Set(graph.outputs.values());

  const wanted = new Set<Node>();
  for (const node of graph.nodes) {
    if (
      isConstant(node) || node.source.kind === 'input'
        ? isTrained(node)
        : node.inputs.some((i) => wanted.has(i))
    ) {
      wanted.add(node);
    }
  }
  const readBack = new Set<Node>();
  for (const node of ops) {
    if (!wanted.has(node)) continue;
    const { reads } = plans.get(node)!;
    for (const i of reads.inputs) readBack.add(node.inputs[i]!);
    if (reads.output) readBack.add(node);
  }

  return groups.map((nodes, i) => {
    const local = plans.get(nodes[0]!)!.local;
    const leaves = (node: Node): boolean =>
      !local || outputs.has(node) || readers.get(node)!.some((reader) => stageOf.get(reader) !== i);
    const { kept, again } = local ? divide(nodes, plans, readBack, leaves) : none;
    const steps = nodes.map((node): Step => ({
      node,
      plan: plans.get(node)!,
      wanted: wanted.has(node),
      stored: leaves(node) || kept.has(node),
      storedGradient: leaves(node),
    }));
    return { local, steps, again: steps.filter(({ node }) => again.has(node)) };
  });
}

const none = { kept: new Set<Node>(), again: new Set<Node>() };

/**
 * What the way back needs of a stage: values that are kept because they are dear, and those that are computed again,
 * down to what is kept.
 */
function divide(
  nodes: readonly Node[],
  plans: ReadonlyMap<Node, TrainPlan>,
  readBack: ReadonlySet<Node>,
  leaves: (node: Node) => boolean,
): typeof none {
  const [kept, again, needed] = [new Set<Node>(), new Set<Node>(), new Set<Node>(readBack)];
  for (const node of [...nodes].reverse()) {
    if (!needed.has(node) || leaves(node)) continue;
    if (plans.get(node)!.costly) {
      kept.add(node);
      continue;
    }
    again.add(node);
    for (const input of node.inputs) needed.add(input);
  }
  return { kept, again };
}

function planOf(node: Node): TrainPlan {
  if (node.source.kind !== 'op') throw new Error(`${node.path} is no op`);
  const { op, attributes } = node.source;
  return planTraining({ op, attributes, types: node.inputs, output: node, timing: node.timing! });
}

function group(ops: readonly Node[], plans: ReadonlyMap<Node, TrainPlan>): Node[][] {
  const groups: Node[][] = [];
  for (const node of ops) {
    const last = groups.at(-1);
    const joins =
      last !== undefined &&
      plans.get(node)!.local &&
      plans.get(last[0]!)!.local &&
      sameRate(node.rate as Rate, last[0]!.rate as Rate);
    if (joins) last.push(node);
    else groups.push([node]);
  }
  return groups;
}
