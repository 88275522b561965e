/** A file that is read by position: what the readers of all formats share. */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { FormatError } from '../errors.ts';

/** One system call moves less than 2 GiB. */
export const MOST_AT_ONCE = 2 ** 30;

/** An open file of which only what is asked for is read. */
export interface OpenFile {
  readonly length: number;
  /**
   * Bytes [at, at + count) in memory of their own.
   * @throws FormatError where they do not fit in memory, or the file has become shorter.
   */
  read(at: number, count: number): Uint8Array;
  /** The same into memory that is there already. */
  fill(bytes: Uint8Array, at: number): void;
  close(): void;
}

/**
 * @param source the file's name, for messages.
 * @throws FormatError when there is no such file, or it is none.
 */
export function openFile(path: string, source: string): OpenFile {
  const handle = openRegular(path, source);
  const fill = (bytes: Uint8Array, at: number): void => {
    for (let done = 0; done < bytes.length;) {
      const read = readSync(handle, bytes, done, Math.min(MOST_AT_ONCE, bytes.length - done), at + done);
      if (read === 0) {
        throw new FormatError(
          `${source}: ends at byte ${at + done}, before its size said; was it cut while open?`,
        );
      }
      done += read;
    }
  };
  return {
    length: fstatSync(handle).size,
    read(at, count) {
      const bytes = allocated(count, source);
      fill(bytes, at);
      return bytes;
    },
    fill,
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

function allocated(count: number, source: string): Uint8Array {
  try {
    return new Uint8Array(count);
  } catch (cause) {
    throw new FormatError(`${source}: a tensor of ${count} bytes does not fit in memory; split it`, {
      cause,
    });
  }
}
