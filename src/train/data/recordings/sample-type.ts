import { fromF16Bits, toF16Bits } from '../../../checkpoint/half.ts';

/**
 * How samples are kept in a cache. `int16`: 16-bit PCM, full scale ±1, exact for recordings of up to 16 bits; what lies
 * beyond full scale is clipped (and counted). `float16`: 11 bits at any level up to 65,504. `float32`: as computed.
 */
export type SampleType = 'int16' | 'float16' | 'float32';

interface Coding {
  readonly bytes: number;
  /** @returns the samples that had to be clipped. */
  encode(samples: Float32Array, bytes: Uint8Array): number;
  decode(bytes: Uint8Array, samples: Float32Array, at: number): void;
}

const words = (bytes: Uint8Array): Uint16Array =>
  new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);

let halves: Float32Array | undefined;
/** The value of every float16: a table is several times as fast as computing it. */
const tableOfHalves = (): Float32Array =>
  (halves ??= Float32Array.from({ length: 65_536 }, (_, bits) => fromF16Bits(bits)));

export const CODINGS: Readonly<Record<SampleType, Coding>> = {
  int16: {
    bytes: 2,
    encode(samples, bytes) {
      const out = new Int16Array(bytes.buffer, bytes.byteOffset, samples.length);
      let clipped = 0;
      for (let i = 0; i < samples.length; i++) {
        const value = Math.round(samples[i]! * 32_768);
        const kept = Math.max(-32_768, Math.min(32_767, value));
        // Full scale itself, +1, is one step too many: no clipping to speak of.
        if (kept !== value && value !== 32_768) clipped++;
        out[i] = kept;
      }
      return clipped;
    },
    decode(bytes, samples, at) {
      const from = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2);
      for (let i = 0; i < from.length; i++) samples[at + i] = from[i]! / 32_768;
    },
  },
  float16: {
    bytes: 2,
    encode(samples, bytes) {
      const out = words(bytes);
      for (let i = 0; i < samples.length; i++) out[i] = toF16Bits(samples[i]!);
      return 0;
    },
    decode(bytes, samples, at) {
      const table = tableOfHalves();
      const from = words(bytes);
      for (let i = 0; i < from.length; i++) samples[at + i] = table[from[i]!]!;
    },
  },
  float32: {
    bytes: 4,
    encode(samples, bytes) {
      new Float32Array(bytes.buffer, bytes.byteOffset, samples.length).set(samples);
      return 0;
    },
    decode(bytes, samples, at) {
      samples.set(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4), at);
    },
  },
};
