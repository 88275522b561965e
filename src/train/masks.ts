import { countSequence } from '../backends/wasm/train/sequence-places.ts';
import { sizeOf, type FloatArray, type Graph } from '../signal/index.ts';

/** What begins the name of a port that `forTraining` made of a dropout. */
export const MASK = 'dropout:';

/** Whether an input port is a mask's. */
export const isMask = (port: string): boolean => port.startsWith(MASK);

/**
 * How many frames of a mask are read over a whole sequence of `frames` at the model's inputs, its end and the model's end
 * rule included: as many as the signal has that it is multiplied with.
 *
 * @example
 * const count = maskFramesOver(graph);
 * count('dropout:block', 16_000);
 */
export function maskFramesOver(graph: Graph): (port: string, frames: number) => number {
  const readers = new Map(
    [...graph.inputs].flatMap(([port, mask]) =>
      isMask(port) ? [[port, graph.nodes.find(({ inputs }) => inputs.includes(mask))!] as const] : [],
    ),
  );
  const known = new Map<number, ReturnType<typeof countSequence>['firings']>();
  return (port, frames) => {
    let firings = known.get(frames);
    if (firings === undefined) {
      const counts = new Map(
        [...graph.inputs].map(([name, node]) => [
          node,
          // A mask limits nothing.
          isMask(name) ? Infinity : frames + graph.endPadding(frames),
        ]),
      );
      ({ firings } = countSequence(graph, counts));
      known.set(frames, firings);
    }
    return firings.get(readers.get(port)!)!;
  };
}

/**
 * One item's mask with the frames that are read: as it is, or where it brings one frame alone, which holds for all of
 * them, that one again and again.
 *
 * @param into room for it, taken where it is long enough.
 */
export function spreadMask<Data extends FloatArray>(
  mask: Data,
  width: number,
  frames: number,
  into?: Float32Array,
): Data | Float32Array {
  if (mask.length !== width || frames <= 1) return mask;
  const size = width * frames;
  const all = into && into.length >= size ? into.subarray(0, size) : new Float32Array(size);
  all.set(mask);
  for (let filled = width; filled < size; filled *= 2) all.copyWithin(filled, 0, filled);
  return all;
}

/** `maskFramesOver` and `spreadMask` for every mask among an item's inputs. */
export const masksOf = (graph: Graph): ((port: string, mask: FloatArray, frames: number) => FloatArray) => {
  const count = maskFramesOver(graph);
  const rooms = new Map<string, Float32Array>();
  return (port, mask, frames) => {
    const width = sizeOf(graph.inputs.get(port)!.shape);
    const spread = spreadMask(mask, width, count(port, frames), rooms.get(port));
    if (spread !== mask && spread instanceof Float32Array && spread.buffer !== rooms.get(port)?.buffer)
      rooms.set(port, spread);
    return spread;
  };
};
