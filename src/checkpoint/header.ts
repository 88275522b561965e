/**
 * The JSON header of a safetensors file, read with every claim checked.
 *
 * Source: safetensors README ("Format") and `tensor.rs` (`Metadata::validate`). Stricter than those, on purpose:
 * equal keys, unknown fields, reserved names and integers beyond 2^53 are refused. White space before the
 * opening brace is taken, as the official reader does, although the README wants the brace first.
 */
import { FormatError } from '../errors.ts';
import { ELEMENT, isDType, isUnsupportedDType, type DType } from './dtype.ts';
import { JsonScanner, JsonSyntaxError, type ByteSource, type StringToken } from './json-scanner.ts';
import { quote, showShape } from './message.ts';
import { nameFault } from './name-rules.ts';
import { elementCount } from './tensor.ts';

/** The longest header that the official reader takes, in bytes. */
export const MAX_HEADER_BYTES = 100_000_000;

/** The most axes a tensor may have; NumPy allows as many. */
const MAX_RANK = 64;

/**
 * What the names and shapes of a header may take, in bytes, before its offsets have been checked against each
 * other; some 45,000 tensors with ordinary names. It keeps a header of 100 MB that lies at its end from filling
 * the memory with a million entries.
 */
const ENTRY_BUDGET = 8 * 2 ** 20;
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
  try {
    return new HeaderReader(text, dataLength, source).read();
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new FormatError(
      `${source}: header byte ${error.at}: ${error.message}; the header is damaged, write the file anew`,
    );
  }
}

class HeaderReader {
  readonly #json: JsonScanner;
  readonly #dataLength: number;
  readonly #source: string;
  #budget = ENTRY_BUDGET;

  constructor(text: ByteSource, dataLength: number, source: string) {
    this.#json = new JsonScanner(text);
    this.#dataLength = dataLength;
    this.#source = source;
  }

  read(): Header {
    const tensors = new Map<string, TensorInfo>();
    let metadata: Map<string, StringToken> | undefined;
    this.#object('the header', (name) => {
      if (name === '__metadata__') {
        if (metadata) this.#fail('key "__metadata__" appears twice; merge them');
        metadata = this.#metadata();
        return;
      }
      const fault = nameFault(name);
      if (fault) this.#fail(`tensor name ${quote(name)} ${fault}`);
      if (tensors.has(name)) this.#fail(`tensor ${quote(name)} appears twice; rename one`);
      tensors.set(name, this.#tensor(name));
    });
    this.#json.end();

    const inOrder = this.#covering(tensors);
    // Only now, when all else holds, are the texts decoded: they may be large.
    const texts = [...(metadata ?? [])].map(([key, token]) => [key, this.#json.text(token)] as const);
    return { tensors: inOrder, metadata: new Map(texts) };
  }

  #fail(what: string): never {
    throw new FormatError(`${this.#source}: ${what}`);
  }

  #spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) {
      this.#fail(
        `the header names more tensors, or longer names, than the ${ENTRY_BUDGET} bytes reserved for them hold; split the file`,
      );
    }
  }

  /** `{ "key": value, … }`; `member` reads the value. */
  #object(what: string, member: (key: string) => void): void {
    this.#json.expect('{', `'{', ${what} being an object,`);
    if (this.#json.take('}')) return;
    do {
      const token = this.#json.string(`a key of ${what}`);
      this.#spend(token.end - token.start);
      const key = this.#json.text(token);
      this.#json.expect(':');
      member(key);
    } while (this.#json.take(','));
    this.#json.expect('}', `',' or '}'`);
  }

  /** `[ n, … ]`, at most `most` natural numbers. */
  #naturals(what: string, most: number): number[] {
    const values: number[] = [];
    this.#json.expect('[', `'[', ${what} being an array,`);
    if (this.#json.take(']')) return values;
    do {
      if (values.length === most) this.#fail(`${what} has more than ${most} numbers; write the file anew`);
      values.push(this.#json.natural(`number ${values.length} of ${what}`));
    } while (this.#json.take(','));
    this.#json.expect(']', `',' or ']'`);
    return values;
  }

  #metadata(): Map<string, StringToken> {
    const metadata = new Map<string, StringToken>();
    this.#object('"__metadata__"', (key) => {
      const fault = nameFault(key);
      if (fault) this.#fail(`metadata key ${quote(key)} ${fault}`);
      if (metadata.has(key)) this.#fail(`metadata key ${quote(key)} appears twice; rename one`);
      this.#spend(ENTRY_COST);
      metadata.set(
        key,
        this.#json.string(`a string (metadata ${quote(key)} must be text; write numbers as text)`),
      );
    });
    return metadata;
  }

  #tensor(name: string): TensorInfo {
    let dtype: DType | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    const title = `tensor ${quote(name)}`;
    const once = (field: string, before: unknown) => {
      if (before !== undefined) this.#fail(`${title} has ${field} twice; keep one`);
    };
    this.#object(title, (field) => {
      if (field === 'dtype') {
        once(field, dtype);
        dtype = this.#dtype(title);
      } else if (field === 'shape') {
        once(field, shape);
        shape = this.#naturals(`the shape of ${title}`, MAX_RANK);
      } else if (field === 'data_offsets') {
        once(field, offsets);
        offsets = this.#naturals(`data_offsets of ${title}`, 2);
      } else {
        this.#fail(
          `${title} has a field ${quote(field)}, which is none of dtype, shape and data_offsets; write the file anew without it`,
        );
      }
    });
    if (!dtype || !shape || offsets?.length !== 2) {
      const lacking = !dtype ? 'dtype' : !shape ? 'shape' : 'data_offsets [begin, end]';
      this.#fail(`${title} has no ${lacking}; write the file anew`);
    }
    this.#spend(ENTRY_COST + 8 * shape.length);
    const [begin, end] = offsets;
    this.#checkSize(title, dtype, shape, begin, end);
    return { dtype, shape, begin, end };
  }

  #dtype(title: string): DType {
    const token = this.#json.string(`a dtype of ${title}, a string,`);
    const name = token.end - token.start > 64 ? 'a name of more than 64 bytes' : this.#json.text(token);
    if (isDType(name)) return name;
    this.#fail(
      isUnsupportedDType(name)
        ? `${title} has dtype ${name}, which statewave does not read; convert it to F16 or F32 first`
        : `${title} has an unknown dtype ${quote(name)}; the known ones are ${Object.keys(ELEMENT).join(', ')}`,
    );
  }

  #checkSize(title: string, dtype: DType, shape: readonly number[], begin: number, end: number): void {
    const count = elementCount(shape);
    const size = count === undefined ? NaN : count * ELEMENT[dtype].bytes;
    if (!Number.isSafeInteger(size)) {
      this.#fail(
        `${title}: the size of shape ${showShape(shape)} in ${dtype} overflows (beyond 2^53 - 1); write the file anew`,
      );
    }
    if (begin > end) {
      this.#fail(`${title}: data_offsets [${begin}, ${end}] run backwards; write the file anew`);
    }
    if (end > this.#dataLength) {
      this.#fail(
        `${title}: data_offsets [${begin}, ${end}] lead past the ${this.#dataLength} bytes of data; the file is cut short, fetch it again`,
      );
    }
    if (end - begin !== size) {
      this.#fail(
        `${title}: shape ${showShape(shape)} in ${dtype} takes ${size} bytes, but data_offsets [${begin}, ${end}] hold ${end - begin}; write the file anew`,
      );
    }
  }

  /** Checks that the tensors cover the data without hole or overlap; gives them in the order of the data. */
  #covering(tensors: Map<string, TensorInfo>): Map<string, TensorInfo> {
    const inOrder = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
    let covered = 0;
    for (const [name, { begin, end }] of inOrder) {
      if (begin !== covered) {
        this.#fail(
          begin < covered
            ? `tensor ${quote(name)} starts at data byte ${begin}, inside another one that goes to ${covered}; tensors may not share bytes, write a copy`
            : `data bytes ${covered} to ${begin}, before tensor ${quote(name)}, belong to no tensor; write the file anew`,
        );
      }
      covered = end;
    }
    if (covered !== this.#dataLength) {
      this.#fail(
        `${this.#dataLength - covered} bytes after the last tensor belong to none; cut them off, or write the file anew`,
      );
    }
    return new Map(inOrder);
  }
}
