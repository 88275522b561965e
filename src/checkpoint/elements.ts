/** A tensor's elements from the bytes of a file and back. Little-endian, row-major. */
import { BackendError, FormatError, ParameterError } from '../errors.ts';
import { ELEMENT, type DType } from './dtype.ts';
import { fromBF16Bits, fromF16Bits, toBF16Bits, toF16Bits } from './half.ts';
import type { TensorInfo } from './header.ts';
import { quote } from './message.ts';
import type { Tensor } from './tensor.ts';

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function requireLittleEndian(): void {
  // Files hold little-endian numbers and so do typed arrays on every machine that Node and browsers run on today
  // but for s390x, where they would come out garbled.
  if (!LITTLE_ENDIAN) {
    throw new BackendError(
      'this machine is big-endian, safetensors are not; convert the weights on another machine',
    );
  }
}

/** Index of the first element that is NaN or infinite, or -1. */
function firstNonFinite(data: Tensor['data']): number {
  for (let i = 0; i < data.length; i++) {
    if (!Number.isFinite(data[i])) return i;
  }
  return -1;
}

/**
 * The tensor that `info` describes.
 *
 * @param bytes its bytes. The tensor is a view of them where they are aligned and need no widening, else a copy.
 * @throws FormatError for NaN and infinities, unless they are allowed.
 */
export function decodeElements(
  bytes: Uint8Array,
  { dtype, shape }: TensorInfo,
  name: string,
  source: string,
  allowNonFinite: boolean,
): Tensor {
  requireLittleEndian();
  const element = ELEMENT[dtype];
  const count = bytes.length / element.bytes;
  const half = dtype === 'F16' ? fromF16Bits : dtype === 'BF16' ? fromBF16Bits : undefined;
  const aligned = bytes.byteOffset % element.bytes === 0 ? bytes : bytes.slice();
  const data = half
    ? Float32Array.from(new Uint16Array(aligned.buffer, aligned.byteOffset, count), half)
    : new element.array(aligned.buffer, aligned.byteOffset, count);
  const at = element.float && !allowNonFinite ? firstNonFinite(data) : -1;
  if (at >= 0) {
    throw new FormatError(
      `${source}: element ${at} of tensor ${quote(name)} (${dtype}) is ${data[at]}; the weights are damaged, or pass allowNonFinite`,
    );
  }
  return { dtype, shape, data };
}

/** The largest finite number of the types that round what they are given. */
const LARGEST: Partial<Record<DType, string>> = { F16: '65504', BF16: '3.39e38' };

/**
 * The bytes of a tensor; F16 and BF16 rounded to the nearest, ties to even. A view where nothing is rounded.
 *
 * @throws ParameterError for NaN and infinities, also those that rounding makes, unless they are allowed.
 */
export function encodeElements(tensor: Tensor, name: string, allowNonFinite: boolean): Uint8Array {
  requireLittleEndian();
  const { dtype, data } = tensor;
  const at = ELEMENT[dtype].float && !allowNonFinite ? firstNonFinite(data) : -1;
  if (at >= 0) {
    throw new ParameterError(
      `element ${at} of tensor ${quote(name)} is ${data[at]}; did the training diverge? Pass allowNonFinite to write it all the same`,
    );
  }
  if (dtype !== 'F16' && dtype !== 'BF16')
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const [encode, infinity] = dtype === 'F16' ? [toF16Bits, 0x7c00] : [toBF16Bits, 0x7f80];
  const bits = Uint16Array.from(data as Float32Array, encode);
  const over = allowNonFinite ? -1 : bits.findIndex((pattern) => (pattern & 0x7fff) === infinity);
  if (over >= 0) {
    throw new ParameterError(
      `element ${over} of tensor ${quote(name)} is ${data[over]}, beyond the ${LARGEST[dtype]} of ${dtype}; write it as F32`,
    );
  }
  return new Uint8Array(bits.buffer);
}
