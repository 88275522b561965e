import { mkdtempSync, rmSync, writeFileSync, copyFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FormatError, SnapshotError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { KeyedStreams, type Keyed } from '../../src/keyed/index.ts';
import { initialise, s5 } from '../../src/layers/index.ts';
import {
  memoryStore,
  openFileStore,
  revertible,
  type FileStore,
  type RevertibleStore,
} from '../../src/stores/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'statewave-stores-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const fresh = (): string => join(folder, `${files++}.states`);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (state: Uint8Array | undefined): string | undefined =>
  state && new TextDecoder().decode(state);

/** Opens what is there, as after a crash: nothing is closed in between. */
type Open = () => Promise<RevertibleStore>;

const kinds: [string, () => Open][] = [
  [
    'a file',
    () => {
      const path = fresh();
      // The process before is gone: its handle must not hold the file.
      let before: FileStore | undefined;
      return async () => {
        before?.close();
        return (before = await openFileStore(path));
      };
    },
  ],
  [
    'any store of keys and values',
    () => {
      const inner = memoryStore();
      return async () => revertible(inner);
    },
  ],
];

describe.each(kinds)('a store that goes back: %s', (_name, kind) => {
  it('gives what was set', async () => {
    const store = await kind()();
    await store.set('a', bytes('1'));
    await store.set('ключ\u0000', bytes(''));
    expect(textOf(await store.get('a'))).toBe('1');
    expect(textOf(await store.get('ключ\u0000'))).toBe('');
    expect(await store.get('b')).toBeUndefined();
    await store.delete('a');
    expect(await store.get('a')).toBeUndefined();
  });

  it('follows a model through sets, deletes, marks, crashes and returns', async () => {
    const source = random(7);
    for (let run = 0; run < 3; run++) {
      const open = kind();
      let store = await open();
      let model = new Map<string, string>();
      // The last two marks: a checkpoint may have the one or the other.
      const marks: { mark: string | undefined; model: Map<string, string> }[] = [
        { mark: undefined, model: new Map() },
      ];
      for (let step = 0; step < 250; step++) {
        const key = `k${Math.floor(source.uniform() * 12)}`;
        const what = source.uniform();
        if (what < 0.5) {
          await store.set(key, bytes(`${run}.${step}`));
          model.set(key, `${run}.${step}`);
        } else if (what < 0.6) {
          await store.delete(key);
          model.delete(key);
        } else if (what < 0.85) {
          expect(textOf(await store.get(key))).toBe(model.get(key));
        } else if (what < 0.92) {
          marks.push({ mark: await store.mark(), model: new Map(model) });
          if (marks.length > 2) marks.shift();
        } else {
          // The mark that was on its way to its checkpoint may have got there or not.
          const back = marks.length > 1 && source.uniform() < 0.4 ? 0 : marks.length - 1;
          marks.splice(0, marks.length, marks[back]!);
          store = await open();
          await store.revert(marks[0]!.mark);
          model = new Map(marks[0]!.model);
        }
      }
      for (let k = 0; k < 12; k++) expect(textOf(await store.get(`k${k}`))).toBe(model.get(`k${k}`));
    }
  });

  it('refuses moments that it does not know', async () => {
    const [store, other] = [await kind()(), await kind()()];
    await store.set('a', bytes('1'));
    const first = await store.mark();
    await expect(other.revert(first)).rejects.toThrow(SnapshotError);
    await store.revert(undefined);
    expect(await store.get('a')).toBeUndefined();
    await store.set('a', bytes('2'));
    await store.mark();
    await expect(store.revert(first)).rejects.toThrow(SnapshotError);
  });

  it('takes keyed streams through crashes to the same bits', async () => {
    const model = s5({ features: 1, states: 4 });
    const parameters = initialise(model, 1);
    interface Row {
      readonly id: string;
      readonly value: number;
    }
    const source = random(3);
    const rows = Array.from({ length: 1200 }, () => ({
      id: `s${Math.floor(source.uniform() * 30)}`,
      value: source.normal(),
    }));
    const key = ({ id }: Row): string => id;
    const expected = new KeyedStreams(key, model, parameters).processNow(rows)!.map(({ value }) => value);

    const open = kind();
    const output: number[] = [];
    let saved: { snapshot: Uint8Array; at: number } | undefined;
    for (let crash = 0; crash < 12; crash++) {
      const streams = new KeyedStreams(key, model, parameters, { store: await open(), resident: 8 });
      if (saved) await streams.restore(saved.snapshot);
      else await streams.clear();
      output.length = saved?.at ?? 0;
      const until =
        crash === 11 ? rows.length : Math.min(rows.length, output.length + 130 + 60 * source.uniform());
      while (output.length < until) {
        const results: Keyed<Row>[] = await streams.process(rows.slice(output.length, output.length + 17));
        output.push(...results.map(({ value }) => value as number));
        if (source.uniform() < 0.3) saved = { snapshot: await streams.snapshot(), at: output.length };
      }
    }
    expect(output).toEqual(expected);
  });
});

describe('a store in a file', () => {
  it('keeps what was set, and counts its keys', async () => {
    const path = fresh();
    const store = await openFileStore(path);
    await Promise.all(Array.from({ length: 100 }, (_, i) => store.set(`k${i}`, bytes(`${i}`))));
    await store.delete('k5');
    await store.set('\u0000form', bytes('not a sensor'));
    store.close();
    const again = await openFileStore(path);
    expect(textOf(await again.get('k99'))).toBe('99');
    expect(again.size()).toBe(99);
    again.close();
  });

  it('has what was set after the process is gone, without a close', async () => {
    const path = fresh();
    const store = await openFileStore(path);
    await store.set('a', bytes('1'));
    // What a process leaves behind that is killed here.
    const copy = fresh();
    copyFileSync(path, copy);
    copyFileSync(`${path}-wal`, `${copy}-wal`);
    const after = await openFileStore(copy);
    expect(textOf(await after.get('a'))).toBe('1');
    after.close();
    store.close();
  });

  it('refuses files that are something else', async () => {
    const path = fresh();
    writeFileSync(path, 'time,value\n1,2\n'.repeat(200));
    await expect(openFileStore(path)).rejects.toThrow(FormatError);
    const { DatabaseSync } = await import('node:sqlite');
    const other = fresh();
    const database = new DatabaseSync(other);
    database.exec('CREATE TABLE orders (id)');
    database.close();
    await expect(openFileStore(other)).rejects.toThrow(/is a database of something else/);
  });
});
