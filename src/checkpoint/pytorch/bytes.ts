/** Bytes that are read by position, of a file or of memory: an archive is read piece by piece, never whole. */
import { openFile } from '../open-file.ts';

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
export const fileBytes: (path: string, source: string) => RandomAccess = openFile;
