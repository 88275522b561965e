/**
 * A view of a storage as contiguous elements.
 *
 * | symbol | meaning                                                   | shape        |
 * | ------ | --------------------------------------------------------- | ------------ |
 * | d      | lengths, outermost first                                  | rank         |
 * | s      | strides: element (i_0, i_1, …) lies at offset + Σ i_a s_a | rank         |
 * | n      | elements of the storage                                   | 1            |
 *
 * Source: pytorch `torch/_utils.py` `_rebuild_tensor` (`Tensor.set_(storage, offset, size, stride)`).
 */
import { ELEMENT } from '../dtype.ts';
import { showShape } from '../message.ts';
import { elementCount } from '../tensor.ts';
import type { StoredTensor } from './values.ts';

/** Why the view cannot be: it reaches outside the storage or is beyond counting. undefined when it is right. */
export function viewFault({ storage, dtype, shape, strides, offset }: StoredTensor): string | undefined {
  const count = elementCount(shape);
  const width = ELEMENT[dtype].bytes;
  if (count === undefined || !Number.isSafeInteger(count * width)) {
    return `shape ${showShape(shape)} has more elements than can be counted; the pickle is damaged`;
  }
  // A view without elements touches nothing, whatever its offset says.
  if (count === 0) return undefined;
  const bytes = storage.count * ELEMENT[storage.dtype].bytes;
  const last = shape.reduce((at, length, axis) => at + (length - 1) * strides[axis], offset);
  if (!Number.isSafeInteger(last) || (last + 1) * width > bytes) {
    return `shape ${showShape(shape)} with strides ${showShape(strides)} from element ${offset} leads past its storage of ${bytes} bytes; the pickle is damaged`;
  }
  return undefined;
}

/** Whether the elements lie one after the other, in order. Strides along axes of one element say nothing. */
function isContiguous({ shape, strides }: StoredTensor): boolean {
  let next = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== next) return false;
    next *= shape[axis];
  }
  return true;
}

/**
 * The bytes of the view's elements in row-major order: of the storage itself where they lie so, else a copy.
 *
 * @param bytes the storage, aligned to the element; `viewFault` has found nothing.
 */
export function gather(bytes: Uint8Array, view: StoredTensor): Uint8Array {
  const { dtype, shape, strides, offset } = view;
  const width = ELEMENT[dtype].bytes;
  const count = elementCount(shape)!;
  if (count === 0) return new Uint8Array(0);
  if (isContiguous(view)) return bytes.subarray(offset * width, (offset + count) * width);
  const Cells = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array }[width]!;
  const from = new Cells(bytes.buffer as ArrayBuffer, bytes.byteOffset, Math.floor(bytes.length / width));
  const out = new Cells(count);
  const index = shape.map(() => 0);
  let at = offset;
  for (let i = 0; i < count; i++) {
    out[i] = from[at];
    // Counts up like an odometer, the last axis fastest.
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return new Uint8Array(out.buffer);
}
