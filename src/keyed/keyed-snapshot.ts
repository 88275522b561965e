import { SnapshotError } from '../errors.ts';
import { crc32 } from '../stream/checksum.ts';
import type { SnapshotForm } from './packed-snapshot.ts';

/** All that keyed streams remember, or where it is. */
export interface KeyedSnapshot {
  /** Names the model, its weights and the settings. */
  readonly identity: string;
  /** Of the store that holds all states; null where they are here. */
  readonly mark: string | null;
  readonly form: SnapshotForm;
  readonly states: readonly (readonly [key: string, state: Uint8Array])[];
}

const MAGIC = 'SWKEYS01';
const HEAD = 12;
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);

/**
 * magic (8) · header length (u32) · header (JSON) · a key's length (u32), state's length (u32), key and state, by key in
 * the order of its UTF-16 · CRC-32 of everything before (u32), little-endian. The same states give the same bytes, in
 * whichever order their keys came.
 */
export function packKeyed({ states, ...header }: KeyedSnapshot): Uint8Array {
  const text = bytesOf(JSON.stringify({ ...header, keys: states.length }));
  const entries = states
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, state]) => ({ name: bytesOf(key), state }));
  const size = entries.reduce((sum, { name, state }) => sum + 8 + name.length + state.length, 0);
  const bytes = new Uint8Array(HEAD + text.length + size + 4);
  const view = new DataView(bytes.buffer);
  bytes.set(bytesOf(MAGIC));
  view.setUint32(8, text.length, true);
  bytes.set(text, HEAD);
  let at = HEAD + text.length;
  for (const { name, state } of entries) {
    view.setUint32(at, name.length, true);
    view.setUint32(at + 4, state.length, true);
    bytes.set(name, at + 8);
    bytes.set(state, at + 8 + name.length);
    at += 8 + name.length + state.length;
  }
  view.setUint32(at, crc32(bytes.subarray(0, at)), true);
  return bytes;
}

/** @throws SnapshotError for bytes that are none, or damaged. */
export function unpackKeyed(bytes: Uint8Array): KeyedSnapshot {
  const damaged = (why: string): never => {
    throw new SnapshotError(
      `this is no whole snapshot of keyed streams (${bytes.length} bytes): ${why}; take one with their snapshot()`,
    );
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEAD + 4 || textOf(bytes.subarray(0, 8)) !== MAGIC) damaged('it begins otherwise');
  const end = bytes.length - 4;
  if (view.getUint32(end, true) !== crc32(bytes.subarray(0, end))) damaged('its checksum is wrong');
  let at = HEAD + view.getUint32(8, true);
  if (at > end) damaged('its header goes beyond its end');
  const { keys, ...header } = JSON.parse(textOf(bytes.subarray(HEAD, at))) as Omit<
    KeyedSnapshot,
    'states'
  > & {
    keys: number;
  };
  const states: [string, Uint8Array][] = [];
  for (let i = 0; i < keys; i++) {
    const name = at + 8;
    if (name > end) damaged(`it ends before key ${i} of ${keys}`);
    const state = name + view.getUint32(at, true);
    const next = state + view.getUint32(at + 4, true);
    if (next > end) damaged(`it ends within key ${i} of ${keys}`);
    states.push([textOf(bytes.subarray(name, state)), bytes.subarray(state, next)]);
    at = next;
  }
  return { ...header, states };
}
