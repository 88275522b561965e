/**
 * A tensor of a checkpoint: elements in row-major order (the last index runs fastest), with the type and the
 * shape they had in the file.
 */
import { ArgumentError } from '../errors.ts';
import { ELEMENT, isDType, type DType, type TensorData } from './dtype.ts';
import { quote, showShape } from './message.ts';

export interface Tensor {
  /** The element type in the file. */
  readonly dtype: DType;
  /** Lengths, outermost first; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** `product(shape)` elements; F16 and BF16 widened to float32, I64 and U64 as BigInt. */
  readonly data: TensorData;
}

/**
 * The number of elements of a shape, or undefined where a length is no natural number or the product is not
 * exact in a double.
 */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const length of shape) {
    if (!Number.isSafeInteger(length) || length < 0) return undefined;
    count *= length;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/**
 * Puts data, type and shape together and checks that they agree.
 *
 * @param name only for messages.
 * @throws ArgumentError when the array's class is not the one of `dtype`, or its length not the shape's product.
 * @example
 * const bias = tensor('F32', [2], Float32Array.of(0.5, -0.5));
 */
export function tensor(dtype: DType, shape: readonly number[], data: TensorData, name = 'tensor'): Tensor {
  if (!isDType(dtype)) {
    throw new ArgumentError(
      `${name}: dtype ${quote(String(dtype))} cannot be held; use one such as "F32" or "F64"`,
    );
  }
  const Expected = ELEMENT[dtype].array;
  if (!(data instanceof Expected)) {
    throw new ArgumentError(
      `${name}: ${dtype} elements are held in a ${Expected.name}, not in a ${(data as object).constructor.name}`,
    );
  }
  const count = elementCount(shape);
  if (count !== data.length) {
    throw new ArgumentError(
      `${name}: shape ${showShape(shape)} has ${count ?? 'no countable number of'} elements, the data ${data.length}; give one that fits the other`,
    );
  }
  return { dtype, shape: [...shape], data };
}

/**
 * The elements as float64, always in a new array. Every type but I64 and U64 widens exactly.
 *
 * @returns `product(shape)` numbers; BOOL as 0 and 1.
 * @throws ArgumentError when a 64-bit integer has no exact double.
 */
export function toFloat64(tensor: Tensor): Float64Array {
  const { dtype, data } = tensor;
  const out = new Float64Array(data.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < out.length; i++) {
      out[i] = Number(data[i]);
      if (BigInt(out[i]) !== data[i]) {
        throw new ArgumentError(
          `${dtype} element ${i} is ${data[i]}, which float64 cannot hold exactly; use the BigInt data itself`,
        );
      }
    }
  } else if (dtype === 'BOOL') {
    for (let i = 0; i < out.length; i++) out[i] = data[i] === 0 ? 0 : 1;
  } else {
    out.set(data);
  }
  return out;
}

/**
 * The elements rounded to float32, always in a new array; exact for F32, F16, BF16, BOOL and integers of up to
 * 16 bits.
 *
 * @throws ArgumentError as `toFloat64`.
 */
export const toFloat32 = (tensor: Tensor): Float32Array => Float32Array.from(toFloat64(tensor));
