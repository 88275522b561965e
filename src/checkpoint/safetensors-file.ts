/** Safetensors on disk: read tensor by tensor, and written so that a reader never sees half a file. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { ParameterError } from '../errors.ts';
import { decodeElements } from './elements.ts';
import { parseHeader, readHeaderLength, type TensorInfo } from './header.ts';
import { quote } from './message.ts';
import { MOST_AT_ONCE, openFile } from './open-file.ts';
import {
  layOut,
  type Checkpoint,
  type MetadataInput,
  type ReadOptions,
  type WriteOptions,
} from './safetensors.ts';
import { nearestName } from './similar-name.ts';
import type { Tensor } from './tensor.ts';

const WINDOW_BYTES = 64 * 1024;

/** An open file whose header has been read and found right. Close it, or declare it with `using`. */
export interface SafetensorsFile extends Disposable {
  readonly source: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Every tensor's type, shape and place, by name, in the order of the file. */
  readonly entries: ReadonlyMap<string, TensorInfo>;
  /**
   * Reads one tensor.
   * @throws ParameterError when there is none of that name; FormatError when it is not finite.
   */
  read(name: string): Tensor;
  /** Reads all of them. */
  readAll(): Checkpoint;
  close(): void;
}

/**
 * Opens a safetensors file and reads its header; of the data nothing.
 *
 * @throws FormatError for anything that is not as the format says, before memory is taken for it.
 * @example
 * using file = openSafetensors('model.safetensors');
 * for (const [name, { dtype, shape }] of file.entries) console.log(name, dtype, shape);
 * const kernel = toFloat64(file.read('kernel.C'));
 */
export function openSafetensors(path: string, options: ReadOptions = {}): SafetensorsFile {
  const { source = path, allowNonFinite = false } = options;
  const file = openFile(path, source);
  try {
    const size = file.length;
    const start = file.read(0, Math.min(8, size));
    const headerLength = readHeaderLength(start, size, source);
    const buffer = new Uint8Array(Math.min(WINDOW_BYTES, headerLength));
    const window = (offset: number) => {
      const part = buffer.subarray(0, Math.min(buffer.length, headerLength - offset));
      file.fill(part, 8 + offset);
      return part;
    };
    const { tensors: entries, metadata } = parseHeader(
      { length: headerLength, window },
      size - 8 - headerLength,
      source,
    );
    const read = (name: string): Tensor => {
      const info = entries.get(name);
      if (!info) {
        const near = nearestName(name, entries.keys());
        throw new ParameterError(
          `${source}: no tensor ${quote(name)}${near === undefined ? `; it has ${entries.size}` : `; did you mean ${quote(near)}?`}`,
        );
      }
      const bytes = file.read(8 + headerLength + info.begin, info.end - info.begin);
      return decodeElements(bytes, info, name, source, allowNonFinite);
    };
    const readAll = (): Checkpoint => {
      const tensors = new Map<string, Tensor>();
      for (const name of entries.keys()) tensors.set(name, read(name));
      return { source, tensors, metadata };
    };
    let open = true;
    const close = () => {
      if (open) file.close();
      open = false;
    };
    return { source, metadata, entries, read, readAll, close, [Symbol.dispose]: close };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Reads a whole safetensors file. Errors as `openSafetensors` and `SafetensorsFile.read`. */
export function loadSafetensors(path: string, options: ReadOptions = {}): Checkpoint {
  const file = openSafetensors(path, options);
  try {
    return file.readAll();
  } finally {
    file.close();
  }
}

/**
 * Writes a safetensors file: into a temporary one beside it, which takes its name when it is complete and on the
 * disk. What was there before stays until then, and stays when anything fails.
 *
 * @throws as `writeSafetensors`.
 */
export function saveSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: MetadataInput = {},
  options: WriteOptions = {},
): void {
  const { head, parts } = layOut(tensors, metadata, options);
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = openSync(temporary, 'wx');
    try {
      writeFully(handle, head);
      for (const part of parts()) writeFully(handle, part);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function writeFully(handle: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    at += writeSync(handle, bytes, at, Math.min(MOST_AT_ONCE, bytes.length - at));
  }
}
