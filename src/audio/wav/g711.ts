import type { Decode } from './types.ts';

/**
 * The two laws of ITU-T G.711 as 256 values each, at the 16-bit scale that every implementation uses
 * (µ-law: 14 bits, A-law: 13 bits, both shifted to the top), full scale ±1.
 */
const MU_LAW = table((code) => {
  const bits = ~code & 0xff;
  const exponent = (bits >> 4) & 7;
  // 33 (132 at this scale) is the bias of the law, table 2a.
  const magnitude = ((((bits & 15) << 3) + 132) << exponent) - 132;
  return (bits & 0x80) === 0 ? magnitude : 0 - magnitude;
});

const A_LAW = table((code) => {
  // Even bits are sent inverted, table 1a; the sign bit is set for positive values.
  const bits = code ^ 0x55;
  const exponent = (bits >> 4) & 7;
  const mantissa = ((bits & 15) << 4) + 8;
  const magnitude = exponent === 0 ? mantissa : (mantissa + 256) << (exponent - 1);
  return (bits & 0x80) === 0 ? 0 - magnitude : magnitude;
});

function table(decode: (code: number) => number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, code) => decode(code) / 32_768);
}

/** µ-law, one byte a sample. */
export const decodeMuLaw: Decode = (bytes, out, at) => {
  for (let i = 0; i < bytes.length; i++) out[at++] = MU_LAW[bytes[i]!]!;
};

/** A-law, one byte a sample. */
export const decodeALaw: Decode = (bytes, out, at) => {
  for (let i = 0; i < bytes.length; i++) out[at++] = A_LAW[bytes[i]!]!;
};
