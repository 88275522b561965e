import { decodeALaw, decodeMuLaw } from './g711.ts';
import { decodeImaBlock } from './ima-adpcm.ts';
import type { Decode, WavFormat } from './types.ts';

/*
 * bytes   whole blocks of a WAV file                       blocks × blockAlign
 * out     samples, time-major                              frames × channels
 */

/**
 * Where the bits of a PCM sample sit when its container has room to spare: at the top, as the standard has
 * it, or at the bottom, as some writers do.
 */
export type Justified = 'left' | 'right';

/**
 * The decoder of a format. PCM is divided by 2^(containerBits − 1), one byte is unsigned around 128; the
 * division is exact, and the result is rounded once, to the precision of `out`.
 */
export function decoderOf(format: WavFormat, littleEndian: boolean, justified: Justified): Decode {
  switch (format.coding) {
    case 'alaw':
      return decodeALaw;
    case 'mulaw':
      return decodeMuLaw;
    case 'ima-adpcm':
      return (bytes, out, at) => decodeImaBlock(bytes, format.channels, out, at);
    case 'float':
      return format.containerBits === 32 ? float32(littleEndian) : float64(littleEndian);
    case 'pcm':
      return pcm(format, littleEndian, justified);
  }
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function float32(littleEndian: boolean): Decode {
  return (bytes, out, at) => {
    const view = viewOf(bytes);
    for (let i = 0; i + 4 <= bytes.length; i += 4) out[at++] = view.getFloat32(i, littleEndian);
  };
}

function float64(littleEndian: boolean): Decode {
  return (bytes, out, at) => {
    const view = viewOf(bytes);
    for (let i = 0; i + 8 <= bytes.length; i += 8) out[at++] = view.getFloat64(i, littleEndian);
  };
}

function pcm(
  { containerBits, bitsPerSample }: WavFormat,
  littleEndian: boolean,
  justified: Justified,
): Decode {
  if (containerBits === 8) {
    return (bytes, out, at) => {
      for (let i = 0; i < bytes.length; i++) out[at++] = (bytes[i]! - 128) / 128;
    };
  }
  if (justified === 'right') return pcmRight(containerBits / 8, bitsPerSample, littleEndian);
  if (containerBits === 16) {
    return (bytes, out, at) => {
      const view = viewOf(bytes);
      for (let i = 0; i + 2 <= bytes.length; i += 2) out[at++] = view.getInt16(i, littleEndian) / 0x8000;
    };
  }
  if (containerBits === 24) {
    const [high, low] = littleEndian ? [1, 0] : [0, 2];
    return (bytes, out, at) => {
      const view = viewOf(bytes);
      for (let i = 0; i + 3 <= bytes.length; i += 3) {
        out[at++] = (view.getInt16(i + high, littleEndian) * 256 + bytes[i + low]!) / 0x80_0000;
      }
    };
  }
  if (containerBits === 32) {
    return (bytes, out, at) => {
      const view = viewOf(bytes);
      for (let i = 0; i + 4 <= bytes.length; i += 4) out[at++] = view.getInt32(i, littleEndian) / 0x8000_0000;
    };
  }
  const width = containerBits / 8;
  const scale = 2 ** (containerBits - 1);
  return (bytes, out, at) => {
    for (let i = 0; i + width <= bytes.length; i += width) {
      // Number() rounds a 64-bit integer to the nearest double; up to 53 bits it is exact.
      out[at++] = Number(BigInt.asIntN(containerBits, integer(bytes, i, width, littleEndian))) / scale;
    }
  };
}

function pcmRight(width: number, bits: number, littleEndian: boolean): Decode {
  const scale = 2 ** (bits - 1);
  return (bytes, out, at) => {
    for (let i = 0; i + width <= bytes.length; i += width) {
      out[at++] = Number(BigInt.asIntN(bits, integer(bytes, i, width, littleEndian))) / scale;
    }
  };
}

function integer(bytes: Uint8Array, at: number, width: number, littleEndian: boolean): bigint {
  let value = 0n;
  for (let k = 0; k < width; k++) {
    value = value * 256n + BigInt(bytes[littleEndian ? at + width - 1 - k : at + k]!);
  }
  return value;
}

/**
 * Looks at the first samples of a file whose containers have room to spare. A left-justified sample leaves
 * the spare bits at the bottom 0. Where some are set, and those at the top of every sample are all 0 or all
 * copies of the sign, the samples sit at the bottom.
 */
export function justification(format: WavFormat, head: Uint8Array, littleEndian: boolean): Justified {
  const spare = format.containerBits - format.bitsPerSample;
  const width = format.containerBits / 8;
  if (format.coding !== 'pcm' || spare === 0 || width === 1) return 'left';
  const lowMask = (1n << BigInt(spare)) - 1n;
  let lowBits = false;
  for (let i = 0; i + width <= head.length; i += width) {
    const value = integer(head, i, width, littleEndian);
    const top = value >> BigInt(format.bitsPerSample);
    const negative = ((value >> BigInt(format.bitsPerSample - 1)) & 1n) === 1n;
    if (top !== 0n && !(negative && top === lowMask)) return 'left';
    lowBits ||= (value & lowMask) !== 0n;
  }
  return lowBits ? 'right' : 'left';
}
