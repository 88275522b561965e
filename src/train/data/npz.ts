/**
 * Arrays out of NumPy's `.npz` files: a ZIP of `.npy` files, which a header describes (NEP 1, "A simple file format
 * for NumPy arrays").
 */
import { fileBytes } from '../../checkpoint/pytorch/bytes.ts';
import { openZip } from '../../checkpoint/pytorch/zip.ts';
import { FormatError } from '../../errors.ts';

export interface NumpyArray {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Float32Array;
}

/** Bytes and reading of the types that measurements come in. */
const TYPES: Readonly<
  Record<string, readonly [bytes: number, read: (view: DataView, at: number) => number]>
> = {
  '<f4': [4, (view, at) => view.getFloat32(at, true)],
  '<f8': [8, (view, at) => view.getFloat64(at, true)],
  '<i2': [2, (view, at) => view.getInt16(at, true)],
  '<i4': [4, (view, at) => view.getInt32(at, true)],
  '<i8': [8, (view, at) => Number(view.getBigInt64(at, true))],
};

/**
 * All arrays of a `.npz` file, by name.
 *
 * @throws FormatError for a damaged file, and for types other than little-endian float32, float64 and integers.
 * @example const { ir, fs } = Object.fromEntries(readNpz('room.npz'));
 */
export function readNpz(path: string): Map<string, NumpyArray> {
  const file = fileBytes(path, path);
  try {
    const archive = openZip(file, path);
    return new Map(
      [...archive.entries].map(([name, entry]) => [
        name.replace(/\.npy$/, ''),
        readNpy(archive.read(entry), `${path} (${name})`),
      ]),
    );
  } finally {
    file.close();
  }
}

/** @param source names the file in messages. @throws FormatError */
export function readNpy(bytes: Uint8Array, source: string): NumpyArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(1, 6)) !== 'NUMPY') {
    throw new FormatError(`${source}: no NumPy array; save it with numpy.save or numpy.savez`);
  }
  const long = bytes[6]! >= 2;
  const start = long ? 12 : 10;
  const length = long ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder('latin1').decode(bytes.subarray(start, start + length));
  const type = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? '';
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? '')
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  const known = TYPES[type];
  if (known === undefined || /'fortran_order':\s*True/.test(header)) {
    throw new FormatError(
      `${source}: an array of type '${type}'${known ? ' by columns' : ''}; save it as float32, by rows`,
    );
  }
  const [width, read] = known;
  const count = shape.reduce((product, n) => product * n, 1);
  if (!Number.isSafeInteger(count) || start + length + count * width > bytes.length) {
    throw new FormatError(
      `${source}: ${bytes.length} bytes hold no array of (${shape.join(', ')}); it is cut short`,
    );
  }
  const data = new Float32Array(count);
  for (let i = 0; i < count; i++) data[i] = read(view, start + length + i * width);
  return { shape, data };
}
