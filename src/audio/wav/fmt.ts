import { FormatError } from '../../errors.ts';
import type { WavFormat } from './types.ts';

const TAG_PCM = 0x0001;
const TAG_FLOAT = 0x0003;
const TAG_ALAW = 0x0006;
const TAG_MULAW = 0x0007;
const TAG_IMA_ADPCM = 0x0011;
const TAG_EXTENSIBLE = 0xfffe;

/** Names for the refusals only (RFC 2361, appendix A). */
const REFUSED: Readonly<Record<number, string>> = {
  0x0002: 'Microsoft ADPCM',
  0x0031: 'GSM 6.10',
  0x0050: 'MPEG',
  0x0055: 'MP3',
  0x0092: 'Dolby AC-3',
  0x0161: 'Windows Media Audio',
  0x674f: 'Ogg Vorbis',
  0xf1ac: 'FLAC',
};

/** The last 12 bytes of every KSDATAFORMAT_SUBTYPE GUID, big-endian files storing its first fields reversed. */
const GUID_TAIL_LE = [0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71];
const GUID_TAIL_BE = [0x00, 0x00, 0x00, 0x10, 0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71];

const hex = (tag: number): string => `0x${tag.toString(16).padStart(4, '0')}`;

/**
 * Reads the content of a `fmt ` chunk (WAVEFORMAT, PCMWAVEFORMAT, WAVEFORMATEX or WAVEFORMATEXTENSIBLE of
 * Microsoft's mmreg.h). Of its redundant fields the bytes a second are only checked (`warn`); a block
 * alignment of 0 is computed; one that no whole number of bytes a sample explains is refused.
 */
export function parseFmt(chunk: Uint8Array, littleEndian: boolean, warn: (text: string) => void): WavFormat {
  if (chunk.length < 16) {
    throw new FormatError(
      `The WAV "fmt " chunk holds ${chunk.length} bytes and needs 16; the file is damaged.`,
    );
  }
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const u16 = (at: number): number => view.getUint16(at, littleEndian);
  const u32 = (at: number): number => view.getUint32(at, littleEndian);

  let tag = u16(0);
  const channels = u16(2);
  const sampleRate = u32(4);
  const byteRate = u32(8);
  const storedAlign = u16(12);
  const declaredBits = u16(14);
  const extensible = tag === TAG_EXTENSIBLE;
  let bits = declaredBits;
  let channelMask = 0;

  if (channels === 0) throw new FormatError('The WAV header says 0 channels; the file is damaged.');
  if (sampleRate === 0)
    throw new FormatError('The WAV header says a sample rate of 0 Hz; the file is damaged.');
  if (extensible) {
    if (chunk.length < 40) {
      throw new FormatError(
        `The WAV header is a WAVE_FORMAT_EXTENSIBLE of ${chunk.length} bytes, which needs 40; the file is damaged.`,
      );
    }
    const tail = littleEndian ? GUID_TAIL_LE : GUID_TAIL_BE;
    if (!tail.every((byte, i) => chunk[28 + i] === byte)) {
      throw new FormatError(
        `The WAV header names its format by the unknown GUID ${Buffer.from(chunk.subarray(24, 40)).toString('hex')}; convert the file to PCM.`,
      );
    }
    tag = u32(24);
    channelMask = u32(20);
    const valid = u16(18);
    if (valid > 0 && valid <= declaredBits) bits = valid;
    else if (valid !== declaredBits) {
      warn(`the header says ${valid} valid bits a sample in ${declaredBits}: read as ${declaredBits}`);
    }
  }

  const common = { sampleRate, channels, extensible, channelMask };
  if (tag === TAG_IMA_ADPCM) {
    // Each channel has a header of 4 bytes a block, then words of 4 bytes, 8 samples each, in turn.
    if (declaredBits !== 4 || storedAlign === 0 || storedAlign % (4 * channels) !== 0) {
      throw new FormatError(
        `The WAV header says IMA ADPCM with ${declaredBits} bits and blocks of ${storedAlign} bytes for ${channels} channels; it needs 4 bits and a multiple of ${4 * channels} bytes.`,
      );
    }
    const framesPerBlock = (storedAlign / (4 * channels) - 1) * 8 + 1;
    const said = chunk.length >= 20 ? u16(18) : framesPerBlock;
    if (said !== framesPerBlock)
      warn(`the header says ${said} samples a block, a block holds ${framesPerBlock}`);
    return {
      coding: 'ima-adpcm',
      ...common,
      bitsPerSample: 4,
      containerBits: 16,
      blockAlign: storedAlign,
      framesPerBlock,
    };
  }

  if (tag !== TAG_PCM && tag !== TAG_FLOAT && tag !== TAG_ALAW && tag !== TAG_MULAW) {
    const name = REFUSED[tag];
    throw new FormatError(
      `The WAV header says format ${hex(tag)}${name === undefined ? '' : ` (${name})`}; PCM, float, A-law, µ-law and IMA ADPCM can be read: convert the file.`,
    );
  }
  if (bits === 0 || bits > 64) {
    throw new FormatError(
      `The WAV header says ${bits} bits a sample; 1 to 64 can be read. The file is damaged.`,
    );
  }
  let blockAlign = storedAlign;
  if (blockAlign === 0) {
    blockAlign = channels * Math.ceil(declaredBits / 8);
    warn(`the header says frames of 0 bytes: read as ${blockAlign}`);
  }
  const container = blockAlign / channels;
  if (!Number.isInteger(container) || container * 8 < declaredBits || container > 8) {
    throw new FormatError(
      `The WAV header contradicts itself: ${channels} channels of ${declaredBits} bits do not make frames of ${blockAlign} bytes. Repair the header.`,
    );
  }
  if (byteRate !== blockAlign * sampleRate) {
    warn(`the header says ${byteRate} bytes a second, the rest of it ${blockAlign * sampleRate}`);
  }
  const format = {
    ...common,
    bitsPerSample: bits,
    containerBits: container * 8,
    blockAlign,
    framesPerBlock: 1,
  };
  if (tag === TAG_PCM) return { coding: 'pcm', ...format };
  const widths = tag === TAG_FLOAT ? [4, 8] : [1];
  if (!widths.includes(container) || declaredBits !== container * 8) {
    throw new FormatError(
      `The WAV header says ${tag === TAG_FLOAT ? 'float' : 'A-law or µ-law'} samples of ${declaredBits} bits in ${container} bytes; ${widths.map((w) => w * 8).join(' or ')} bits can be read.`,
    );
  }
  return { coding: tag === TAG_FLOAT ? 'float' : tag === TAG_ALAW ? 'alaw' : 'mulaw', ...format };
}
