/** Bytes that are read by position, of a file or of memory: an archive is read piece by piece, never whole. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { FormatError } from '../../errors.ts';

/** One system call moves less than 2 GiB. */
const MOST_AT_ONCE = 2 ** 30;

export interface RandomAccess {
  readonly length: number;
  /** Bytes [at, at + count), which the caller has checked to exist. A view where the bytes are in memory. */
  read(at: number, count: number): Uint8Array;
  close(): void;
}

export const memoryBytes = (bytes: Uint8Array): RandomAccess => ({
  length: bytes.length,
  read: (at, count) => bytes.subarray(at, at + count),
  close: () => {},
});

/** @throws FormatError when there is no such file, or it is none. */
export function fileBytes(path: string, source: string): RandomAccess {
  const handle = openRegular(path, source);
  return {
    length: fstatSync(handle).size,
    read: (at, count) => readExactly(handle, at, count, source),
    close: () => closeSync(handle),
  };
}

function openRegular(path: string, source: string): number {
  try {
    // Asked before opening: opening a pipe would wait for its other end.
    if (statSync(path).isFile()) return openSync(path, 'r');
  } catch (cause) {
    throw new FormatError(`${source}: cannot be opened (${(cause as Error).message}); check the path`, {
      cause,
    });
  }
  throw new FormatError(`${source}: is no regular file; give the path of a checkpoint`);
}

function readExactly(handle: number, position: number, count: number, source: string): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(count);
  } catch (cause) {
    throw new FormatError(`${source}: ${count} bytes do not fit in memory; split the checkpoint`, { cause });
  }
  for (let at = 0; at < count;) {
    const read = readSync(handle, bytes, at, Math.min(MOST_AT_ONCE, count - at), position + at);
    if (read === 0) {
      throw new FormatError(
        `${source}: ends at byte ${position + at}, before its size said; was it cut while open?`,
      );
    }
    at += read;
  }
  return bytes;
}
