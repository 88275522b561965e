/**
 * The official layouts, and ours: time-major frames, one sequence for each item of the batch.
 *
 * A layout names a tensor's axes: `B` batch, `T` time, all others are the frame's own. `B,C,T`, `B,T,H,K`, `T`;
 * `*` stands for the axes that are left; a tensor of fewer axes has the first of them. Tensors that differ are
 * listed: `Q,K: B,T,H,*; DT: B,H,T`, and whatever is not listed follows the first group.
 */
import { FormatError } from '../errors.ts';
import type { Shape } from '../signal/index.ts';

/** Axis names, outermost first. */
export type Layout = readonly string[];

/** The sequences that a tensor holds. */
export interface Frames {
  /** Frames × width for each item of the batch. */
  readonly items: readonly Float64Array[];
  readonly frames: number;
  /** Numbers in a frame. */
  readonly width: number;
}

const axesOf = (text: string): Layout =>
  text
    .split(',')
    .map((axis) => axis.trim())
    .filter((axis) => axis !== '');

/**
 * The layout of each tensor, from the metadata's text.
 *
 * @throws FormatError for a text that is no layout.
 */
export function parseLayout(text: string, source: string): (tensor: string) => Layout {
  if (!text.includes(':')) {
    const axes = axesOf(text);
    return () => axes;
  }
  const byTensor = new Map<string, Layout>();
  let first: Layout | undefined;
  for (const group of text.split(';')) {
    const [names, axes, more] = group.split(':');
    if (axes === undefined || more !== undefined) {
      throw new FormatError(
        `${source}: layout "${text}" can't be read at "${group.trim()}"; write "names: axes; names: axes"`,
      );
    }
    const layout = axesOf(axes);
    first ??= layout;
    for (const name of axesOf(names)) byTensor.set(name, layout);
  }
  return (tensor) => byTensor.get(tensor) ?? first!;
}

/**
 * A tensor in an official layout as time-major sequences.
 *
 * @throws FormatError where the layout does not fit the shape, or has no time.
 * @example
 * framesOf([2, 4, 96], values, ['B', 'C', 'T']); // 2 items, 96 frames of 4
 */
export function framesOf(shape: Shape, values: ArrayLike<number>, layout: Layout): Frames {
  const axes = fit(layout, shape.length);
  const time = axes?.indexOf('T') ?? -1;
  if (axes === undefined || time < 0) {
    throw new FormatError(
      `a tensor of shape [${shape.join(', ')}] does not fit the layout "${layout.join(',')}"` +
        (axes === undefined ? '' : ': it leaves no time axis T'),
    );
  }
  const batch = axes.indexOf('B');
  const inner = shape.map((_, axis) => axis).filter((axis) => axis !== time && axis !== batch);
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const width = inner.reduce((product, axis) => product * shape[axis], 1);
  const frames = shape[time];
  // Where in the tensor the numbers of a frame stand, relative to the frame.
  const offsets = Array.from({ length: width }, (_, i) => {
    let [rest, at] = [i, 0];
    for (const axis of inner.toReversed()) {
      at += (rest % shape[axis]) * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    return at;
  });
  const items = Array.from({ length: batch < 0 ? 1 : shape[batch] }, (_, item) => {
    const data = new Float64Array(frames * width);
    for (let k = 0; k < frames; k++) {
      const at = k * strides[time] + (batch < 0 ? 0 : item * strides[batch]);
      for (let i = 0; i < width; i++) data[k * width + i] = values[at + offsets[i]];
    }
    return data;
  });
  return { items, frames, width };
}

/** The names of a tensor's axes, or undefined where it has more than the layout. */
function fit(layout: Layout, rank: number): Layout | undefined {
  const star = layout.indexOf('*');
  if (star < 0) return rank <= layout.length ? layout.slice(0, rank) : undefined;
  const free = rank - (layout.length - 1);
  if (free < 0) return undefined;
  return [...layout.slice(0, star), ...new Array<string>(free).fill('*'), ...layout.slice(star + 1)];
}
