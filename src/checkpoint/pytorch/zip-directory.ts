/**
 * The entries of a ZIP file, as its central directory gives them. Each is held against its local header when it
 * is read (`zip-local.ts`).
 *
 * Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.12 (central directory) and 4.5.3 (zip64 extra field).
 */
import { FormatError } from '../../errors.ts';
import type { RandomAccess } from './bytes.ts';
import { quote } from '../message.ts';
import { count64, findDirectory } from './zip-end.ts';

/**
 * Directory bytes and entries that are read: more than the tensors that a pickle may have, and little enough for
 * the memory that a lying file may take.
 */
const MAX_DIRECTORY_BYTES = 640 * 1024;
const MAX_ENTRIES = 8_000;

const CENTRAL = 0x02014b50;
const CENTRAL_BYTES = 46;
const ZIP64_EXTRA = 0x0001;
const ONES = 0xffffffff;

/** Bytes of a local header without the name and the extra field. */
export const LOCAL_BYTES = 30;
/** Flag bit 3: sizes and checksum stand behind the data, and in the central directory. */
export const DESCRIPTOR = 1 << 3;
/** Flag bits that do not change how the bytes are read: 1 and 2 are deflate's effort, 11 is UTF-8 names. */
const KNOWN_FLAGS = (1 << 1) | (1 << 2) | DESCRIPTOR | (1 << 11);

export const STORED = 0;
export const DEFLATED = 8;

export interface ZipEntry {
  readonly name: string;
  readonly method: typeof STORED | typeof DEFLATED;
  readonly flags: number;
  readonly crc: number;
  /** Bytes in the file. */
  readonly packed: number;
  /** Bytes of the content. */
  readonly size: number;
  /** First byte of the local header. */
  readonly header: number;
  /** Where the next entry, or the directory, starts: header and data end before it. */
  readonly limit: number;
}

type Open = Omit<ZipEntry, 'limit'>;

/**
 * All entries but folders, by name.
 *
 * @throws FormatError
 */
export function readDirectory(file: RandomAccess, source: string): Map<string, ZipEntry> {
  const directory = findDirectory(file, source);
  if (directory.size > MAX_DIRECTORY_BYTES || directory.entries > MAX_ENTRIES) {
    throw new FormatError(
      `${source}: the ZIP directory has ${directory.entries} entries in ${directory.size} bytes, more than the ${MAX_ENTRIES} in ${MAX_DIRECTORY_BYTES} that are read; split the checkpoint`,
    );
  }
  const reader = new DirectoryReader(source, directory.offset);
  return reader.read(file.read(directory.offset, directory.size), directory.entries);
}

class DirectoryReader {
  readonly #source: string;
  /** Where the directory starts. */
  readonly #limit: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor(source: string, limit: number) {
    this.#source = source;
    this.#limit = limit;
  }

  read(bytes: Uint8Array, count: number): Map<string, ZipEntry> {
    const entries: Open[] = [];
    let at = 0;
    for (let i = 0; i < count; i++) {
      const [entry, next] = this.#central(bytes, at);
      entries.push(entry);
      at = next;
    }
    if (at !== bytes.length)
      this.#fail(`the ZIP directory has ${bytes.length - at} bytes after its last entry`);
    const named = new Map<string, ZipEntry>();
    for (const entry of this.#apart(entries)) {
      if (named.has(entry.name)) this.#fail(`ZIP entry ${quote(entry.name)} appears twice; keep one`);
      named.set(entry.name, entry);
    }
    for (const { name } of entries) if (name.endsWith('/')) named.delete(name);
    return named;
  }

  #fail(what: string): never {
    throw new FormatError(`${this.#source}: ${what}`);
  }

  #central(bytes: Uint8Array, at: number): [Open, next: number] {
    const fixed = new DataView(bytes.buffer, bytes.byteOffset + at, bytes.length - at);
    if (fixed.byteLength < CENTRAL_BYTES || fixed.getUint32(0, true) !== CENTRAL) {
      this.#fail(`the ZIP directory has no entry at its byte ${at}, where one was due; the file is damaged`);
    }
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) =>
      fixed.getUint16(field, true),
    );
    const next = at + CENTRAL_BYTES + nameLength + extraLength + commentLength;
    if (next > bytes.length) this.#fail(`the ZIP entry at byte ${at} of the directory leads past its end`);
    const name = this.#name(bytes.subarray(at + CENTRAL_BYTES, at + CENTRAL_BYTES + nameLength));
    const flags = fixed.getUint16(8, true);
    const method = fixed.getUint16(10, true);
    if ((flags & ~KNOWN_FLAGS) !== 0) {
      this.#fail(
        `ZIP entry ${quote(name)} is encrypted or of a kind not read (flags ${flags}); store it plainly`,
      );
    }
    if (method !== STORED && method !== DEFLATED) {
      this.#fail(`ZIP entry ${quote(name)} is packed by method ${method}; store or deflate it`);
    }
    const extra = bytes.subarray(next - commentLength - extraLength, next - commentLength);
    const claims = [24, 20, 42].map((field) => fixed.getUint32(field, true));
    const [size, packed, header] = this.#widen(claims, extra, name);
    if (method === STORED && packed !== size) {
      this.#fail(
        `ZIP entry ${quote(name)} is stored, yet takes ${packed} bytes for ${size}; the file is damaged`,
      );
    }
    if (name.endsWith('/') && size !== 0)
      this.#fail(`ZIP folder ${quote(name)} has content; write the file anew`);
    return [{ name, method, flags, crc: fixed.getUint32(16, true), packed, size, header }, next];
  }

  /** Nothing is ever written under these names, but a tool that unpacks would: names that climb are refused. */
  #name(bytes: Uint8Array): string {
    let name: string;
    try {
      name = this.#decoder.decode(bytes);
    } catch {
      this.#fail('the name of a ZIP entry is no UTF-8; write the file anew');
    }
    const parts = name.split('/');
    if (parts.length > 1 && parts.at(-1) === '') parts.pop();
    const climbs = parts.some((part) => part === '' || part === '.' || part === '..');
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    if (climbs || /[\\:\u0000-\u001f]/.test(name)) {
      this.#fail(`ZIP entry ${quote(name)} has a name that leads elsewhere; write the file anew`);
    }
    return name;
  }

  /** 32-bit claims (size, packed size, offset) of all ones stand in the zip64 extra field, in this order. */
  #widen(claims: readonly number[], extra: Uint8Array, name: string): number[] {
    if (!claims.includes(ONES)) return [...claims];
    const fields = new DataView(extra.buffer, extra.byteOffset, extra.length);
    for (let at = 0; at + 4 <= extra.length;) {
      const length = fields.getUint16(at + 2, true);
      if (fields.getUint16(at, true) === ZIP64_EXTRA && at + 4 + length <= extra.length) {
        let from = at + 4;
        const widened = claims.map((claim) => {
          if (claim !== ONES) return claim;
          from += 8;
          return from <= at + 4 + length ? count64(fields, from - 8) : NaN;
        });
        if (widened.every((claim) => Number.isSafeInteger(claim))) return widened;
        break;
      }
      at += 4 + length;
    }
    this.#fail(`ZIP entry ${quote(name)} has no zip64 field that fits it; the file is damaged`);
  }

  /**
   * The entries in the order of the file, each with where it has to end. Two may not share bytes: that is how
   * small files unpack to enormous ones.
   */
  *#apart(entries: readonly Open[]): Generator<ZipEntry> {
    const inOrder = [...entries].sort((a, b) => a.header - b.header);
    for (const [i, entry] of inOrder.entries()) {
      const after = inOrder[i + 1];
      const limit = after?.header ?? this.#limit;
      // The extra field of the local header comes on top; it is looked at when the entry is read.
      if (entry.header + LOCAL_BYTES + entry.name.length + entry.packed > limit) {
        this.#fail(
          after
            ? `ZIP entries ${quote(entry.name)} and ${quote(after.name)} share bytes; write the file anew`
            : `ZIP entry ${quote(entry.name)} leads into the directory; the file is damaged`,
        );
      }
      yield { ...entry, limit };
    }
  }
}
