import { SAMPLE_BYTES, type WavEncoding } from './encode.ts';

const UNKNOWN = 0xffff_ffff;

/** What a header is made of. */
export interface WavLayout {
  readonly sampleRate: number;
  readonly channels: number;
  readonly encoding: WavEncoding;
}

/**
 * Speakers of 1 to 8 channels in the order of WAVEFORMATEXTENSIBLE: centre; left and right; with centre;
 * quad; 5.0; 5.1; 6.1; 7.1. Beyond that no position is claimed.
 */
const SPEAKERS = [0, 0x4, 0x3, 0x7, 0x33, 0x37, 0x3f, 0x13f, 0x63f];

/**
 * The header of a WAV file, up to its first sample.
 *
 * - `dataBytes` undefined: a pipe. All sizes are 0xFFFFFFFF, which readers take for "to the end".
 * - otherwise 36 bytes are reserved in front (`JUNK`), which become the `ds64` of an RF64 (EBU Tech 3306)
 *   once the file is longer than `limit` bytes.
 *
 * WAVE_FORMAT_EXTENSIBLE for more than two channels or PCM of more than 16 bits, as Microsoft asks for;
 * float carries a `fact` chunk.
 */
export function wavHeader(
  { sampleRate, channels, encoding }: WavLayout,
  dataBytes: number | undefined,
  limit = UNKNOWN,
): Uint8Array<ArrayBuffer> {
  const width = SAMPLE_BYTES[encoding];
  const float = encoding.startsWith('float');
  const extensible = channels > 2 || (!float && width > 2);
  const fmtSize = extensible ? 40 : float ? 18 : 16;
  const piped = dataBytes === undefined;
  const length = 12 + (piped ? 0 : 36) + 8 + fmtSize + (float ? 12 : 0) + 8;
  const frames = piped ? UNKNOWN : dataBytes / (width * channels);
  const riffSize = piped ? UNKNOWN : length - 8 + dataBytes + (dataBytes % 2);
  const wide = !piped && riffSize > limit;

  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const id = (text: string): void => {
    for (const letter of text) bytes[at++] = letter.charCodeAt(0);
  };
  const u16 = (value: number): void => {
    view.setUint16(at, value, true);
    at += 2;
  };
  const u32 = (value: number): void => {
    view.setUint32(at, value, true);
    at += 4;
  };
  const u64 = (value: number): void => {
    view.setBigUint64(at, BigInt(value), true);
    at += 8;
  };

  id(wide ? 'RF64' : 'RIFF');
  u32(wide ? UNKNOWN : riffSize);
  id('WAVE');
  if (!piped) {
    id(wide ? 'ds64' : 'JUNK');
    u32(28);
    u64(wide ? riffSize : 0);
    u64(wide ? dataBytes : 0);
    u64(wide ? frames : 0);
    u32(0);
  }
  id('fmt ');
  u32(fmtSize);
  const tag = float ? 3 : 1;
  u16(extensible ? 0xfffe : tag);
  u16(channels);
  u32(sampleRate);
  u32(Math.min(sampleRate * channels * width, UNKNOWN));
  u16(channels * width);
  u16(8 * width);
  if (fmtSize > 16) u16(fmtSize - 18);
  if (extensible) {
    u16(8 * width);
    u32(SPEAKERS[channels] ?? 0);
    u32(tag);
    for (const byte of [0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71]) bytes[at++] = byte;
  }
  if (float) {
    id('fact');
    u32(4);
    u32(wide ? UNKNOWN : frames);
  }
  id('data');
  u32(wide || piped ? UNKNOWN : dataBytes);
  return bytes;
}
