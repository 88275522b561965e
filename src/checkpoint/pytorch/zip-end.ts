/**
 * The records at the end of a ZIP file, which say where its central directory is.
 *
 * Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.14 (zip64 end record), 4.3.15 (its locator), 4.3.16 (end
 * record). Stricter on purpose: an archive comment is refused, so that the end record lies at the very end and no
 * two readers find different ones; torch.save writes none.
 */
import { FormatError } from '../../errors.ts';
import type { RandomAccess } from './bytes.ts';

const END = 0x06054b50;
const END_BYTES = 22;
const LOCATOR = 0x07064b50;
const LOCATOR_BYTES = 20;
const END64 = 0x06064b50;
const END64_BYTES = 56;

/** Where the central directory lies, in bytes from the start of the file. */
export interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly entries: number;
}

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** A 64-bit count as a number; what is beyond 2^53 comes out inexact, and larger than any file. */
export const count64 = (bytes: DataView, at: number): number => Number(bytes.getBigUint64(at, true));

/** @throws FormatError for anything that does not hold together. */
export function findDirectory(file: RandomAccess, source: string): Directory {
  const fail = (what: string): never => {
    throw new FormatError(`${source}: ${what}`);
  };
  const endAt = file.length - END_BYTES;
  const end = endAt < 0 ? undefined : view(file.read(endAt, END_BYTES));
  if (end?.getUint32(0, true) !== END || end.getUint16(20, true) !== 0) {
    fail('a ZIP end record is not at the end of the file; it is cut short, or has something after its end');
  }
  const [disk, startDisk, here, entries] = [4, 6, 8, 10].map((at) => end!.getUint16(at, true));
  const [size, offset] = [12, 16].map((at) => end!.getUint32(at, true));
  let directory: Directory = { offset, size, entries };
  let recordsAt = endAt;

  const locatorAt = endAt - LOCATOR_BYTES;
  const locator = locatorAt < 0 ? undefined : view(file.read(locatorAt, LOCATOR_BYTES));
  if (locator?.getUint32(0, true) === LOCATOR) {
    recordsAt = count64(locator, 8);
    if (recordsAt + END64_BYTES !== locatorAt || locator.getUint32(4, true) !== 0) {
      fail('the zip64 locator does not lead to a record right before it; write the file anew');
    }
    const end64 = view(file.read(recordsAt, END64_BYTES));
    if (end64.getUint32(0, true) !== END64 || count64(end64, 4) !== END64_BYTES - 12) {
      fail('the zip64 end record is damaged; fetch the file again');
    }
    const large = { offset: count64(end64, 48), size: count64(end64, 40), entries: count64(end64, 32) };
    const agrees = (small: number, ones: number, value: number) => small === ones || small === value;
    if (
      !agrees(offset, 0xffffffff, large.offset) ||
      !agrees(size, 0xffffffff, large.size) ||
      !agrees(entries, 0xffff, large.entries) ||
      count64(end64, 24) !== large.entries ||
      end64.getUint32(16, true) !== 0 ||
      end64.getUint32(20, true) !== 0
    ) {
      fail('the two ZIP end records say different things; write the file anew');
    }
    directory = large;
  } else if (disk !== 0 || startDisk !== 0 || here !== entries) {
    fail('is one part of a ZIP file in several parts; join them');
  }
  if (directory.offset + directory.size !== recordsAt) {
    fail(
      `the ZIP directory (bytes ${directory.offset} to ${directory.offset + directory.size}) does not end at byte ${recordsAt}, where the end record starts; the file is damaged`,
    );
  }
  return directory;
}
