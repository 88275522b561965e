/**
 * The element types of a safetensors file that statewave reads and writes.
 *
 * Source: safetensors `tensor.rs`, enum `Dtype` (names, sizes, and the order in which the official writer
 * lays tensors out: descending, so that a tensor never follows one of a smaller alignment).
 */

/** Ascending in the official order; `writeSafetensors` lays tensors out from the last of these to the first. */
export const DTYPES = [
  'BOOL',
  'U8',
  'I8',
  'I16',
  'U16',
  'F16',
  'BF16',
  'I32',
  'U32',
  'F32',
  'F64',
  'I64',
  'U64',
] as const;

export type DType = (typeof DTYPES)[number];

/** What a tensor's elements are kept in: F16 and BF16 as float32 (exact), BOOL as 0 and not 0. */
export type TensorData =
  | Float64Array
  | Float32Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array
  | BigInt64Array
  | BigUint64Array;

interface ElementType {
  /** Bytes of one element in the file. */
  readonly bytes: number;
  /** The class that holds the elements in memory. */
  readonly array: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => TensorData;
  /** Whether an element can be NaN or infinite. */
  readonly float: boolean;
}

export const ELEMENT: Readonly<Record<DType, ElementType>> = {
  BOOL: { bytes: 1, array: Uint8Array, float: false },
  U8: { bytes: 1, array: Uint8Array, float: false },
  I8: { bytes: 1, array: Int8Array, float: false },
  I16: { bytes: 2, array: Int16Array, float: false },
  U16: { bytes: 2, array: Uint16Array, float: false },
  F16: { bytes: 2, array: Float32Array, float: true },
  BF16: { bytes: 2, array: Float32Array, float: true },
  I32: { bytes: 4, array: Int32Array, float: false },
  U32: { bytes: 4, array: Uint32Array, float: false },
  F32: { bytes: 4, array: Float32Array, float: true },
  F64: { bytes: 8, array: Float64Array, float: true },
  I64: { bytes: 8, array: BigInt64Array, float: false },
  U64: { bytes: 8, array: BigUint64Array, float: false },
};

export const isDType = (name: string): name is DType => (DTYPES as readonly string[]).includes(name);

/** The official types that statewave knows of and does not read: 8-bit and smaller floats, and complex. */
export const isUnsupportedDType = (name: string): boolean => /^(F8_\w+|F6_\w+|F4|C64)$/.test(name);
