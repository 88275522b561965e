import { FormatError, SnapshotError } from '../errors.ts';
import type { RevertibleStore, StateStore } from './store.ts';

/** When a version was set: by which run of which process, and behind how many marks of it. */
interface Moment {
  readonly run: string;
  readonly count: number;
}

/** What counts: of each run that led here, what was set up to a mark of it. */
type History = readonly Moment[];

interface Version extends Moment {
  /** Undefined where the key was deleted. */
  readonly state: Uint8Array | undefined;
}

/**
 * Makes a store that can go back of any store of keys and values (NATS KV, Redis, a table), by keeping of each key the
 * versions that the last two marks reach beside the newest. What a run sets that never got to a mark in a checkpoint is
 * still there after a crash, and is not looked at: a version says which run it is from, a mark which runs led to it.
 *
 * As safe as the store itself: it promises that what `set` has settled stays. A mark grows by some 50 bytes with each
 * `revert`. One writer.
 *
 * @example
 * const store = revertible({ get: (key) => redis.getBuffer(key), set: …, delete: … });
 */
export function revertible(store: StateStore): RevertibleStore {
  /** Of the marks that can be gone back to, the newest last; then what is set now. */
  let histories: readonly [older: History, newer: History] = [[], []];
  let now: Moment = { run: crypto.randomUUID(), count: 0 };

  const versions = async (key: string): Promise<Version[]> => {
    const bytes = await store.get(key);
    return bytes ? unpack(bytes, key) : [];
  };
  const isNow = ({ run }: Version): boolean => run === now.run;
  const put = async (key: string, state: Uint8Array | undefined): Promise<void> => {
    const old = await versions(key);
    // Newest first: of those that each mark reaches, the newest counts.
    const kept = new Set(
      histories
        .map((history) => old.find((version) => reaches(history, version)))
        .filter((v) => v !== undefined),
    );
    const others = old.filter(
      (version) => kept.has(version) && !(isNow(version) && version.count === now.count),
    );
    if (state === undefined && others.length === 0) await store.delete(key);
    else await store.set(key, pack([{ ...now, state }, ...others]));
  };
  return {
    async get(key) {
      const found = (await versions(key)).find((version) => isNow(version) || reaches(histories[1], version));
      return found?.state;
    },
    set: (key, state) => put(key, state),
    delete: (key) => put(key, undefined),
    async mark() {
      const history = [...histories[1].filter(({ run }) => run !== now.run), now];
      histories = [histories[1], history];
      now = { run: now.run, count: now.count + 1 };
      const name = JSON.stringify(history);
      await store.set(
        MARKS,
        new TextEncoder().encode(JSON.stringify(histories.map((h) => JSON.stringify(h)))),
      );
      return name;
    },
    async revert(mark) {
      const history = mark === undefined ? [] : parse(mark);
      if (mark !== undefined) {
        const known = await store.get(MARKS);
        const names = known ? (JSON.parse(new TextDecoder().decode(known)) as string[]) : [];
        if (!names.includes(mark)) {
          throw new SnapshotError(
            `the store knows no mark ${mark}: it is another store, or of another moment; ` +
              'put the one back that belongs to the checkpoint, or remove both to start from the beginning',
          );
        }
      }
      histories = [history, history];
      now = { run: crypto.randomUUID(), count: 0 };
      await store.set(MARKS, new TextEncoder().encode(JSON.stringify([JSON.stringify(history)])));
    },
  };
}

/** Where the names of the marks in reach are. */
const MARKS = '\u0000marks';

const reaches = (history: History, { run, count }: Version): boolean =>
  history.some((moment) => moment.run === run && count <= moment.count);

function parse(mark: string): History {
  try {
    return JSON.parse(mark) as History;
  } catch (cause) {
    throw new SnapshotError(`${JSON.stringify(mark)} is no mark of this kind of store`, { cause });
  }
}

/** Header length (u32, little-endian) · header (JSON: run, count, bytes or null of each version) · states. */
function pack(versions: readonly Version[]): Uint8Array {
  const header = new TextEncoder().encode(
    JSON.stringify(versions.map(({ run, count, state }) => [run, count, state?.length ?? null])),
  );
  const size = versions.reduce((sum, { state }) => sum + (state?.length ?? 0), 0);
  const bytes = new Uint8Array(4 + header.length + size);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, 4);
  let at = 4 + header.length;
  for (const { state } of versions) {
    if (!state) continue;
    bytes.set(state, at);
    at += state.length;
  }
  return bytes;
}

function unpack(bytes: Uint8Array, key: string): Version[] {
  try {
    let at = 4 + new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, at))) as [
      string,
      number,
      number | null,
    ][];
    return header.map(([run, count, length]) => {
      const state = length === null ? undefined : bytes.slice(at, at + length);
      if (state && state.length !== length) throw new Error(`it ends after ${bytes.length} bytes`);
      at += length ?? 0;
      return { run, count, state };
    });
  } catch (cause) {
    throw new FormatError(
      `what the store holds under ${JSON.stringify(key)} was not set by revertible(): ${(cause as Error).message}; ` +
        'give it keys of its own',
      { cause },
    );
  }
}
