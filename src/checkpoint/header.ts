/**
 * The JSON header of a safetensors file, read with every claim checked.
 *
 * Source: safetensors README ("Format") and `tensor.rs` (`Metadata::validate`). Stricter than those, on purpose:
 * equal keys, unknown fields, reserved names and integers beyond 2^53 are refused. White space before the
 * opening brace is taken, as the official reader does, although the README wants the brace first.
 */
import { FormatError } from '../errors.ts';
import { DTYPES, ELEMENT, isUnsupportedDType, type DType } from './dtype.ts';
import { JsonScanner, JsonSyntaxError, type ByteSource, type StringToken } from './json-scanner.ts';
import { quote, showShape } from './message.ts';
import { nameFault } from './name-rules.ts';
import { elementCount } from './tensor.ts';

/** The longest header that the official reader takes, in bytes. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The most axes a tensor may have; NumPy allows as many. */
const MAX_RANK = 64;

/**
 * What the names and shapes of a header may take, in bytes: some 9,000 tensors with ordinary names, ten times
 * what models of this field have. It keeps a header of 100 MB that lies at its very end from filling the memory
 * with a million entries before anybody can tell; opening a file takes less than 16 MiB until it is believed.
 */
const ENTRY_BUDGET = 1.5 * 2 ** 20;
const ENTRY_COST = 128;

/** What a header says about one tensor. Offsets count bytes from the end of the header. */
export interface TensorInfo {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** By name, in the order of the data. */
  readonly tensors: Map<string, TensorInfo>;
  readonly metadata: Map<string, string>;
}

/**
 * Reads the first 8 bytes: the header's length, which has to fit in the file.
 *
 * @param start the file's first bytes, at least 8 unless the file is shorter.
 * @param fileLength bytes in the file.
 * @throws FormatError
 */
export function readHeaderLength(start: Uint8Array, fileLength: number, source: string): number {
  if (fileLength < 8 || start.length < 8) {
    throw new FormatError(
      `${source}: ${fileLength} bytes is too short for a safetensors file, which starts with 8 bytes of header length; is the download complete?`,
    );
  }
  const length = new DataView(start.buffer, start.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) {
    throw new FormatError(
      `${source}: a header of ${length} bytes is larger than the ${MAX_HEADER_BYTES} that safetensors allows; is this a safetensors file?`,
    );
  }
  if (8 + Number(length) > fileLength) {
    throw new FormatError(
      `${source}: the header's length, ${length} bytes, leads past the end of the file (${fileLength} bytes); the file is cut short or no safetensors file`,
    );
  }
  return Number(length);
}

/**
 * Reads the header and checks it against itself and the file's length.
 *
 * @param text the header's bytes.
 * @param dataLength bytes in the file after the header.
 * @param source the file's name, for messages.
 * @throws FormatError
 */
export function parseHeader(text: ByteSource, dataLength: number, source: string): Header {
  const reader: HeaderReader = new HeaderReader(text, dataLength, source);
  try {
    return reader.read();
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    reader.fail(`header byte ${error.at}: ${error.message}; the header is damaged, write the file anew`);
  }
}

/** Builds texts for messages only when one is due: a header may have a million entries. */
class HeaderReader {
  readonly #json: JsonScanner;
  readonly #dataLength: number;
  readonly #source: string;
  /** The tensor or the metadata's entry that is being read, if any. */
  #kind: 'tensor' | 'metadata' = 'tensor';
  #current: string | undefined;
  #budget = ENTRY_BUDGET;

  constructor(text: ByteSource, dataLength: number, source: string) {
    this.#json = new JsonScanner(text);
    this.#dataLength = dataLength;
    this.#source = source;
  }

  read(): Header {
    const tensors = new Map<string, TensorInfo>();
    let metadata: Map<string, StringToken> | undefined;
    this.#object('the header', (key) => {
      const name = this.#name(key);
      if (name === '__metadata__') {
        if (metadata) this.fail('key "__metadata__" appears twice; merge them');
        metadata = this.#metadata();
      } else {
        this.#enter('tensor', name, tensors);
        tensors.set(name, this.#tensor());
      }
      this.#current = undefined;
    });
    this.#json.end();

    const inOrder = this.#covering(tensors);
    // Only now, when all else holds, are the texts decoded: they may be large.
    const texts = [...(metadata ?? [])].map(([key, token]) => [key, this.#json.text(token)] as const);
    return { tensors: inOrder, metadata: new Map(texts) };
  }

  fail(what: string): never {
    const place = this.#current === undefined ? '' : ` ${this.#kind} ${quote(this.#current)}:`;
    throw new FormatError(`${this.#source}:${place} ${what}`);
  }

  /** From here on messages speak of this entry, whose name has to be right and new. */
  #enter(kind: 'tensor' | 'metadata', name: string, known: ReadonlyMap<string, unknown>): void {
    this.#kind = kind;
    this.#current = name;
    const fault = nameFault(name);
    if (fault) this.fail(`the name ${fault}`);
    if (known.has(name)) this.fail('appears twice; rename one');
  }

  #spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) {
      this.#current = undefined;
      this.fail(
        `the header names more tensors, or longer names, than the ${ENTRY_BUDGET} bytes reserved for them hold; split the file`,
      );
    }
  }

  /** `{ "key": value, … }`; `member` reads the value. */
  #object(what: string, member: (key: StringToken) => void): void {
    this.#json.expect('{', what);
    if (this.#json.take('}')) return;
    do {
      const key = this.#json.string('a key');
      this.#json.expect(':');
      member(key);
    } while (this.#json.take(','));
    this.#json.expect('}', "',' or '}'");
  }

  /** The text of a key that is going to be kept. */
  #name(key: StringToken): string {
    this.#spend(key.end - key.start);
    return this.#json.text(key);
  }

  /** `[ n, … ]`, at most `most` natural numbers. */
  #naturals(what: string, most: number): number[] {
    const values: number[] = [];
    this.#json.expect('[', what);
    if (this.#json.take(']')) return values;
    do {
      if (values.length === most) this.fail(`${what} has more than ${most} numbers; write the file anew`);
      values.push(this.#json.natural(what));
    } while (this.#json.take(','));
    this.#json.expect(']', "',' or ']'");
    // A copy without the room that `push` keeps for more: it triples a header's memory.
    return values.slice();
  }

  #metadata(): Map<string, StringToken> {
    const metadata = new Map<string, StringToken>();
    this.#object('__metadata__, an object,', (token) => {
      const key = this.#name(token);
      this.#enter('metadata', key, metadata);
      this.#spend(ENTRY_COST);
      metadata.set(key, this.#json.string('a string (numbers too are written as text here)'));
      this.#current = undefined;
    });
    return metadata;
  }

  #tensor(): TensorInfo {
    let dtype: DType | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    const is = (key: StringToken, field: string, before: unknown) => {
      if (!this.#json.matches(key, field)) return false;
      if (before !== undefined) this.fail(`has ${field} twice; keep one`);
      return true;
    };
    this.#object('an object with dtype, shape and data_offsets', (key) => {
      if (is(key, 'dtype', dtype)) dtype = this.#dtype();
      else if (is(key, 'shape', shape)) shape = this.#naturals('shape, an array of lengths,', MAX_RANK);
      else if (is(key, 'data_offsets', offsets)) offsets = this.#naturals('data_offsets, [begin, end],', 2);
      else {
        const field = quote(this.#shortText(key));
        this.fail(
          `has a field ${field}, none of dtype, shape and data_offsets; write the file anew without it`,
        );
      }
    });
    if (!dtype || !shape || offsets?.length !== 2) {
      const lacking = !dtype ? 'dtype' : !shape ? 'shape' : 'data_offsets [begin, end]';
      this.fail(`has no ${lacking}; write the file anew`);
    }
    this.#spend(ENTRY_COST + 8 * shape.length);
    const info = { dtype, shape, begin: offsets[0], end: offsets[1] };
    this.#checkSize(info);
    return info;
  }

  #shortText(token: StringToken): string {
    return token.end - token.start > 64 ? '(more than 64 bytes)' : this.#json.text(token);
  }

  #dtype(): DType {
    const token = this.#json.string('dtype, a string,');
    const known = DTYPES.find((dtype) => this.#json.matches(token, dtype));
    if (known) return known;
    const name = this.#shortText(token);
    this.fail(
      isUnsupportedDType(name)
        ? `has dtype ${name}, which statewave does not read; convert it to F16 or F32 first`
        : `has an unknown dtype ${quote(name)}; the known ones are ${DTYPES.join(', ')}`,
    );
  }

  #checkSize({ dtype, shape, begin, end }: TensorInfo): void {
    const count = elementCount(shape);
    const size = count === undefined ? NaN : count * ELEMENT[dtype].bytes;
    if (!Number.isSafeInteger(size)) {
      this.fail(
        `the size of shape ${showShape(shape)} in ${dtype} overflows (beyond 2^53 - 1); write the file anew`,
      );
    }
    if (begin > end) this.fail(`data_offsets [${begin}, ${end}] run backwards; write the file anew`);
    if (end > this.#dataLength) {
      this.fail(
        `data_offsets [${begin}, ${end}] lead past the ${this.#dataLength} bytes of data; the file is cut short, fetch it again`,
      );
    }
    if (end - begin !== size) {
      this.fail(
        `shape ${showShape(shape)} in ${dtype} takes ${size} bytes, but data_offsets [${begin}, ${end}] hold ${end - begin}; write the file anew`,
      );
    }
  }

  /** Checks that the tensors cover the data without hole or overlap; gives them in the order of the data. */
  #covering(tensors: Map<string, TensorInfo>): Map<string, TensorInfo> {
    const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
    this.#kind = 'tensor';
    let covered = 0;
    for (const [name, { begin, end }] of inOrder) {
      if (begin !== covered) {
        this.#current = name;
        this.fail(
          begin < covered
            ? `starts at data byte ${begin}, inside another one that goes to ${covered}; tensors may not share bytes, write a copy`
            : `starts at data byte ${begin}, and bytes ${covered} to ${begin} belong to no tensor; write the file anew`,
        );
      }
      covered = end;
    }
    if (covered !== this.#dataLength) {
      this.fail(
        `${this.#dataLength - covered} bytes after the last tensor belong to none; cut them off, or write the file anew`,
      );
    }
    return new Map(inOrder);
  }
}
