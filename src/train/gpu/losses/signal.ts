import { lengthText, type Clock, type Tensor } from '../../../backends/gpu/training/index.ts';
import { ArgumentError } from '../../../errors.ts';
import { sizeOf, type Node } from '../../../signal/index.ts';
import type { LossContext } from '../loss-kernels.ts';

/** An output and what it should have been, on the device. */
export interface DevicePair {
  readonly node: Node;
  readonly clock: Clock;
  readonly channels: number;
  /** items × frames × channels */
  readonly output: Tensor;
  readonly wanted: Tensor;
  /** Text of the frames that count of an item, reading the array `lengths`. */
  readonly count: (item: string) => string;
}

/** @throws ArgumentError where the model has no such output, or the batch too short a target. */
export function pairOf(kind: string, context: LossContext): DevicePair {
  const { network, options, targetSize, target } = context;
  const port = (options['output'] as string | undefined) ?? 'output';
  const name = (options['target'] as string | undefined) ?? port;
  const node = outputNode(kind, port, context);
  const clock = network.clock(node);
  const channels = sizeOf(node.shape);
  const size = targetSize(name);
  if (size === undefined || size % channels !== 0) {
    throw new ArgumentError(
      `the loss ${kind} compares frames of ${channels} numbers with the target "${name}", which ` +
        `${size === undefined ? 'the batch does not bring' : `has ${size} an item`}; let the data bring it`,
    );
  }
  return {
    node,
    clock,
    channels,
    output: network.tensor(node),
    wanted: target(name, channels),
    count: (item) => lengthText('lengths', clock, network.items, item),
  };
}

export function outputNode(kind: string, port: string, { graph }: LossContext): Node {
  const node = graph.outputs.get(port);
  if (node) return node;
  throw new ArgumentError(
    `the loss ${kind} reads the output "${port}"; the model has ${[...graph.outputs.keys()].join(', ')}: set its "output"`,
  );
}

/** Frames that one thread adds up. */
const RUN = 64;

/**
 * Σ over an item's frames that count, and over channels, of a term: items × 1 × 1.
 *
 * @param term text of what a frame adds; the thread's channel is `this.thread.x`, the frame `frame`.
 */
export function sumItems(
  { plan, network }: LossContext,
  { clock, channels, count }: Pick<DevicePair, 'clock' | 'channels' | 'count'>,
  label: string,
  inputs: Readonly<Record<string, Tensor>>,
  term: string,
): Tensor {
  const { items } = network;
  const blocks = Math.ceil(clock.frames / RUN);
  const partial = plan.run({
    label,
    dims: [channels, blocks, items],
    inputs: { ...inputs, lengths: network.lengths },
    body: `const count = ${count('this.thread.z')};
let sum = 0;
for (let i = 0; i < ${RUN}; i++) {
  const frame = this.thread.y * ${RUN} + i;
  if (frame < count) { sum += ${term}; }
}
return sum;`,
  });
  return plan.run({
    label,
    dims: [1, 1, items],
    inputs: { partial },
    body: `let sum = 0;
for (let block = 0; block < ${blocks}; block++) {
  let own = 0;
  for (let c = 0; c < ${channels}; c++) { own += partial[this.thread.z][block][c]; }
  sum += own;
}
return sum;`,
  });
}

/** The mean over the items of a number each. */
export const meanOfItems = ({ plan, network: { items } }: LossContext, label: string, own: Tensor): Tensor =>
  plan.run({
    label,
    dims: [1],
    inputs: { own },
    body: `let sum = 0;\nfor (let i = 0; i < ${items}; i++) { sum += own[i][0][0]; }\nreturn sum / ${items};`,
  });
