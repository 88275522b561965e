import { setImmediate } from 'node:timers/promises';
import { isConstant, sizeOf, type FloatArray } from '../signal/index.ts';
import type { BatchSource } from './data/source.ts';
import { drawMasks, type TrainingGraph } from './for-training.ts';
import { framesOver } from './frames.ts';
import { targetsOf } from './item.ts';
import type { LossOutput } from './loss.ts';
import type { Metric } from './metrics.ts';
import type { Batch, Evaluation, TrainingSession } from './session.ts';

export interface Validation {
  /** Mean over the sequences. */
  readonly loss: number;
  /** By the metric's kind. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Loss and metrics over the batches of the source's epoch 0; undefined where `signal` stopped it. */
export async function validate(
  session: TrainingSession,
  { graph, masks }: TrainingGraph,
  source: BatchSource,
  metrics: readonly Metric[],
  signal?: AbortSignal,
): Promise<Validation | undefined> {
  const count = framesOver(graph);
  const sums = metrics.map(() => 0);
  let [loss, items] = [0, 0];
  for await (const batch of source.batches(0, 0)) {
    if (signal?.aborted === true) return undefined;
    const found = await session.evaluate(drawMasks(masks, batch));
    // As in `fit`: signals get their turn.
    await setImmediate();
    loss += found.loss * batch.items;
    items += batch.items;
    if (metrics.length === 0) continue;
    for (let item = 0; item < batch.items; item++) {
      const outputs: Record<string, LossOutput> = {};
      for (const [port, node] of graph.outputs) {
        const frames = isConstant(node) ? 1 : count(node, batch.lengths[item]!);
        outputs[port] = { frames, channels: sizeOf(node.shape), data: partOf(found, port, batch, item) };
      }
      const targets = targetsOf(batch, item);
      metrics.forEach((metric, i) => (sums[i]! += metric.evaluate({ outputs, targets })));
    }
  }
  return {
    loss: loss / items,
    metrics: Object.fromEntries(metrics.map(({ kind }, i) => [kind, sums[i]! / items])),
  };
}

function partOf({ outputs }: Evaluation, port: string, { items }: Batch, item: number): FloatArray {
  const data = outputs[port]!;
  const size = data.length / items;
  return data.subarray(item * size, (item + 1) * size);
}
