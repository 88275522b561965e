import { GraphError } from '../errors.ts';
import type { Op, PrepareCall, Shape, Signal } from '../signal/index.ts';
import {
  defineOp,
  broadcastIndex,
  broadcastShapes,
  formatShape,
  resolveAxis,
  sameShape,
  sizeOf,
} from '../signal/index.ts';

/** For each element of the output, the input it comes from and where in that input it stands. */
interface Gather {
  readonly input: Int32Array;
  readonly index: Int32Array;
}

/**
 * An op that only moves numbers about within a frame: a gather forward, and so a scatter-add backward.
 */
function movement<Attributes>(
  name: string,
  shape: Op<Attributes>['shape'],
  gather: (call: PrepareCall<Attributes>) => Gather,
): Op<Attributes, Gather> {
  return defineOp({
    name,
    shape,
    prepare: gather,
    step({ inputs, output, prepared }) {
      for (let i = 0; i < prepared.index.length; i++) {
        const from = inputs[prepared.input[i]!]!;
        output.data[output.at + i] = from.data[from.at + prepared.index[i]!]!;
      }
    },
    adjoint({ types, dOutput, dInputs, firings, prepared }) {
      const size = prepared.index.length;
      const steps = types.map((type) => (type.rate === 'constant' ? 0 : sizeOf(type.shape)));
      for (let k = 0; k < firings; k++) {
        for (let i = 0; i < size; i++) {
          const which = prepared.input[i]!;
          const dx = dInputs[which];
          if (dx) {
            dx.data[dx.origin + k * steps[which]! + prepared.index[i]!]! +=
              dOutput.data[dOutput.origin + k * size + i]!;
          }
        }
      }
    },
  });
}

const single = (index: Int32Array): Gather => ({ input: new Int32Array(index.length), index });

interface SliceAttributes {
  readonly axis: number;
  readonly start: number;
  readonly size: number;
}

const sliceOp = movement<SliceAttributes>(
  'slice',
  ({ axis, start, size }, [x], reject) => {
    const resolved =
      resolveAxis(x!.shape, axis) ?? reject(`axis ${axis} is not an axis of ${formatShape(x!.shape)}`);
    const extent = x!.shape[resolved]!;
    if (start < 0 || size < 0 || start + size > extent) {
      reject(
        `elements ${start} to ${start + size} of an axis of ${extent} were asked for; stay within 0 to ${extent}`,
      );
    }
    return x!.shape.map((length, i) => (i === resolved ? size : length));
  },
  ({ attributes: { axis, start, size }, types }) => {
    const { shape } = types[0]!;
    const resolved = resolveAxis(shape, axis)!;
    const inner = sizeOf(shape.slice(resolved + 1));
    const outer = sizeOf(shape.slice(0, resolved));
    const index = new Int32Array(outer * size * inner);
    for (let o = 0, i = 0; o < outer; o++) {
      for (let s = 0; s < size * inner; s++) index[i++] = (o * shape[resolved]! + start) * inner + s;
    }
    return single(index);
  },
);

/** `size` elements from `start` on, along `axis` (counted from the end when negative). */
export const slice = (x: Signal, start: number, size: number, axis = -1): Signal =>
  x.trace.apply(sliceOp, { axis, start, size }, [x]);

/** Cuts an axis into pieces of the given sizes; together they must be the whole axis. */
export function split(x: Signal, sizes: readonly number[], axis = -1): Signal[] {
  const extent = x.shape[resolveAxis(x.shape, axis) ?? -1];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total !== extent) {
    throw new GraphError(
      `${x.node.path} ${formatShape(x.shape)} can't be split into ${sizes.join(' + ')} = ${total} along axis ${axis}; ` +
        `the pieces must add up to ${extent}`,
    );
  }
  let start = 0;
  return sizes.map((size) => {
    const piece = slice(x, start, size, axis);
    start += size;
    return piece;
  });
}

/** One element of an axis, and the axis dropped: `select(C, 1)` takes the imaginary parts of a last axis (re, im). */
export function select(x: Signal, index: number, axis = -1): Signal {
  const piece = slice(x, index, 1, axis);
  const resolved = resolveAxis(x.shape, axis)!;
  return reshape(
    piece,
    x.shape.filter((_, i) => i !== resolved),
  );
}

const concatOp = movement<{ readonly axis: number }>(
  'concat',
  ({ axis }, types, reject) => {
    const first = types[0]!.shape;
    const resolved =
      resolveAxis(first, axis) ?? reject(`axis ${axis} is not an axis of ${formatShape(first)}`);
    let total = 0;
    for (const { shape } of types) {
      const others = (s: Shape): Shape => s.filter((_, i) => i !== resolved);
      if (shape.length !== first.length || !sameShape(others(shape), others(first))) {
        reject(
          `${formatShape(shape)} can't follow ${formatShape(first)} along axis ${axis}; all other axes must agree`,
        );
      }
      total += shape[resolved]!;
    }
    return first.map((extent, i) => (i === resolved ? total : extent));
  },
  ({ attributes: { axis }, types }) => {
    const resolved = resolveAxis(types[0]!.shape, axis)!;
    const outer = sizeOf(types[0]!.shape.slice(0, resolved));
    const runs = types.map(({ shape }) => sizeOf(shape.slice(resolved)));
    const input: number[] = [];
    const index: number[] = [];
    for (let o = 0; o < outer; o++) {
      runs.forEach((run, which) => {
        for (let i = 0; i < run; i++) {
          input.push(which);
          index.push(o * run + i);
        }
      });
    }
    return { input: Int32Array.from(input), index: Int32Array.from(index) };
  },
);

/** Puts signals side by side along an axis. */
export const concat = (signals: readonly [Signal, ...Signal[]], axis = -1): Signal =>
  signals[0].trace.apply(concatOp, { axis }, signals);

const reshapeOp = movement<{ readonly to: Shape }>(
  'reshape',
  ({ to }, [x], reject) =>
    sizeOf(to) === sizeOf(x!.shape)
      ? to
      : reject(
          `${formatShape(x!.shape)} holds ${sizeOf(x!.shape)} numbers, ${formatShape(to)} holds ${sizeOf(to)}`,
        ),
  ({ types }) => single(Int32Array.from({ length: sizeOf(types[0]!.shape) }, (_, i) => i)),
);

/** The same numbers in the same order under another shape. */
export const reshape = (x: Signal, shape: Shape): Signal =>
  sameShape(x.shape, shape) ? x : x.trace.apply(reshapeOp, { to: shape }, [x]);

const expandOp = movement<{ readonly to: Shape }>(
  'expand',
  ({ to }, [x], reject) => {
    const fits = broadcastShapes(x!.shape, to);
    return fits && sameShape(fits, to)
      ? to
      : reject(`${formatShape(x!.shape)} does not broadcast to ${formatShape(to)}`);
  },
  ({ attributes: { to }, types }) => single(broadcastIndex(types[0]!.shape, to)),
);

/** Repeats axes of extent 1 until the shape is reached, as numpy's `broadcast_to`. */
export const expand = (x: Signal, shape: Shape): Signal =>
  sameShape(x.shape, shape) ? x : x.trace.apply(expandOp, { to: shape }, [x]);

const permuteOp = movement<{ readonly axes: readonly number[] }>(
  'permute',
  ({ axes }, [x], reject) =>
    [...axes].sort((a, b) => a - b).every((axis, i) => axis === i) && axes.length === x!.shape.length
      ? axes.map((axis) => x!.shape[axis]!)
      : reject(
          `[${axes.join(', ')}] is no permutation of the ${x!.shape.length} axes of ${formatShape(x!.shape)}`,
        ),
  ({ attributes: { axes }, types }) => {
    const { shape } = types[0]!;
    const strides = shape.map((_, i) => sizeOf(shape.slice(i + 1)));
    const to = axes.map((axis) => shape[axis]!);
    const index = new Int32Array(sizeOf(shape));
    for (let i = 0; i < index.length; i++) {
      let rest = i;
      let at = 0;
      for (let axis = to.length - 1; axis >= 0; axis--) {
        at += (rest % to[axis]!) * strides[axes[axis]!]!;
        rest = Math.floor(rest / to[axis]!);
      }
      index[i] = at;
    }
    return single(index);
  },
);

/** Axes in another order: output axis i is input axis `axes[i]`. */
export const permute = (x: Signal, axes: readonly number[]): Signal =>
  x.trace.apply(permuteOp, { axes }, [x]);
