import { ArgumentError } from '../errors.ts';
import { sizeOf, type FloatArray, type Graph } from '../signal/index.ts';
import { isMask, maskFramesOver, spreadMask } from './masks.ts';
import type { Batch } from './session.ts';

/** The inputs of one sequence of a batch, at its own length. */
export function inputsOf(graph: Graph, batch: Batch, item: number): Record<string, FloatArray> {
  const inputs: Record<string, FloatArray> = {};
  for (const [port, node] of graph.inputs) {
    const data = batch.inputs[port];
    const width = sizeOf(node.shape);
    const size = (data?.length ?? 0) / batch.items;
    if (data === undefined || size % width !== 0) {
      throw new ArgumentError(
        `the batch brings ${data === undefined ? 'nothing' : `${data.length} numbers`} for the input "${port}" of ` +
          `${graph.name}; it takes ${batch.items} items × frames × ${width}`,
      );
    }
    // Masks have frames of their own, and may have more than are read, or one for all.
    if (isMask(port)) {
      const mask = data.subarray(item * size, (item + 1) * size);
      inputs[port] = spreadMask(mask, width, maskFramesOver(graph)(port, batch.lengths[item]!));
    } else {
      inputs[port] = data.subarray(item * size, item * size + batch.lengths[item]! * width);
    }
  }
  return inputs;
}

/** What an item is compared with. */
export const targetsOf = (batch: Batch, item: number): Record<string, FloatArray> =>
  Object.fromEntries(
    Object.entries(batch.targets).map(([name, data]) => {
      const size = data.length / batch.items;
      return [name, data.subarray(item * size, (item + 1) * size)];
    }),
  );
