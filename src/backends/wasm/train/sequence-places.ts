import { firingsOf, isConstant, sizeOf, type Graph, type Node } from '../../../signal/index.ts';
import { placeLeases, type Lease } from './places.ts';
import type { Stage } from './stages.ts';

/** Where a signal of a whole sequence stands: addresses relative to the start of the sequence's memory. */
export interface Place {
  /** With the zeros before frame 0. */
  readonly start: number;
  readonly frame0: number;
  readonly bytes: number;
  readonly width: number;
}

/** Everything about a sequence of one length. */
export interface SequencePlaces {
  readonly firings: ReadonlyMap<Node, number>;
  readonly frames: ReadonlyMap<Node, number>;
  /** Values; of what is not stored, in the stretch of its own stage, on the way forward and on the way back. */
  readonly values: ReadonlyMap<Node, Place>;
  readonly again: ReadonlyMap<Node, Place>;
  readonly gradients: ReadonlyMap<Node, Place>;
  readonly scratch: ReadonlyMap<Node, readonly [forward: number, back: number]>;
  readonly kept: ReadonlyMap<Node, number>;
  /** Frames of a stretch, by stage. */
  readonly stretch: readonly number[];
  readonly bytes: number;
}

/** Bytes of signals of a stretch: they and the weights stay in the second cache. */
const STRETCH_BYTES = 393_216;
const MOST_STRETCH = 1024;
const LEAST_STRETCH = 64;

/**
 * Lays out a sequence. Time runs over the stages forward, then back: a value stands from the moment it is computed to
 * the last that reads it, a gradient from the first that adds to it to the stage that takes it.
 *
 * @param counts frames of each input port, ends included.
 * @param training false where only the outputs are asked for.
 */
export function layOutSequence(
  graph: Graph,
  stages: readonly Stage[],
  counts: ReadonlyMap<Node, number>,
  training: boolean,
  wantsInput: (node: Node) => boolean,
): SequencePlaces {
  const { firings, frames } = countSequence(graph, counts);
  const end = stages.length;
  const backOf = (stage: number): number => 2 * end - stage;
  const stored = new Set<Node>(graph.inputs.values());
  for (const { steps } of stages) for (const step of steps) if (step.stored) stored.add(step.node);

  const lastUse = new Map<Node, number>();
  const firstBack = new Map<Node, number>();
  const use = (node: Node, moment: number): void => {
    lastUse.set(node, Math.max(lastUse.get(node) ?? -1, moment));
  };
  for (const node of graph.outputs.values()) {
    use(node, end);
    firstBack.set(node, end);
  }
  stages.forEach(({ steps, again }, i) => {
    for (const { node } of steps) for (const input of node.inputs) use(input, i);
    if (!training) return;
    for (const { node, plan, wanted } of steps) {
      if (!wanted) continue;
      for (const at of plan.reads.inputs) use(node.inputs[at]!, backOf(i));
      if (plan.reads.output) use(node, backOf(i));
      for (const input of node.inputs) {
        firstBack.set(input, Math.min(firstBack.get(input) ?? Infinity, backOf(i)));
      }
    }
    for (const { node } of again) for (const input of node.inputs) use(input, backOf(i));
  });

  const leases: Lease[] = [];
  const take = (bytes: number, from: number, to: number): number => {
    leases.push({ bytes, from, to: Math.max(from, to) });
    return leases.length - 1;
  };
  const stretch = stages.map(({ local, steps }) => (local ? stretchOf(steps.map(({ node }) => node)) : 0));
  interface Pending {
    readonly lease: number;
    readonly before: number;
    readonly bytes: number;
    readonly width: number;
  }
  const whole = (node: Node, from: number, to: number): Pending => {
    const [left, right] = paddingOf(graph, node);
    const width = sizeOf(node.shape);
    const emit = node.timing?.emit ?? 1;
    const count = Math.max(frames.get(node)!, (firings.get(node) ?? 0) * emit);
    const bytes = 4 * width * (left + count + right);
    return { lease: take(bytes, from, to), before: 4 * width * left, bytes, width };
  };
  const part = (node: Node, moment: number, count: number): Pending => {
    const width = sizeOf(node.shape);
    const bytes = 4 * width * count;
    return { lease: take(bytes, moment, moment), before: 0, bytes, width };
  };

  const values = new Map<Node, Pending>();
  const again = new Map<Node, Pending>();
  const gradients = new Map<Node, Pending>();
  const scratch = new Map<Node, readonly [number, number]>();
  const kept = new Map<Node, number>();
  for (const node of graph.inputs.values()) {
    values.set(node, whole(node, -1, lastUse.get(node) ?? -1));
    if (training && wantsInput(node) && firstBack.has(node)) {
      gradients.set(node, whole(node, firstBack.get(node)!, 2 * end + 1));
    }
  }
  stages.forEach((stage, i) => {
    const count = stretch[i]!;
    for (const step of stage.steps) {
      const { node, plan } = step;
      values.set(node, step.stored ? whole(node, i, lastUse.get(node) ?? i) : part(node, i, count));
      const size = plan.scratch?.(stage.local ? count : firings.get(node)!) ?? 0;
      const forward = take(size, i, i);
      scratch.set(node, [forward, training && step.wanted ? take(size, backOf(i), backOf(i)) : forward]);
      if (plan.kept) kept.set(node, take(plan.kept(firings.get(node)!), i, training ? backOf(i) : i));
      if (!training || !step.wanted) continue;
      gradients.set(
        node,
        step.storedGradient
          ? whole(node, firstBack.get(node) ?? backOf(i), backOf(i))
          : part(node, backOf(i), count),
      );
    }
    if (!training) return;
    for (const { node } of stage.again) again.set(node, part(node, backOf(i), count));
  });

  const { places, bytes } = placeLeases(leases);
  const settle = (map: ReadonlyMap<Node, Pending>): Map<Node, Place> =>
    new Map(
      [...map].map(([node, { lease, before, bytes: size, width }]) => [
        node,
        { start: places[lease]!, frame0: places[lease]! + before, bytes: size, width },
      ]),
    );
  return {
    firings,
    frames,
    values: settle(values),
    again: settle(again),
    gradients: settle(gradients),
    scratch: new Map([...scratch].map(([node, [a, b]]) => [node, [places[a]!, places[b]!]])),
    kept: new Map([...kept].map(([node, lease]) => [node, places[lease]!])),
    stretch,
    bytes,
  };
}

function stretchOf(nodes: readonly Node[]): number {
  const bytes = nodes.reduce((sum, node) => sum + 8 * sizeOf(node.shape), 0);
  const count = Math.floor(STRETCH_BYTES / Math.max(1, bytes) / 16) * 16;
  return Math.min(MOST_STRETCH, Math.max(LEAST_STRETCH, count));
}

/** Firings and frames of every node, from the frames of the input ports. */
export function countSequence(
  graph: Graph,
  counts: ReadonlyMap<Node, number>,
  ended = true,
): { firings: Map<Node, number>; frames: Map<Node, number> } {
  const firings = new Map<Node, number>();
  const frames = new Map<Node, number>(counts);
  for (const node of graph.nodes) {
    if (isConstant(node) || node.source.kind !== 'op') continue;
    const timing = node.timing!;
    const count = Math.min(
      ...node.inputs.map((input, i) =>
        isConstant(input) ? Infinity : firingsOf(timing, i, frames.get(input)!, ended),
      ),
    );
    firings.set(node, count);
    frames.set(node, Math.max(0, count * timing.emit - (timing.surplus ?? 0)));
  }
  return { firings, frames };
}

/** Zero frames that the readers of a node see before and behind it. */
function paddingOf(graph: Graph, node: Node): readonly [number, number] {
  let [left, right] = [0, 0];
  for (const reader of graph.nodes) {
    reader.inputs.forEach((input, i) => {
      if (input !== node || !reader.timing) return;
      left = Math.max(left, reader.timing.windows[i]!.left);
      right = Math.max(right, reader.timing.windows[i]!.right);
    });
  }
  return [left, right];
}
