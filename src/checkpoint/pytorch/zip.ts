/** The content of a ZIP file's entries, stored or deflated, held to the directory's sizes and checksums. */
import { crc32, inflateRawSync } from 'node:zlib';
import { FormatError } from '../../errors.ts';
import { quote } from '../message.ts';
import type { RandomAccess } from './bytes.ts';
import { DEFLATED, readDirectory, STORED, type ZipEntry } from './zip-directory.ts';
import { locate } from './zip-local.ts';

/** Weights deflate by a few per cent; beyond this ratio, and this size, an entry is a bomb. */
const MOST_RATIO = 100;
const RATIO_FREE_BYTES = 2 ** 20;

export interface ZipArchive {
  /** By name; folders left out. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  /**
   * An entry's bytes; a view where they are stored and in memory.
   * @throws FormatError when they are not what the directory says.
   */
  read(entry: ZipEntry): Uint8Array;
}

/** Reads the directory, and of the data nothing. @throws FormatError */
export function openZip(file: RandomAccess, source: string): ZipArchive {
  const entries = readDirectory(file, source);
  const fail = (entry: ZipEntry, what: string): never => {
    throw new FormatError(`${source}: ZIP entry ${quote(entry.name)} ${what}`);
  };
  for (const entry of entries.values()) {
    if (entry.method !== DEFLATED) continue;
    if (entry.size > RATIO_FREE_BYTES && entry.size > MOST_RATIO * entry.packed) {
      fail(
        entry,
        `would unpack ${entry.packed} bytes to ${entry.size}, which no weights do; write the file anew`,
      );
    }
  }
  const inflate = (entry: ZipEntry, packed: Uint8Array): Uint8Array => {
    try {
      // Never more than one byte beyond the claim is unpacked; zlib wants room for at least one.
      return inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
    } catch (cause) {
      throw new FormatError(
        `${source}: ZIP entry ${quote(entry.name)} does not unpack to ${entry.size} bytes (${(cause as Error).message}); the file is damaged`,
        { cause },
      );
    }
  };
  const read = (entry: ZipEntry): Uint8Array => {
    const packed = file.read(locate(file, entry, source), entry.packed);
    const bytes = entry.method === STORED ? packed : inflate(entry, packed);
    if (bytes.length !== entry.size)
      fail(entry, `unpacks to ${bytes.length} bytes, not ${entry.size}; it is damaged`);
    if (crc32(bytes) !== entry.crc) {
      fail(
        entry,
        'does not have the checksum that the directory gives; fetch the file again (or, if it was saved with torch.serialization.set_crc32_options(False), save it with True)',
      );
    }
    return bytes;
  };
  return { entries, read };
}
