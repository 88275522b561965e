import { crc32 } from 'node:zlib';
import { FormatError } from '../../errors.ts';

/** What `inspect` says of a stream's snapshot. */
export interface SnapshotReport {
  readonly kind: 'snapshot';
  readonly file: string;
  readonly bytes: number;
  readonly model: string;
  /** Of model, weights and precision; a stream has to have the same to go on from here. */
  readonly hash: string;
  readonly backend: string;
  readonly precision: string;
  /** Hz. */
  readonly sampleRate: number | null;
  /** Input frames seen. */
  readonly frames: number;
  readonly ended: boolean;
  readonly sections: readonly { readonly name: string; readonly bytes: number }[];
}

/** magic (8) · header length (u32) · header (JSON) · sections · CRC-32 (u32), little-endian: see `stream/snapshot.ts`. */
export function inspectSnapshot(data: Uint8Array, file: string): SnapshotReport {
  const damaged = (why: string): never => {
    throw new FormatError(`${file} is a damaged snapshot: ${why}; take it again with stream.snapshot()`);
  };
  if (data.length < 16) damaged(`it has ${data.length} bytes, and no header`);
  const magic = new TextDecoder('latin1').decode(data.subarray(0, 8));
  if (magic !== 'SWSNAP01') {
    throw new FormatError(`${file} is a snapshot of another version, ${magic}; this one reads SWSNAP01`);
  }
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const end = data.length - 4;
  if (view.getUint32(end, true) !== crc32(data.subarray(0, end))) damaged('its checksum is wrong');
  const length = view.getUint32(8, true);
  if (12 + length > end) damaged(`its header of ${length} bytes goes beyond its end`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(data.subarray(12, 12 + length)));
  } catch {
    damaged('its header is no JSON');
  }
  const { model, hash, backend, precision, sampleRate, frames, ended, sections } = header as SnapshotReport;
  return {
    kind: 'snapshot',
    file,
    bytes: data.length,
    model,
    hash,
    backend,
    precision,
    sampleRate,
    frames,
    ended,
    sections,
  };
}
