import type { Carried } from '../../backends/wasm/train/carry.ts';
import type { SequenceInput, SequenceProgram } from '../../backends/wasm/train/program.ts';
import { isConstant, sizeOf, type FloatArray, type Graph, type Node, type Rate } from '../../signal/index.ts';
import type { Loss, LossOutput } from '../loss.ts';
import type { Batch } from '../session.ts';
import { isMask, masksOf } from '../masks.ts';
import type { ConstantValues } from './constants.ts';

/** One sequence of a batch at its own length. */
export interface Item {
  /** Frames of the recording; the end rule's stand behind them. */
  readonly frames: number;
  readonly inputs: Readonly<Record<string, SequenceInput>>;
  readonly targets: Readonly<Record<string, FloatArray>>;
  /** What it goes on from; a fresh start without. */
  readonly from?: Carried | undefined;
}

/** The sequences of a batch, as views of it. Padding is left out: here a sequence runs as long as it is. */
export function itemsOf(graph: Graph, batch: Batch, carried?: readonly Carried[]): Item[] {
  return Array.from({ length: batch.items }, (_, item): Item => {
    const frames = batch.lengths[item]!;
    const part = (data: FloatArray): FloatArray => {
      const size = data.length / batch.items;
      return data.subarray(item * size, (item + 1) * size);
    };
    return {
      frames,
      from: carried?.[item],
      inputs: Object.fromEntries(
        [...graph.inputs].map(([port, node]) => {
          const data = part(batch.inputs[port]!);
          // Masks of dropout stand at the rate of their signal, and reach to the end of whatever is read; or they bring one
          // frame, which is spread where it is read.
          return isMask(port)
            ? [port, { data, frames: data.length / sizeOf(node.shape) }]
            : [port, { data, frames, appended: graph.endPadding(frames) }];
        }),
      ),
      targets: Object.fromEntries(Object.entries(batch.targets).map(([name, data]) => [name, part(data)])),
    };
  });
}

/** What a thread is asked to do with its share of a batch. */
export interface Share {
  readonly items: readonly Item[];
  readonly constants: ConstantValues;
  /** Gradients; else the loss alone. */
  readonly training: boolean;
  /** Copies of the outputs. */
  readonly outputs: boolean;
  /** What every item leaves to the next batch's. */
  readonly carries: boolean;
}

export interface ShareResult {
  /** By item. */
  readonly losses: readonly number[];
  /** Gradients of the constants by node id, of the sum of the losses. */
  readonly gradients: ReadonlyMap<number, Float64Array>;
  readonly outputs: readonly Readonly<Record<string, Float32Array>>[];
  readonly carried: readonly Carried[];
}

/** The loss of an item, leaving the gradients of its outputs where the outputs say. */
export type ItemLoss = (
  outputs: Readonly<Record<string, LossOutput>>,
  item: Item,
  index: number,
) => number | Promise<number>;

export const itemLoss =
  (loss: Loss): ItemLoss =>
  (outputs, { targets }) =>
    loss.evaluate({ outputs, targets });

/** Item after item through one program. */
export async function runShare(program: SequenceProgram, share: Share, loss: ItemLoss): Promise<ShareResult> {
  const { items, constants, training } = share;
  program.load(constants);
  const spread = masksOf(program.graph);
  const losses: number[] = [];
  const carried: Carried[] = [];
  const kept: Record<string, Float32Array>[] = [];
  const slopes = new Map<string, Float64Array>();
  const zeros = (port: string, length: number): Float64Array => {
    const known = slopes.get(port);
    if (known?.length === length) return known.fill(0);
    const made = new Float64Array(length);
    slopes.set(port, made);
    return made;
  };
  for (const [index, item] of items.entries()) {
    const outputs = program.forward(withMasks(item, spread), training, item.from);
    if (share.carries) carried.push(program.left);
    const compared: Record<string, LossOutput> = {};
    for (const [port, node] of program.graph.outputs) {
      const data = outputs[port]!;
      const channels = sizeOf(node.shape);
      compared[port] = {
        data,
        channels,
        frames: countedFrames(node, data.length / channels, item),
        ...(training ? { gradient: zeros(port, data.length) } : {}),
      };
    }
    if (share.outputs) {
      kept.push(
        Object.fromEntries(
          Object.entries(compared).map(([port, { data, frames, channels }]) => [
            port,
            Float32Array.from(data.subarray(0, frames * channels)),
          ]),
        ),
      );
    }
    losses.push(await loss(compared, item, index));
    if (!training) continue;
    program.back(
      Object.fromEntries(Object.entries(compared).map(([port, { gradient }]) => [port, gradient!])),
    );
  }
  return { losses, gradients: training ? program.finish() : new Map(), outputs: kept, carried };
}

/** An item's inputs with every mask as long as it is read. */
function withMasks({ inputs, frames }: Item, spread: ReturnType<typeof masksOf>): Item['inputs'] {
  if (!Object.keys(inputs).some(isMask)) return inputs;
  return Object.fromEntries(
    Object.entries(inputs).map(([port, input]) => {
      if (!isMask(port)) return [port, input];
      const data = spread(port, input.data, frames);
      return [port, { data, frames: (input.frames * data.length) / input.data.length }];
    }),
  );
}

/** Frames that the end rule brings forth are signal inside the model, and no part of what is asked of it. */
function countedFrames(node: Node, emitted: number, item: Item): number {
  const isAppended = Object.values(item.inputs).some(({ appended = 0 }) => appended > 0);
  const { numerator, denominator } = node.rate as Rate;
  if (!isAppended || isConstant(node) || numerator === 0) return emitted;
  return Math.min(emitted, Math.ceil((item.frames * numerator) / denominator));
}
