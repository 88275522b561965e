import { FormatError } from '../../errors.ts';
import type { AudioReader } from '../audio-reader.ts';
import { openBytes, type Bytes } from './bytes.ts';
import { decodeBlocks, loadDecoder, type DecoderClass } from './decoder.ts';

/** The largest Ogg page (RFC 3533, section 6): its header, 255 segments of 255 bytes. */
const MOST_PAGE = 27 + 255 + 255 * 255;
/** Header flag of the last page of a stream. */
const LAST = 4;
const NOTHING = new Uint8Array(0);

/**
 * An Ogg Vorbis file through libvorbis (WebAssembly). A file that was cut short lacks the page that is marked as the
 * last (RFC 3533, section 6); a damaged page is left out by the decoder, and frames are missing then.
 */
export async function openVorbis(path: string): Promise<AudioReader> {
  const { OggVorbisDecoder } = await loadDecoder<{ OggVorbisDecoder: DecoderClass }>(
    '@wasm-audio-decoders/ogg-vorbis',
    `reading ${path}`,
  );
  const bytes = openBytes(path);
  // The identification header (Vorbis I, section 4.2.2) is the only packet of the first page.
  const head = bytes.read(0, 512);
  const packet = 27 + head[26]!;
  const channels = head[packet + 11] ?? 0;
  const sampleRate = head.length < packet + 16 ? 0 : new DataView(head.buffer).getUint32(packet + 12, true);
  if (channels === 0 || sampleRate === 0) {
    bytes.close();
    throw new FormatError(`${path}: ${channels} channels at ${sampleRate} Hz; the Ogg file is damaged`);
  }
  const frames = lastPosition(bytes);
  return {
    info: { format: 'vorbis', sampleRate, channels, frames },
    async *blocks() {
      let decoded = 0;
      for await (const block of decodeBlocks(path, bytes, channels, OggVorbisDecoder, NOTHING, (x) => x)) {
        decoded += block.length / channels;
        yield block;
      }
      if (frames === undefined || decoded < frames) {
        throw new FormatError(
          `${path}: cut short or damaged, ${decoded} frames can be decoded` +
            `${frames === undefined ? ' and its last page is missing' : ` of ${frames}`}; fetch it again, or skip it`,
        );
      }
    },
    close: () => Promise.resolve(bytes.close()),
  };
}

/** Frames at the end of the last page; undefined where the stream has no last page. */
function lastPosition(bytes: Bytes): number | undefined {
  const tail = bytes.read(Math.max(0, bytes.length - MOST_PAGE), MOST_PAGE);
  for (let at = tail.length - 27; at >= 0; at--) {
    if (tail[at] !== 0x4f || tail[at + 1] !== 0x67 || tail[at + 2] !== 0x67 || tail[at + 3] !== 0x53)
      continue;
    if ((tail[at + 5]! & LAST) === 0) return undefined;
    return Number(new DataView(tail.buffer).getBigInt64(at + 6, true));
  }
  return undefined;
}
