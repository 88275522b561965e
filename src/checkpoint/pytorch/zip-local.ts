/**
 * Where an entry's data lie, which only its local header says; and whether that header tells the same as the
 * central directory, so that no two readers see two files.
 *
 * Source: PKWARE APPNOTE.TXT 6.3.10, section 4.3.7. How torch.save fills it: pytorch
 * `caffe2/serialize/inline_container.cc` and miniz `mz_zip_writer_add_mem_ex_v2`: sizes and checksum zero, with a
 * data descriptor behind the data (flag bit 3), and an extra field "FB" that pads the data to 64 bytes.
 */
import { FormatError } from '../../errors.ts';
import { quote } from '../message.ts';
import type { RandomAccess } from './bytes.ts';
import { DESCRIPTOR, LOCAL_BYTES, type ZipEntry } from './zip-directory.ts';

const LOCAL = 0x04034b50;
const ONES = 0xffffffff;

/** The first byte of the data, behind which `packed` bytes are there. @throws FormatError */
export function locate(file: RandomAccess, entry: ZipEntry, source: string): number {
  const { name, header, limit, method, flags, packed, size, crc } = entry;
  const damaged = (what: string): never => {
    throw new FormatError(
      `${source}: ZIP entry ${quote(name)}: its local header ${what}; the file is damaged`,
    );
  };
  const nameBytes = new TextEncoder().encode(name);
  // The directory has made sure of this many.
  const bytes = file.read(header, LOCAL_BYTES + nameBytes.length);
  const fixed = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (fixed.getUint32(0, true) !== LOCAL) damaged(`is not at byte ${header}`);
  if (fixed.getUint16(6, true) !== flags || fixed.getUint16(8, true) !== method) {
    damaged('gives other flags or another method than the directory');
  }
  const sameName =
    fixed.getUint16(26, true) === nameBytes.length &&
    nameBytes.every((byte, i) => byte === bytes[LOCAL_BYTES + i]);
  if (!sameName) damaged('gives another name than the directory');
  // All ones refer to the zip64 field there, which is not looked at: the directory's numbers are used, and the
  // checksum holds the data to them.
  const left = (claim: number) => (flags & DESCRIPTOR) !== 0 && claim === 0;
  const [claimedCrc, claimedPacked, claimedSize] = [14, 18, 22].map((field) => fixed.getUint32(field, true));
  if (
    !(claimedCrc === crc || left(claimedCrc)) ||
    !(claimedPacked === packed || left(claimedPacked) || claimedPacked === ONES) ||
    !(claimedSize === size || left(claimedSize) || claimedSize === ONES)
  ) {
    damaged('gives other sizes or another checksum than the directory');
  }
  const data = header + LOCAL_BYTES + nameBytes.length + fixed.getUint16(28, true);
  if (data + packed > limit) damaged('and data lead into what follows');
  return data;
}
