import { FormatError } from '../../errors.ts';
import { parseFmt } from './fmt.ts';
import type { Draft, WavFormat, WavInfo } from './types.ts';

/**
 * The walk over the chunks of a RIFF file, without input or output of its own: it asks for bytes and is
 * handed them, so that one body serves files in memory, files on disk and pipes. All sizes are doubles,
 * exact to 2^53: nothing wraps, and every turn of a loop moves forward by at least 8 bytes.
 */
export type Walk<T> = Generator<Ask, T, Uint8Array>;
/** `read` is answered by that many bytes, fewer only at the end; the others by nothing. */
export interface Ask {
  readonly op: 'read' | 'skip' | 'unread';
  readonly n: number;
}

/** More chunks than any honest file has before its samples; a file of zeros has one every 8 bytes. */
const MAX_CHUNKS = 4096;
/** WAVEFORMATEX announces its extension in 16 bits. */
const MAX_FMT = 18 + 65_535;
const UNKNOWN = 0xffff_ffff;

const KNOWN = new Set(
  'fmt |data|fact|LIST|JUNK|junk|PAD |FLLR|bext|iXML|cue |smpl|inst|PEAK|ds64|id3 |ID3 |axml|chna|afsp|_PMX|minf|elm1|regn|umid|DGDA|cart|plst|labl|note|acid|strc|SAUR|disp|DISP'.split(
    '|',
  ),
);

function fourCC(bytes: Uint8Array, at: number): string {
  let id = '';
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i]!;
    id += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return id;
}

interface ChunkHeader {
  readonly id: string;
  readonly size: number;
  readonly offset: number;
}

/** Where a walk stands, and what it has learnt. */
export interface Parse {
  readonly info: Draft<WavInfo>;
  readonly littleEndian: boolean;
  /** Bytes of samples as declared; `undefined`: to the end of the file. */
  declared: number | undefined;
  /** Sizes that `ds64` declares for chunks whose own field is 0xFFFFFFFF. */
  readonly large: ReadonlyMap<string, number>;
  /** Frames as the `fact` chunk counts them (compressed files end inside a block). */
  readonly fact: number | undefined;
}

/**
 * Up to the first sample: the walk ends where the content of `data` begins.
 * @throws FormatError for everything that is not a WAV with a readable format.
 */
export function* walkHeader(fileSize: number | undefined): Walk<Parse> {
  const head = (yield { op: 'read', n: 12 }).slice();
  const container = head.length >= 4 ? fourCC(head, 0) : '';
  if (container !== 'RIFF' && container !== 'RIFX' && container !== 'RF64' && container !== 'BW64') {
    const start = head.length === 0 ? 'is empty' : `starts with "${container || 'fewer than 4 bytes'}"`;
    throw new FormatError(`Not a WAV file: it ${start} where "RIFF" is expected. Convert it to WAV first.`);
  }
  if (head.length < 12 || fourCC(head, 8) !== 'WAVE') {
    throw new FormatError(`Not a WAV file: a ${container} file without the form "WAVE" at byte 8.`);
  }
  const littleEndian = container !== 'RIFX';
  const wide = container === 'RF64' || container === 'BW64';
  const warnings: string[] = [];
  const warn = (text: string): void => void warnings.push(text);
  const riffSize = u32(head, 4, littleEndian);
  const chunks: Draft<WavInfo>['chunks'] = [];
  const large = new Map<string, number>();
  let riff: number | undefined = wide && riffSize === UNKNOWN ? undefined : riffSize;
  let format: WavFormat | undefined;
  let fact: number | undefined;
  let position = 12;
  let odd = false;

  for (;;) {
    const next: ChunkHeader | undefined = yield* chunkHeader(position, odd, littleEndian, warn);
    if (next === undefined) {
      throw new FormatError(
        `The WAV file ends at byte ${fileSize ?? position} without a "data" chunk${format === undefined ? ' and without "fmt "' : ''}; it is damaged or cut off.`,
      );
    }
    const { id, offset } = next;
    const size: number = next.size;
    position = offset;
    if (chunks.length === MAX_CHUNKS) {
      throw new FormatError(
        `The WAV file has more than ${MAX_CHUNKS} chunks before its samples; it is damaged.`,
      );
    }
    if (id === 'data') {
      const length = wide && size === UNKNOWN ? large.get('data') : size === UNKNOWN ? undefined : size;
      if (wide && size === UNKNOWN && length === undefined)
        warn('no ds64 chunk says how long the samples are');
      chunks.push({ id, size: length ?? size, offset });
      if (format === undefined) {
        throw new FormatError(`The WAV file has "data" at byte ${offset} before any "fmt "; it is damaged.`);
      }
      // A writer that could not go back leaves 0: the header of a truly empty file counts its own bytes.
      const riffEnd = (riff ?? 0) + 8;
      const unwritten = length === 0 && (riff === UNKNOWN || riffEnd <= offset);
      const info: Draft<WavInfo> = {
        ...format,
        container,
        frames: undefined,
        seconds: undefined,
        dataOffset: offset,
        dataBytes: undefined,
        chunks,
        warnings,
        truncated: false,
      };
      if (
        fileSize !== undefined &&
        riff !== undefined &&
        riff !== UNKNOWN &&
        riff !== 0 &&
        riffEnd !== fileSize
      ) {
        warn(`the header says the file has ${riffEnd} bytes, it has ${fileSize}`);
      }
      return { info, littleEndian, declared: unwritten ? undefined : length, large, fact };
    }
    const content: number = size === UNKNOWN ? (large.get(id) ?? size) : size;
    chunks.push({ id, size: content, offset });
    let used = 0;
    if (id === 'fmt ' && format === undefined) {
      if (size > MAX_FMT) {
        throw new FormatError(
          `The WAV "fmt " chunk says it has ${size} bytes; more than ${MAX_FMT} cannot be. The file is damaged.`,
        );
      }
      const body = (yield { op: 'read', n: size }).slice();
      used = body.length;
      if (used < size && used >= 16)
        throw new FormatError('The WAV file ends inside its "fmt " chunk; it is cut off.');
      format = parseFmt(body, littleEndian, warn);
    } else if (id === 'fmt ') {
      warn(`a second "fmt " chunk at byte ${offset} is left out`);
    } else if (id === 'fact' && size >= 4) {
      const body = yield { op: 'read', n: 4 };
      used = body.length;
      if (used === 4) fact = u32(body, 0, littleEndian);
    } else if (id === 'ds64' && wide && size >= 24) {
      // EBU Tech 3306: RIFF size, data size, sample count (64 bits each), then a table of other chunks.
      const body = (yield { op: 'read', n: Math.min(size, 28 + 12 * 64) }).slice();
      used = body.length;
      if (used >= 24) {
        riff = u64(body, 0, warn, 'file');
        const data = u64(body, 8, warn, 'data');
        if (data !== undefined) large.set('data', data);
        const rows = used >= 28 ? Math.min(u32(body, 24, true), Math.floor((used - 28) / 12)) : 0;
        for (let row = 0; row < rows; row++) {
          const length = u64(body, 28 + 12 * row + 4, warn, 'chunk');
          if (length !== undefined) large.set(fourCC(body, 28 + 12 * row), length);
        }
      }
    }
    if (content > used) yield { op: 'skip', n: content - used };
    position += content;
    odd = content % 2 === 1;
  }
}

/**
 * What follows the samples, from byte `position` on: at most `maxBytes`, for a pipe that does not end.
 * Never throws for what it finds there: the samples are read by then.
 */
export function* walkTrailer(
  { info, littleEndian, large }: Parse,
  position: number,
  odd: boolean,
  maxBytes: number,
): Walk<void> {
  const warn = (text: string): void => void info.warnings.push(text);
  const start = position;
  for (;;) {
    const next: ChunkHeader | undefined = yield* chunkHeader(position, odd, littleEndian, warn);
    if (next === undefined) return;
    const { id, offset } = next;
    const size = next.size === UNKNOWN ? (large.get(id) ?? next.size) : next.size;
    if (id.includes('\\x') || info.chunks.length === MAX_CHUNKS || offset + size - start > maxBytes) {
      warn(`what follows the samples from byte ${position} on is left out`);
      return;
    }
    if (id === 'data') warn(`a second "data" chunk at byte ${offset} is left out`);
    info.chunks.push({ id, size, offset });
    yield { op: 'skip', n: size };
    position = offset + size;
    odd = size % 2 === 1;
  }
}

/**
 * The next chunk's header. After content of odd length a byte of padding is due, which some writers leave
 * out (and then the next name begins there) and some fill with garbage: the name that is known decides.
 */
function* chunkHeader(
  position: number,
  odd: boolean,
  littleEndian: boolean,
  warn: (text: string) => void,
): Walk<ChunkHeader | undefined> {
  let bytes = yield { op: 'read', n: odd ? 9 : 8 };
  let from = odd ? 1 : 0;
  if (odd && bytes.length >= 8 && bytes[0] !== 0) {
    const padded = bytes.length === 9 && KNOWN.has(fourCC(bytes, 1));
    if (!padded && KNOWN.has(fourCC(bytes, 0))) {
      warn(`the padding before byte ${position} is missing`);
      if (bytes.length === 9) yield { op: 'unread', n: 1 };
      bytes = bytes.subarray(0, 8);
      from = 0;
    }
  }
  if (bytes.length < from + 8) {
    if (bytes.length > from) warn(`the last ${bytes.length - from} bytes are not a whole chunk`);
    return undefined;
  }
  return { id: fourCC(bytes, from), size: u32(bytes, from + 4, littleEndian), offset: position + from + 8 };
}

function u32(bytes: Uint8Array, at: number, littleEndian: boolean): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, littleEndian);
}

/** A 64-bit size, `undefined` (and said) beyond what a file can have. */
function u64(bytes: Uint8Array, at: number, warn: (text: string) => void, what: string): number | undefined {
  const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true);
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  warn(`ds64 says a ${what} size of ${value} bytes, which cannot be`);
  return undefined;
}
