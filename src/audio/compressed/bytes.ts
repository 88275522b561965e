/** The bytes of a compressed recording, piece by piece. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { ArgumentError } from '../../errors.ts';

/** Enough for what a file says about itself at its start: an Ogg page, or FLAC's STREAMINFO. */
const HEAD = 512;

export interface Bytes {
  readonly length: number;
  /** The bytes [at, at + count) or as many as there are, in memory of their own. */
  read(at: number, count: number): Uint8Array;
  close(): void;
}

/** @throws ArgumentError for a path that cannot be opened. */
export function openBytes(path: string): Bytes {
  let handle: number;
  let length: number;
  try {
    handle = openSync(path, 'r');
    const stat = fstatSync(handle);
    if (!stat.isFile()) {
      closeSync(handle);
      throw new Error(stat.isDirectory() ? 'it is a folder' : 'it is no regular file');
    }
    length = stat.size;
  } catch (cause) {
    throw new ArgumentError(
      `Cannot open ${path}: ${(cause as Error).message}. Give the path of a readable recording.`,
      {
        cause,
      },
    );
  }
  let open = true;
  const read = (at: number, count: number): Uint8Array => {
    const bytes = new Uint8Array(Math.max(0, Math.min(count, length - at)));
    let done = 0;
    while (done < bytes.length) {
      const got = readSync(handle, bytes, done, bytes.length - done, at + done);
      if (got === 0) break;
      done += got;
    }
    return done === bytes.length ? bytes : bytes.slice(0, done);
  };
  return {
    length,
    read,
    close() {
      if (open) closeSync(handle);
      open = false;
    },
  };
}

/** The first bytes of a file. @throws ArgumentError for a path that cannot be opened. */
export function headOf(path: string): Uint8Array {
  const bytes = openBytes(path);
  try {
    return bytes.read(0, HEAD);
  } finally {
    bytes.close();
  }
}
