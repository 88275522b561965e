import { tpdf } from './dither.ts';

/** How the writer codes its samples. */
export type WavEncoding = 'pcm8' | 'pcm16' | 'pcm24' | 'pcm32' | 'float32' | 'float64';

/** Bytes of a sample. */
export const SAMPLE_BYTES: Readonly<Record<WavEncoding, number>> = {
  pcm8: 1,
  pcm16: 2,
  pcm24: 3,
  pcm32: 4,
  float32: 4,
  float64: 8,
};

/** What was written so far. */
export interface WavWriterStats {
  frames: number;
  /** The largest magnitude seen, 1 being full scale. */
  peak: number;
  /** Samples beyond ±1, which PCM cannot hold: they were clipped. Always 0 for float encodings. */
  clipped: number;
  /** Samples that were NaN: 0 in PCM, left as they are in float encodings. */
  notANumber: number;
}

/** Encodes samples to little-endian bytes, counting in `stats` (all but its frames). */
export type Encode = (samples: Float32Array | Float64Array, stats: WavWriterStats) => Uint8Array<ArrayBuffer>;

/**
 * PCM is `clamp(round(x · 2^(bits − 1)))`, half rounded up, one byte being unsigned: the inverse of the
 * reader's division, so every integer sample survives a round trip. `dither` adds triangular noise of ±1
 * step before rounding, from a seeded generator: the same samples give the same file.
 */
export function encoderOf(encoding: WavEncoding, dither: boolean): Encode {
  const width = SAMPLE_BYTES[encoding];
  if (encoding === 'float32' || encoding === 'float64') {
    return (samples, stats) => {
      const bytes = new Uint8Array(samples.length * width);
      const view = new DataView(bytes.buffer);
      for (let i = 0; i < samples.length; i++) {
        const x = samples[i]!;
        const magnitude = Math.abs(x);
        if (magnitude > stats.peak) stats.peak = magnitude;
        else if (x !== x) stats.notANumber++;
        if (width === 4) view.setFloat32(4 * i, x, true);
        else view.setFloat64(8 * i, x, true);
      }
      return bytes;
    };
  }
  const scale = 2 ** (8 * width - 1);
  const noise = dither ? tpdf() : undefined;
  return (samples, stats) => {
    const bytes = new Uint8Array(samples.length * width);
    const view = new DataView(bytes.buffer);
    for (let i = 0, at = 0; i < samples.length; i++, at += width) {
      const x = samples[i]!;
      const magnitude = Math.abs(x);
      if (magnitude > stats.peak) stats.peak = magnitude;
      if (magnitude > 1) stats.clipped++;
      let value = Math.floor(x * scale + 0.5 + (noise === undefined ? 0 : noise()));
      if (value >= scale) value = scale - 1;
      else if (value < -scale) value = -scale;
      else if (value !== value) {
        value = 0;
        stats.notANumber++;
      }
      if (width === 2) view.setInt16(at, value, true);
      else if (width === 3) {
        view.setInt16(at + 1, value >> 8, true);
        bytes[at] = value;
      } else if (width === 4) view.setInt32(at, value, true);
      else bytes[at] = value + 128;
    }
    return bytes;
  };
}
