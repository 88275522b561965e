import { FormatError } from '../../errors.ts';
import type { AudioReader } from '../audio-reader.ts';
import { openBytes } from './bytes.ts';
import { decodeBlocks, loadDecoder, type DecoderClass } from './decoder.ts';

/**
 * Zeros behind the file: codec-parser 2.5 looks for a frame's end at the next frame, and loses a very short last one
 * (digital silence) otherwise. They don't change a frame's CRC-16, which is 0 over frame and checksum.
 */
const TAIL = new Uint8Array(64);

/**
 * A FLAC file through libFLAC (WebAssembly). What STREAMINFO says (RFC 9639, section 8.2) is held against what comes
 * out: a file that was cut short, or has a damaged frame that was left out, gives fewer frames.
 */
export async function openFlac(path: string): Promise<AudioReader> {
  const { FLACDecoder } = await loadDecoder<{ FLACDecoder: DecoderClass }>(
    '@wasm-audio-decoders/flac',
    `reading ${path}`,
  );
  const bytes = openBytes(path);
  const head = bytes.read(0, 42);
  // 'fLaC', then a metadata block of type 0 and 34 bytes, which has to be the first.
  if (head.length < 42 || (head[4]! & 0x7f) !== 0) {
    bytes.close();
    throw new FormatError(`${path}: no STREAMINFO at the start of the FLAC file; fetch it again`);
  }
  const view = new DataView(head.buffer);
  const packed = view.getUint32(18);
  const sampleRate = packed >>> 12;
  const channels = ((packed >>> 9) & 7) + 1;
  const bits = ((packed >>> 4) & 31) + 1;
  const total = (packed & 15) * 2 ** 32 + view.getUint32(22);
  if (sampleRate === 0) {
    bytes.close();
    throw new FormatError(
      `${path}: a sample rate of 0 Hz in STREAMINFO; the file is damaged, or holds no audio`,
    );
  }
  const frames = total === 0 ? undefined : total;

  // The decoder divides by 2^(n−1) − 1; a whole number of steps of 2^(1−n) is what the file holds.
  const most = 2 ** (bits - 1) - 1;
  const exact = (sample: number): number => Math.round(sample * most) / (most + 1);
  return {
    info: { format: 'flac', sampleRate, channels, frames },
    async *blocks() {
      let decoded = 0;
      for await (const block of decodeBlocks(path, bytes, channels, FLACDecoder, TAIL, exact)) {
        decoded += block.length / channels;
        yield block;
      }
      if (frames !== undefined && decoded !== frames) {
        throw new FormatError(
          `${path}: ${decoded} of ${frames} frames can be decoded: it is damaged or cut short; fetch it again, or skip it`,
        );
      }
    },
    close: () => Promise.resolve(bytes.close()),
  };
}
