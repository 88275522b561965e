/** Builds PyTorch checkpoints by hand, right and wrong: pickles opcode by opcode, ZIP files field by field. */
import { crc32, deflateRawSync } from 'node:zlib';

const encoder = new TextEncoder();
export type Part = number | string | Uint8Array;

/** Bytes one after the other: numbers are bytes, texts ASCII (or UTF-8). */
export function bytesOf(...parts: readonly Part[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === 'number' ? [part] : [...(typeof part === 'string' ? encoder.encode(part) : part)],
    ),
  );
}

/** A little-endian number of `width` bytes. */
export function le(value: number | bigint, width: number): Uint8Array {
  return Uint8Array.from({ length: width }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn));
}

export const PROTO2 = bytesOf(0x80, 2);
/** `GLOBAL 'module name'` */
export const global = (module: string, name: string) => bytesOf('c', module, '\n', name, '\n');
/** `BINUNICODE` */
export const unicode = (text: string) => bytesOf('X', le(encoder.encode(text).length, 4), text);
/** `BININT` */
export const int = (value: number) => bytesOf('J', le(value, 4));

/** What is pushed by `('storage', torch.<type>Storage, key, 'cpu', count)`. */
export const storage = (count: number, key = '0', type = 'torch FloatStorage') =>
  bytesOf(
    '(',
    unicode('storage'),
    'c',
    type.replace(' ', '\n'),
    '\n',
    unicode(key),
    unicode('cpu'),
    int(count),
    'tQ',
  );

const tuple = (values: readonly number[]) => bytesOf('(', ...values.map(int), 't');

/** `_rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict())` */
export const tensorOp = (
  storage: Uint8Array,
  shape: readonly number[],
  strides: readonly number[] = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1)),
  offset = 0,
) =>
  bytesOf(
    global('torch._utils', '_rebuild_tensor_v2'),
    '(',
    storage,
    int(offset),
    tuple(shape),
    tuple(strides),
    0x89,
    global('collections', 'OrderedDict'),
    ')R',
    'tR',
  );

/** A dictionary of these values, as a whole pickle. */
export const dictOf = (members: Readonly<Record<string, Uint8Array>>) =>
  bytesOf(PROTO2, '}(', ...Object.entries(members).flatMap(([key, value]) => [unicode(key), value]), 'u.');

export interface EntryOptions {
  readonly deflate?: boolean;
  /** What the two headers say in place of the truth. */
  readonly size?: number;
  readonly packed?: number;
  readonly crc?: number;
}
export type Entry = readonly [name: string, content: Uint8Array, options?: EntryOptions];

/** A plain ZIP file. */
export function zipOf(entries: readonly Entry[], comment = ''): Uint8Array {
  const body: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, content, options = {}] of entries) {
    const data = options.deflate ? new Uint8Array(deflateRawSync(content)) : content;
    const path = encoder.encode(name);
    const common = bytesOf(
      le(20, 2),
      le(0x800, 2),
      le(options.deflate ? 8 : 0, 2),
      le(0, 4),
      le(options.crc ?? crc32(content), 4),
      le(options.packed ?? data.length, 4),
      le(options.size ?? content.length, 4),
      le(path.length, 2),
      le(0, 2),
    );
    const local = bytesOf('PK', 3, 4, common, path, data);
    directory.push(bytesOf('PK', 1, 2, le(20, 2), common, le(0, 6), le(0, 4), le(at, 4), path));
    body.push(local);
    at += local.length;
  }
  const central = joined(directory);
  const end = bytesOf(
    'PK',
    5,
    6,
    le(0, 4),
    le(entries.length, 2),
    le(entries.length, 2),
    le(central.length, 4),
    le(at, 4),
    le(comment.length, 2),
    comment,
  );
  return joined([...body, central, end]);
}

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A checkpoint with this pickle and these storages. */
export const checkpointOf = (
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  more: readonly Entry[] = [],
) =>
  zipOf([
    ['archive/data.pkl', pickle],
    ...Object.entries(storages).map(([key, bytes]) => [`archive/data/${key}`, bytes] as const),
    ['archive/version', bytesOf('3\n')],
    ...more,
  ]);

export const floats = (...values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);

/** A copy with these bytes at `at`. */
export function patched(bytes: Uint8Array, at: number, ...parts: readonly Part[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(bytesOf(...parts), at);
  return copy;
}
