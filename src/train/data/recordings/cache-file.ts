/**
 * Many recordings in one file, any part of which is one read away.
 *
 * | bytes | what |
 * | --- | --- |
 * | 0 … 7 | `SWPCM\0\1\n` |
 * | 8 … 15 | where the index begins, uint64, little-endian |
 * | 16 … | samples, recording after recording, frames × channels, in the machine's byte order |
 * | … end | the index: JSON in UTF-8 |
 *
 * It grows under a temporary name and is renamed when it is complete: a run that is killed leaves no half of one that
 * would be taken for whole.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { dirname } from 'node:path';
import { openFile, type OpenFile } from '../../../checkpoint/open-file.ts';
import { ArgumentError, FormatError } from '../../../errors.ts';
import { padded, type Recording, type Recordings } from './recordings.ts';
import { CODINGS, type SampleType } from './sample-type.ts';

const MAGIC = 'SWPCM\0\x01\n';
const HEADER = 16;

interface Entry extends Recording {
  /** Byte of the first sample. */
  readonly at: number;
}

interface Index {
  /** What the samples were made of and how: another key, another file. */
  readonly key: string;
  readonly byteOrder: 'LE' | 'BE';
  readonly sampleType: SampleType;
  readonly sampleRate: number;
  readonly channels: number;
  readonly clipped: number;
  readonly skipped: readonly string[];
  readonly list: readonly Entry[];
}

export interface CacheFormat {
  readonly key: string;
  readonly sampleType: SampleType;
  readonly sampleRate: number;
  readonly channels: number;
}

/** Recordings out of a cache. */
export interface CachedRecordings extends Recordings {
  readonly key: string;
  /** Samples beyond full scale that `int16` could not hold. */
  readonly clipped: number;
}

/** A cache that is being written. */
export interface CacheWriter {
  /** Begins a recording; blocks are frames × channels. */
  begin(path: string): void;
  write(block: Float32Array): void;
  /** Takes back the recording that was begun, as if it had never been. */
  undo(): void;
  skip(why: string): void;
  /** Writes the index and gives the file its name. */
  finish(): void;
  /** Leaves nothing behind. */
  abort(): void;
}

/** @throws ArgumentError where the file cannot be written. */
export function writeCache(path: string, format: CacheFormat): CacheWriter {
  const { bytes: width, encode } = CODINGS[format.sampleType];
  const temporary = `${path}.${process.pid}.part`;
  let handle: number;
  try {
    mkdirSync(dirname(path), { recursive: true });
    handle = openSync(temporary, 'w');
  } catch (cause) {
    throw new ArgumentError(
      `cache ${path}: cannot be written (${(cause as Error).message}); name a file in a folder of yours`,
      { cause },
    );
  }
  const list: (Entry & { frames: number })[] = [];
  const skipped: string[] = [];
  let at = HEADER;
  let clipped = 0;
  let clippedBefore = 0;
  const put = (bytes: Uint8Array, position: number): void => {
    for (let done = 0; done < bytes.length;) {
      done += writeSync(handle, bytes, done, bytes.length - done, position + done);
    }
  };
  return {
    begin(name) {
      clippedBefore = clipped;
      list.push({ path: name, frames: 0, at });
    },
    write(block) {
      const bytes = new Uint8Array(block.length * width);
      clipped += encode(block, bytes);
      put(bytes, at);
      at += bytes.length;
      list.at(-1)!.frames += block.length / format.channels;
    },
    undo() {
      at = list.pop()!.at;
      clipped = clippedBefore;
    },
    skip: (why) => void skipped.push(why),
    finish() {
      const index: Index = { ...format, byteOrder: endianness(), clipped, skipped, list };
      const text = new TextEncoder().encode(JSON.stringify(index));
      put(text, at);
      const header = new Uint8Array(HEADER);
      header.set(new TextEncoder().encode(MAGIC));
      new DataView(header.buffer).setBigUint64(8, BigInt(at), true);
      put(header, 0);
      // A recording that was taken back may have reached further than what came then.
      ftruncateSync(handle, at + text.length);
      closeSync(handle);
      renameSync(temporary, path);
    },
    abort() {
      closeSync(handle);
      rmSync(temporary, { force: true });
    },
  };
}

/**
 * Opens a cache.
 *
 * @throws FormatError for a file that is none, or was damaged.
 */
export function openCache(path: string): CachedRecordings {
  const file = openFile(path, path);
  try {
    const index = readIndex(file, path);
    return new Cached(file, index);
  } catch (error) {
    file.close();
    throw error;
  }
}

class Cached implements CachedRecordings {
  readonly key: string;
  readonly sampleRate: number;
  readonly channels: number;
  readonly clipped: number;
  readonly skipped: readonly string[];
  readonly list: readonly Entry[];
  readonly #file: OpenFile;
  readonly #type: SampleType;
  #open = true;

  constructor(file: OpenFile, index: Index) {
    this.key = index.key;
    this.sampleRate = index.sampleRate;
    this.channels = index.channels;
    this.clipped = index.clipped;
    this.skipped = index.skipped;
    this.list = index.list;
    this.#file = file;
    this.#type = index.sampleType;
  }

  read(index: number, start: number, frames: number): Float32Array {
    const { at: first, frames: length } = this.list[index]!;
    const { bytes: width, decode } = CODINGS[this.#type];
    const stride = this.channels * width;
    return padded(start, frames, length, this.channels, (out, at, from, count) => {
      decode(this.#file.read(first + from * stride, count * stride), out, at * this.channels);
    });
  }

  close(): void {
    if (this.#open) this.#file.close();
    this.#open = false;
  }
}

function readIndex(file: OpenFile, path: string): Index {
  const damaged = (what: string): FormatError =>
    new FormatError(`cache ${path}: ${what}; delete the file, and it is made anew`);
  if (file.length < HEADER) throw damaged(`${file.length} bytes are no cache`);
  const header = file.read(0, HEADER);
  if (String.fromCharCode(...header.subarray(0, 8)) !== MAGIC) throw damaged('it is no cache of recordings');
  const at = Number(new DataView(header.buffer, header.byteOffset).getBigUint64(8, true));
  if (at < HEADER || at > file.length) throw damaged(`its index would be at byte ${at} of ${file.length}`);
  let index: Index;
  try {
    index = JSON.parse(new TextDecoder().decode(file.read(at, file.length - at))) as Index;
  } catch (cause) {
    throw damaged(`its index is damaged (${(cause as Error).message})`);
  }
  if (index.byteOrder !== endianness()) throw damaged('it was written by a machine of the other byte order');
  const width = CODINGS[index.sampleType]?.bytes;
  for (const entry of index.list) {
    if (!(entry.at >= HEADER && entry.at + entry.frames * index.channels * width <= at)) {
      throw damaged(`${entry.path} would be at byte ${entry.at}`);
    }
  }
  return index;
}
