import { openSnapshot, type SnapshotHeader } from '../../stream/index.ts';

/** What `inspect` says of a stream's snapshot. */
export interface SnapshotReport extends SnapshotHeader {
  readonly kind: 'snapshot';
  readonly file: string;
  readonly bytes: number;
}

/** @throws SnapshotError on bytes that are no whole snapshot, or of another version. */
export function inspectSnapshot(data: Uint8Array, file: string): SnapshotReport {
  return { kind: 'snapshot', file, bytes: data.length, ...openSnapshot(data).header };
}
