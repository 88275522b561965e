/**
 * Safetensors in memory: read and write. For files, which may be larger than memory, see `safetensors-file.ts`.
 *
 * Layout: 8 bytes of header length (unsigned, little-endian), the header (JSON), the tensors' bytes.
 * Source: github.com/huggingface/safetensors, README.md "Format" and safetensors/src/tensor.rs.
 */
import { ArgumentError } from '../errors.ts';
import { DTYPES, ELEMENT } from './dtype.ts';
import { decodeElements, encodeElements } from './elements.ts';
import { compareCodePoints, encodeHeader } from './encode-header.ts';
import { MAX_HEADER_BYTES, parseHeader, readHeaderLength, type TensorInfo } from './header.ts';
import { quote } from './message.ts';
import { nameFault } from './name-rules.ts';
import { tensor, type Tensor } from './tensor.ts';

/** Tensors and texts by name. */
export interface Checkpoint {
  /** Where it came from, for messages. */
  readonly source: string;
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

export interface ReadOptions {
  /** The file's name, for messages. */
  readonly source?: string;
  /** Take NaN and infinities among the weights; otherwise they are refused. */
  readonly allowNonFinite?: boolean;
}

export interface WriteOptions {
  /** Write NaN and infinities; otherwise they are refused. */
  readonly allowNonFinite?: boolean;
}

/** Texts by key, as a Map or a plain object. */
export type MetadataInput = ReadonlyMap<string, string> | Readonly<Record<string, string>>;

/**
 * Reads a safetensors file that is in memory.
 *
 * @param bytes the whole file. Tensors whose bytes are aligned are views of it, so do not change it afterwards.
 * @throws FormatError for anything that is not as the format says, and for weights that are not finite.
 * @example
 * const { tensors, metadata } = readSafetensors(await readFile('model.safetensors'), { source: 'model.safetensors' });
 * const kernel = toFloat64(tensors.get('kernel.C')!);
 */
export function readSafetensors(bytes: Uint8Array, options: ReadOptions = {}): Checkpoint {
  const { source = 'safetensors', allowNonFinite = false } = options;
  const headerLength = readHeaderLength(bytes, bytes.length, source);
  const text = bytes.subarray(8, 8 + headerLength);
  const data = bytes.subarray(8 + headerLength);
  const header = parseHeader(
    { length: text.length, window: (offset) => text.subarray(offset) },
    data.length,
    source,
  );
  const tensors = new Map<string, Tensor>();
  for (const [name, info] of header.tensors) {
    tensors.set(
      name,
      decodeElements(data.subarray(info.begin, info.end), info, name, source, allowNonFinite),
    );
  }
  return { source, tensors, metadata: header.metadata };
}

/** A checkpoint ready to be written: the head, and the tensors' bytes to follow it in this order. */
export interface Layout {
  readonly head: Uint8Array;
  readonly length: number;
  /** Encodes one tensor after the other. */
  parts(): Generator<Uint8Array>;
}

/**
 * Checks tensors and metadata and lays them out: by dtype, the widest first, then by name.
 *
 * @throws ArgumentError for names, shapes and texts that could not be read back.
 */
export function layOut(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: MetadataInput = {},
  options: WriteOptions = {},
): Layout {
  const rank = (t: Tensor) => DTYPES.indexOf(t.dtype);
  const inOrder = [...tensors].sort(([a, s], [b, t]) => rank(t) - rank(s) || compareCodePoints(a, b));
  const infos = new Map<string, TensorInfo>();
  let begin = 0;
  for (const [name, { dtype, shape, data }] of inOrder) {
    const fault = name === '__metadata__' ? 'is the one of the metadata; rename it' : nameFault(name);
    if (fault) throw new ArgumentError(`tensor name ${quote(name)} ${fault}`);
    tensor(dtype, shape, data, `tensor ${quote(name)}`);
    const end = begin + data.length * ELEMENT[dtype].bytes;
    infos.set(name, { dtype, shape, begin, end });
    begin = end;
  }
  const texts = new Map(metadata instanceof Map ? metadata : Object.entries(metadata));
  for (const [key, text] of texts) {
    const fault = nameFault(key);
    if (fault) throw new ArgumentError(`metadata key ${quote(key)} ${fault}`);
    if (typeof text !== 'string' || !text.isWellFormed()) {
      throw new ArgumentError(
        `metadata ${quote(key)} is ${quote(String(text))}, no well-formed text; make it a string`,
      );
    }
  }
  const head = encodeHeader({ tensors: infos, metadata: texts });
  if (head.length - 8 > MAX_HEADER_BYTES) {
    throw new ArgumentError(
      `the header takes ${head.length - 8} bytes, more than the ${MAX_HEADER_BYTES} that safetensors allows; split the checkpoint`,
    );
  }
  function* parts(): Generator<Uint8Array> {
    for (const [name, t] of inOrder) yield encodeElements(t, name, options.allowNonFinite ?? false);
  }
  return { head, length: head.length + begin, parts };
}

/**
 * Writes tensors and texts as a safetensors file in memory. The same content gives the same bytes, in whatever
 * order it comes.
 *
 * @throws ArgumentError for what the format cannot hold, ParameterError for weights that are not finite.
 * @example
 * const bytes = writeSafetensors(new Map([['D', tensor('F32', [2], Float32Array.of(1, 2))]]), { format: 's4d' });
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: MetadataInput = {},
  options: WriteOptions = {},
): Uint8Array {
  const { head, length, parts } = layOut(tensors, metadata, options);
  const bytes = new Uint8Array(length);
  bytes.set(head);
  let at = head.length;
  for (const part of parts()) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
