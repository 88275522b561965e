import { FormatError } from '../../errors.ts';
import { showShape } from '../message.ts';

/** Says what is wrong with a layer, and what to do about it. */
export type Refuse = (message: string) => never;

export const refuseIn =
  (source: string, place: string): Refuse =>
  (message) => {
    throw new FormatError(`${source}: ${place}: ${message}`);
  };

/** Lengths of nested lists by their first elements, outermost first; four axes at most are looked at. */
export function shapeOf(value: unknown): number[] {
  const shape: number[] = [];
  for (let inner = value; Array.isArray(inner) && shape.length < 4; inner = inner[0] as unknown)
    shape.push(inner.length);
  return shape;
}

/**
 * Nested lists of numbers as one row-major array, every list of the length that the shape says.
 *
 * @param what the tensor's name in messages.
 */
export function numbers(
  value: unknown,
  shape: readonly number[],
  what: string,
  refuse: Refuse,
): Float64Array {
  const flat: number[] = [];
  const visit = (part: unknown, axis: number, path: string): void => {
    if (axis === shape.length) {
      if (typeof part !== 'number' || !Number.isFinite(part))
        refuse(`${what}${path} is ${show(part)}; export the model again, with finite numbers alone`);
      flat.push(part as number);
      return;
    }
    if (!Array.isArray(part) || part.length !== shape[axis]) {
      refuse(
        `${what}${path} is ${Array.isArray(part) ? `a list of ${part.length}` : show(part)}, but ${what} has to be ` +
          `${showShape(shape)}; check the layer's sizes against its weights, and export the model again`,
      );
    }
    (part as unknown[]).forEach((inner, i) => visit(inner, axis + 1, `${path}[${i}]`));
  };
  visit(value, 0, '');
  return Float64Array.from(flat);
}

/** (rows × columns) → (columns × rows). */
export function transpose(values: Float64Array, rows: number, columns: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j];
  return result;
}

/** Blocks of a vector or of a matrix's rows in another order: block i of the result is block `order[i]`. */
export function reorder(values: Float64Array, order: readonly number[]): Float64Array {
  const size = values.length / order.length;
  const result = new Float64Array(values.length);
  order.forEach((from, to) => result.set(values.subarray(from * size, (from + 1) * size), to * size));
  return result;
}

/** A value on one line, cut when it is long. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
