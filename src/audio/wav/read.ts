import { ArgumentError, StreamError } from '../../errors.ts';
import { decoderOf, justification, type Justified } from './decode.ts';
import { drive, driveSync } from './drive.ts';
import { walkHeader, walkTrailer, type Parse } from './header.ts';
import { imaFrames } from './ima-adpcm.ts';
import { openSource, type ByteSource, type WavSource } from './source.ts';
import type { WavInfo } from './types.ts';

/** Bytes looked at to tell where samples sit in containers that have room to spare. */
const PEEK = 65_536;
/** Bytes after the samples of a pipe that are looked at; a pipe need not end. */
const PIPE_TRAILER = 1 << 20;

export type SampleFormat = 'float32' | 'float64';

/** A WAV file that is being read. */
export interface WavReader {
  /** What the header says. Of a pipe some of it is known only at the end: see {@link WavInfo}. */
  readonly info: WavInfo;
  /**
   * The samples, `framesPerBlock` frames a time (the last block may have fewer), each a fresh array
   * frames × channels, time-major, full scale ±1. Bytes are read only when a block is asked for. Once only;
   * leaving the loop closes the source.
   *
   * float32 holds every sample of up to 24 bits exactly; `format: 'float64'` those of up to 53 and of
   * 64-bit floats (64-bit PCM is rounded to the nearest double).
   */
  blocks(
    framesPerBlock: number,
    options?: { readonly format?: 'float32' },
  ): AsyncGenerator<Float32Array, void, void>;
  blocks(
    framesPerBlock: number,
    options: { readonly format: 'float64' },
  ): AsyncGenerator<Float64Array, void, void>;
  /** Lets go of the file or stream. Harmless twice. */
  close(): Promise<void>;
}

/**
 * Reads a WAV file of any length in constant memory: PCM of 1 to 64 bits, 32- and 64-bit float, A-law,
 * µ-law and IMA ADPCM; any number of channels; RIFF, RIFX (big-endian), RF64 and BW64;
 * WAVE_FORMAT_EXTENSIBLE; and headers that never learnt their length. Files that end too early give all
 * their whole frames (`info.truncated`, `info.warnings`).
 *
 * A sample of n bits sits at the top of its container (WAVEFORMATEXTENSIBLE's rule); the first 64 KiB of
 * samples are looked at to recognise files that put it at the bottom, which `info.warnings` then says.
 *
 * @throws ArgumentError for a source that cannot be opened, FormatError for one that is not a WAV file.
 * @example
 * const wav = await readWav('in.wav');
 * for await (const block of wav.blocks(1024)) consume(block, wav.info.channels);
 */
export async function readWav(source: WavSource): Promise<WavReader> {
  const bytes = await openSource(source);
  try {
    const parse = await drive(walkHeader(bytes.size), bytes);
    const { info, littleEndian } = parse;
    settleLength(parse, bytes.size);
    const trailerAt = parse.declared === undefined ? undefined : info.dataOffset + parse.declared;
    if (bytes.size !== undefined && trailerAt !== undefined && trailerAt < bytes.size) {
      const walk = walkTrailer(parse, trailerAt, parse.declared! % 2 === 1, bytes.size - trailerAt);
      await drive(walk, bytes.at(trailerAt)!);
    }
    let justified: Justified = 'left';
    if (mayBeRight(info)) {
      const head = await bytes.read(peekBytes(parse));
      justified = settleJustified(parse, head);
      bytes.unread(head.length);
    }
    return new Reader(parse, bytes, justified, littleEndian);
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

/**
 * Reads a whole WAV file from memory, at once.
 * @returns `samples` frames × channels, time-major, full scale ±1.
 * @throws FormatError for bytes that are not a WAV file.
 */
export function decodeWav(
  bytes: Uint8Array,
  options?: { readonly format?: 'float32' },
): { info: WavInfo; samples: Float32Array };
export function decodeWav(
  bytes: Uint8Array,
  options: { readonly format: 'float64' },
): { info: WavInfo; samples: Float64Array };
export function decodeWav(
  bytes: Uint8Array,
  { format = 'float32' }: { readonly format?: SampleFormat } = {},
): { info: WavInfo; samples: Float32Array | Float64Array } {
  const parse = driveSync(walkHeader(bytes.length), bytes, 0);
  const { info, littleEndian } = parse;
  settleLength(parse, bytes.length);
  if (parse.declared !== undefined && info.dataOffset + parse.declared < bytes.length) {
    const at = info.dataOffset + parse.declared;
    driveSync(walkTrailer(parse, at, parse.declared % 2 === 1, bytes.length - at), bytes, at);
  }
  const data = bytes.subarray(info.dataOffset, info.dataOffset + info.dataBytes!);
  const justified = mayBeRight(info) ? settleJustified(parse, data.subarray(0, peekBytes(parse))) : 'left';
  const decode = decoderOf(info, littleEndian, justified);
  const samples = room(format, info.frames! * info.channels);
  if (info.framesPerBlock === 1) {
    decode(data.subarray(0, info.frames! * info.blockAlign), samples, 0);
  } else {
    // The last block may hold more frames than the file counts: writes beyond the array are dropped.
    for (let at = 0, block = 0; at < data.length; at += info.blockAlign, block++) {
      decode(data.subarray(at, at + info.blockAlign), samples, block * info.framesPerBlock * info.channels);
    }
  }
  return { info, samples };
}

class Reader implements WavReader {
  readonly info: WavInfo;
  readonly #parse: Parse;
  readonly #bytes: ByteSource;
  readonly #justified: Justified;
  readonly #littleEndian: boolean;
  #taken = false;
  #closed: Promise<void> | undefined;

  constructor(parse: Parse, bytes: ByteSource, justified: Justified, littleEndian: boolean) {
    this.info = parse.info;
    this.#parse = parse;
    this.#bytes = bytes;
    this.#justified = justified;
    this.#littleEndian = littleEndian;
  }

  blocks(
    framesPerBlock: number,
    options?: { readonly format?: 'float32' },
  ): AsyncGenerator<Float32Array, void, void>;
  blocks(
    framesPerBlock: number,
    options: { readonly format: 'float64' },
  ): AsyncGenerator<Float64Array, void, void>;
  blocks(
    framesPerBlock: number,
    { format = 'float32' }: { readonly format?: SampleFormat } = {},
  ): AsyncGenerator<Float32Array | Float64Array, void, void> {
    if (!Number.isSafeInteger(framesPerBlock) || framesPerBlock < 1) {
      throw new ArgumentError(`blocks(${framesPerBlock}): give a whole number of frames, at least 1.`);
    }
    if (this.#taken)
      throw new StreamError('The blocks of this WAV reader were taken before; call readWav again.');
    this.#taken = true;
    return this.info.framesPerBlock === 1
      ? this.#frames(framesPerBlock, format)
      : this.#compressed(framesPerBlock, format);
  }

  async *#frames(framesPerBlock: number, format: SampleFormat): AsyncGenerator<Float32Array | Float64Array> {
    const { blockAlign } = this.info;
    const decode = decoderOf(this.info, this.#littleEndian, this.#justified);
    let left = this.#parse.declared ?? Infinity;
    let frames = 0;
    let rest = 0;
    try {
      while (left > 0) {
        const want = Math.min(left, framesPerBlock * blockAlign);
        const got = await this.#bytes.read(want);
        left -= got.length;
        const count = Math.floor(got.length / blockAlign);
        rest = got.length - count * blockAlign;
        frames += count;
        if (count > 0) {
          const out = room(format, (count * blockAlign * 8) / this.info.containerBits);
          decode(got.subarray(0, count * blockAlign), out, 0);
          yield out;
        }
        if (got.length < want) break;
      }
      await this.#finish(frames, frames * blockAlign + rest);
    } finally {
      await this.close();
    }
  }

  async *#compressed(
    framesPerBlock: number,
    format: SampleFormat,
  ): AsyncGenerator<Float32Array | Float64Array> {
    const { blockAlign, channels } = this.info;
    const decode = decoderOf(this.info, this.#littleEndian, 'left');
    const decoded = room(format, this.info.framesPerBlock * channels);
    let left = this.#parse.declared ?? Infinity;
    let allowed = this.#parse.fact || Infinity;
    let read = 0;
    let frames = 0;
    // Grows with what has arrived: a wish for very long blocks reserves nothing.
    let out = room(format, 0);
    let filled = 0;
    try {
      while (left > 0) {
        const want = Math.min(left, blockAlign);
        const got = await this.#bytes.read(want);
        left -= got.length;
        read += got.length;
        decode(got, decoded, 0);
        const count = Math.min(allowed, imaFrames(got.length, channels));
        allowed -= count;
        frames += count;
        for (let taken = 0; taken < count;) {
          const now = Math.min(count - taken, framesPerBlock - filled);
          if (out.length < (filled + now) * channels) {
            const wider = room(format, Math.min(framesPerBlock, 2 * (filled + now)) * channels);
            wider.set(out.subarray(0, filled * channels));
            out = wider;
          }
          out.set(decoded.subarray(taken * channels, (taken + now) * channels), filled * channels);
          filled += now;
          taken += now;
          if (filled === framesPerBlock) {
            yield out;
            out = room(format, 0);
            filled = 0;
          }
        }
        if (got.length < want) break;
      }
      if (filled > 0) yield out.slice(0, filled * channels);
      await this.#finish(frames, read);
    } finally {
      await this.close();
    }
  }

  /** What only the end of a pipe tells. */
  async #finish(frames: number, dataBytes: number): Promise<void> {
    const parse = this.#parse;
    if (this.#bytes.size !== undefined) {
      if (parse.info.dataBytes === dataBytes) return;
      // The file was cut while it was being read.
      parse.info.warnings.push(`the file became shorter while it was read: ${frames} frames`);
      parse.info.truncated = true;
      setLength(parse, dataBytes);
      return;
    }
    settleLength(parse, parse.info.dataOffset + dataBytes);
    if (parse.declared !== undefined && parse.declared === dataBytes) {
      const at = parse.info.dataOffset + dataBytes;
      await drive(walkTrailer(parse, at, dataBytes % 2 === 1, PIPE_TRAILER), this.#bytes);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#bytes.close();
    return this.#closed;
  }
}

/** Fills in the length from what is declared and what is there; says where they differ. */
function settleLength(parse: Parse, fileSize: number | undefined): void {
  const { info, declared } = parse;
  if (fileSize === undefined) {
    if (declared !== undefined) setLength(parse, declared);
    return;
  }
  const there = Math.max(0, fileSize - info.dataOffset);
  if (declared !== undefined && declared > there) {
    info.truncated = true;
    info.warnings.push(
      `the header says ${declared} bytes of samples, ${there} are there: all whole frames are kept`,
    );
  }
  setLength(parse, Math.min(declared ?? there, there));
  const rest = info.framesPerBlock === 1 ? info.dataBytes! % info.blockAlign : 0;
  if (rest > 0) {
    info.warnings.push(`the last ${rest} bytes of the samples are not a whole frame and are left out`);
  }
}

function setLength({ info, fact }: Parse, dataBytes: number): void {
  info.dataBytes = dataBytes;
  const blocks = Math.floor(dataBytes / info.blockAlign);
  let frames = blocks * info.framesPerBlock;
  if (info.framesPerBlock > 1) {
    frames += imaFrames(dataBytes - blocks * info.blockAlign, info.channels);
    // Only compressed files need "fact": it says where in the last block they end.
    frames = Math.min(frames, fact || Infinity);
  }
  info.frames = frames;
  info.seconds = frames / info.sampleRate;
}

const mayBeRight = (info: WavInfo): boolean =>
  info.coding === 'pcm' && info.containerBits > Math.max(8, info.bitsPerSample);

const peekBytes = ({ declared, info }: Parse): number => {
  const most = Math.min(PEEK, declared ?? PEEK);
  return most - (most % (info.containerBits / 8));
};

function settleJustified(parse: Parse, head: Uint8Array): Justified {
  const { info } = parse;
  const justified = justification(info, head, parse.littleEndian);
  if (justified === 'right') {
    info.warnings.push(
      `the ${info.bitsPerSample}-bit samples sit at the bottom of their ${info.containerBits}-bit containers: read as such`,
    );
  }
  return justified;
}

const room = (format: SampleFormat, length: number): Float32Array | Float64Array =>
  format === 'float64' ? new Float64Array(length) : new Float32Array(length);
