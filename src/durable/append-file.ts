import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { StreamError } from '../errors.ts';
import { syncFolder } from './atomic-file.ts';

/** An output that grows. What a crash left behind the last saved position is cut off, since the job writes it again. */
export class AppendFile {
  readonly #file: number;
  #position: number;

  /**
   * @param position bytes to keep; 0 starts anew.
   * @throws StreamError where fewer are there: somebody has changed or removed the file since.
   */
  constructor(path: string, position: number) {
    const size = position === 0 || !existsSync(path) ? -1 : fileSize(path);
    if (position > 0 && size < position) {
      throw new StreamError(
        `${path} has ${size < 0 ? 'gone' : `${size} bytes`}, but ${position} had been written; ` +
          'put it back, or remove the checkpoint to start from the beginning',
      );
    }
    this.#file = openSync(path, position === 0 ? 'w' : 'r+');
    ftruncateSync(this.#file, position);
    this.#position = position;
  }

  /** Bytes written. */
  get position(): number {
    return this.#position;
  }

  append(text: string): void {
    const bytes = new TextEncoder().encode(text);
    for (let done = 0; done < bytes.length;) {
      done += writeSync(this.#file, bytes, done, bytes.length - done, this.#position + done);
    }
    this.#position += bytes.length;
  }

  /** Everything so far is on the disk when this returns. */
  sync(): void {
    fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The temporary name of an output that has its own once it is complete. */
export const partOf = (path: string): string => `${path}.part`;

/** Gives a complete output its name; again after a crash, where it has it already. */
export function finishPart(path: string): void {
  if (!existsSync(partOf(path))) return;
  renameSync(partOf(path), path);
  syncFolder(dirname(path));
}

function fileSize(path: string): number {
  const file = openSync(path, 'r');
  try {
    return fstatSync(file).size;
  } finally {
    closeSync(file);
  }
}
