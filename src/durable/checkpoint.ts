import { readFileSync, rmSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { SnapshotError } from '../errors.ts';
import { writeAtomically } from './atomic-file.ts';

/** Where a job is: state and both positions belong together and are only ever saved together. */
export interface Checkpoint {
  /** Names the model, its weights and the job's settings: another job's state is refused. */
  readonly identity: string;
  /** How far into the input the state is: bytes of a file, the sequence number of a log. */
  readonly input: number;
  /** How much of the output comes from that. */
  readonly output: number;
  /** The whole input has been seen, and the end written. */
  readonly done: boolean;
  readonly state: Uint8Array;
}

const MAGIC = 'SWDUR001';
const HEAD = 12;

/** magic (8) · header length (u32) · header (JSON) · state · CRC-32 of everything before (u32), little-endian. */
export function packCheckpoint({ state, ...positions }: Checkpoint): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify({ ...positions, bytes: state.length }));
  const bytes = new Uint8Array(HEAD + text.length + state.length + 4);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode(MAGIC));
  view.setUint32(8, text.length, true);
  bytes.set(text, HEAD);
  bytes.set(state, HEAD + text.length);
  const end = bytes.length - 4;
  view.setUint32(end, crc32(bytes.subarray(0, end)), true);
  return bytes;
}

export const saveCheckpoint = (path: string, checkpoint: Checkpoint): void =>
  writeAtomically(path, packCheckpoint(checkpoint));

/**
 * What was saved there last; undefined where there is no such file.
 *
 * @param identity that of the job which wants to go on.
 * @throws SnapshotError for a file that is no checkpoint, is damaged, or belongs to another job.
 */
export function loadCheckpoint(path: string, identity: string): Checkpoint | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return unpackCheckpoint(bytes, path, identity);
}

/** The same of its bytes; `place` is where they come from, for messages. */
export function unpackCheckpoint(bytes: Uint8Array, place: string, identity: string): Checkpoint {
  const damaged = (what: string): SnapshotError =>
    new SnapshotError(`${place}: ${what}; remove it, and the job starts from the beginning of its input`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < HEAD + 4 || new TextDecoder().decode(bytes.subarray(0, 8)) !== MAGIC)
    throw damaged('this is no checkpoint of a job');
  const end = bytes.length - 4;
  if (view.getUint32(end, true) !== crc32(bytes.subarray(0, end)))
    throw damaged('the checksum does not match, the file is damaged');
  const at = HEAD + view.getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(HEAD, at))) as Omit<Checkpoint, 'state'>;
  if (header.identity !== identity) {
    throw new SnapshotError(
      `${place} belongs to another job (${header.identity}, this is ${identity}): another model, other weights or other ` +
        'settings; give this job a checkpoint of its own, or remove the file to start from the beginning',
    );
  }
  const { input, output, done } = header;
  return { identity, input, output, done, state: bytes.slice(at, end) };
}

/** Forgets a job that is complete. */
export const removeCheckpoint = (path: string): void => rmSync(path, { force: true });
