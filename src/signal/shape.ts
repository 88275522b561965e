/** The shape of one frame of a signal, or of a parameter; `[]` is a single number. */
export type Shape = readonly number[];

/** How many numbers a frame of this shape holds. */
export const sizeOf = (shape: Shape): number => shape.reduce((product, extent) => product * extent, 1);

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((extent, axis) => extent === b[axis]);

/** `(4 × 16)`, for messages. */
export const formatShape = (shape: Shape): string => `(${shape.join(' × ')})`;

/**
 * The shape that both broadcast to, aligned at the last axis as in numpy; undefined where they do not fit.
 *
 * @example broadcastShapes([4, 1], [16]) // [4, 16]
 */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const result: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const fromA = a[axis - rank + a.length] ?? 1;
    const fromB = b[axis - rank + b.length] ?? 1;
    if (fromA !== fromB && fromA !== 1 && fromB !== 1) return undefined;
    result.push(fromA === 1 ? fromB : fromA);
  }
  return result;
}

/**
 * For every element of `to`, the flat index of the element of `from` that it is broadcast from.
 * `from` must broadcast to `to`.
 */
export function broadcastIndex(from: Shape, to: Shape): Int32Array {
  const index = new Int32Array(sizeOf(to));
  const strides = to.map(() => 0);
  for (let axis = from.length - 1, stride = 1; axis >= 0; axis--) {
    if (from[axis] !== 1) strides[axis + to.length - from.length] = stride;
    stride *= from[axis]!;
  }
  for (let i = 0; i < index.length; i++) {
    let rest = i;
    let at = 0;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      at += (rest % to[axis]!) * strides[axis]!;
      rest = Math.floor(rest / to[axis]!);
    }
    index[i] = at;
  }
  return index;
}

/** An axis counted from the end when negative, as in numpy; undefined where the shape has no such axis. */
export function resolveAxis(shape: Shape, axis: number): number | undefined {
  const resolved = axis < 0 ? axis + shape.length : axis;
  return Number.isInteger(resolved) && resolved >= 0 && resolved < shape.length ? resolved : undefined;
}
