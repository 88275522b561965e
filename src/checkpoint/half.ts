/**
 * The two 16-bit float formats of checkpoints, to and from bits.
 *
 * | symbol | meaning                                        | F16 | BF16 |
 * | ------ | ---------------------------------------------- | --- | ---- |
 * | m      | bits of the stored significand                 | 10  | 7    |
 * | eMin   | exponent of the smallest normal number         | -14 | -126 |
 * | inf    | bit pattern of infinity, sign left out         | 7c00 | 7f80 |
 *
 * A finite number with exponent field f > 0 is (2^m + fraction) · 2^(f - 1 + eMin - m), with f = 0 it is
 * fraction · 2^(eMin - m).
 *
 * Source: IEEE 754-2019 §3.4 (binary16) and §4.3.1 (roundTiesToEven); bfloat16 is binary32's upper half.
 */

interface HalfFormat {
  readonly m: number;
  readonly eMin: number;
  readonly inf: number;
}

const F16: HalfFormat = { m: 10, eMin: -14, inf: 0x7c00 };
const BF16: HalfFormat = { m: 7, eMin: -126, inf: 0x7f80 };

const scratch = new Float64Array(1);
const scratchBytes = new DataView(scratch.buffer);

/**
 * The bits of the number of `format` that is nearest to `x`, ties to even. Rounds once, from float64, so that a
 * value does not pass through float32 first (two roundings can differ from one). Too large becomes infinity.
 */
function encode(x: number, { m, eMin, inf }: HalfFormat): number {
  scratchBytes.setFloat64(0, x);
  const high = scratchBytes.getUint32(0);
  const sign = (high >>> 31) << 15;
  // The quiet NaN: infinity's exponent and the highest bit of the significand.
  if (Number.isNaN(x)) return sign | inf | (1 << (m - 1));
  const exponent = Math.max(((high >>> 20) & 0x7ff) - 1023, eMin);
  // Scaling by a power of two is exact, and adding 2^52 leaves no bits for a fraction: the sum rounds to even.
  const scaled = Math.abs(x) * 2 ** (m - exponent);
  if (!(scaled < 2 ** (m + 1))) return sign | inf;
  const units = scaled + 2 ** 52 - 2 ** 52;
  // 2^m of the units are the implied one of a normal number; below them, and on a carry, the sum comes out right.
  return sign | Math.min(inf, (exponent - eMin) * 2 ** m + units);
}

function decode(bits: number, { m, eMin, inf }: HalfFormat): number {
  const magnitude = bits & 0x7fff;
  const field = magnitude >>> m;
  const fraction = magnitude & (2 ** m - 1);
  let value: number;
  if (magnitude >= inf) value = magnitude === inf ? Infinity : NaN;
  else if (field === 0) value = fraction * 2 ** (eMin - m);
  else value = (2 ** m + fraction) * 2 ** (field - 1 + eMin - m);
  return bits & 0x8000 ? -value : value;
}

/** The F16 (binary16) bits nearest to `x`, ties to even; above 65,504 (by half a step) infinity. */
export const toF16Bits = (x: number): number => encode(x, F16);
/** The number that F16 bits stand for, exactly. */
export const fromF16Bits = (bits: number): number => decode(bits, F16);
/** The BF16 bits nearest to `x`, ties to even. */
export const toBF16Bits = (x: number): number => encode(x, BF16);
/** The number that BF16 bits stand for, exactly. */
export const fromBF16Bits = (bits: number): number => decode(bits, BF16);
