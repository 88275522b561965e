import {
  concat,
  from,
  lastValueFrom,
  map,
  of,
  Subject,
  tap,
  throwError,
  toArray,
  type Observable,
} from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { fromAsyncIterable, hold, keyed, type KeyedOperatorOptions } from '../../operators/index.ts';
import { GraphError, StreamError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import {
  KeyedStreams,
  memoryStore,
  type Keyed,
  type KeyedNote,
  type StateStore,
} from '../../src/keyed/index.ts';
import { initialise, s4d } from '../../src/layers/index.ts';
import * as ops from '../../src/ops/index.ts';
import { defineLayer } from '../../src/signal/index.ts';

interface Row {
  readonly sensor: string;
  readonly time: number;
  readonly value: number;
}

const model = s4d({ features: 1, states: 4 });
const parameters = initialise(model, 1);
const sensorOf = (row: Row): string => row.sensor;
const time = (row: Row): number => row.time;

const source = random(8);
const rows: Row[] = Array.from({ length: 400 }, (_, i) => ({
  sensor: `s${source.integer(25)}`,
  time: i / 7,
  value: source.normal(),
}));
const expected = new KeyedStreams(sensorOf, model, parameters, { time }).processNow(rows)!;

const operator = (options: KeyedOperatorOptions<Row> = {}): ReturnType<typeof keyed<Row>> =>
  keyed(sensorOf, model, parameters, { time, ...options });
const all = <T>(values: Observable<T>): Promise<T[]> => lastValueFrom(values.pipe(toArray()));

/** A store each of whose answers comes when it is let. */
function gatedStore(): { store: StateStore; open(): void } {
  const inner = memoryStore();
  let waiting: (() => void)[] = [];
  let isOpen = false;
  const gate = (): Promise<void> =>
    isOpen ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve));
  return {
    store: {
      get: async (key) => (await gate(), inner.get(key)),
      set: (key, state) => inner.set(key, state),
      delete: (key) => inner.delete(key),
    },
    open() {
      isOpen = true;
      for (const resolve of waiting) resolve();
      waiting = [];
    },
  };
}

afterEach(() => void vi.useRealTimers());

describe('keyed', () => {
  it('answers records one by one and arrays by arrays, the same', async () => {
    expect(await all(from(rows).pipe(operator()))).toEqual(expected);
    const batches = [rows.slice(0, 150), [], rows.slice(150)];
    const answers: Keyed<Row>[][] = await all(from(batches).pipe(operator()));
    expect(answers.map(({ length }) => length)).toEqual([150, 250]);
    expect(answers.flat()).toEqual(expected);
  });

  it('starts afresh for each subscriber, from a snapshot where one is given', async () => {
    let running: KeyedStreams<Row> | undefined;
    const run = operator({ onStreams: (streams) => (running = streams) });
    await all(from(rows.slice(0, 200)).pipe(run));
    const snapshot = running!.snapshotNow();
    expect(await all(from(rows).pipe(run))).toEqual(expected);
    for (let i = 0; i < 2; i++)
      expect(await all(from(rows.slice(200)).pipe(operator({ snapshot })))).toEqual(expected.slice(200));
  });

  it('keeps the order of the records while states are on their way', async () => {
    const { store, open } = gatedStore();
    const got: Keyed<Row>[] = [];
    const input = new Subject<Row>();
    const done = lastValueFrom(
      input.pipe(
        operator({ store, resident: 3, maxPending: 500 }),
        tap((result) => got.push(result)),
      ),
    );
    for (const row of rows.slice(0, 300)) input.next(row);
    await new Promise((resolve) => setImmediate(resolve));
    expect(got).toEqual([]);
    open();
    for (const row of rows.slice(300)) input.next(row);
    input.complete();
    await done;
    expect(got).toEqual(expected);
  });

  it('bounds what waits where the source can not', async () => {
    const { store } = gatedStore();
    const flood = from(rows).pipe(operator({ store, maxPending: 10 }));
    await expect(all(flood)).rejects.toThrow(/11 values are pending and the source can't wait/);
  });

  it('makes a source wait that can, and goes on from its store', async () => {
    const store = memoryStore();
    let pulled = 0;
    let ahead = 0;
    async function* slowly(part: readonly Row[]): AsyncGenerator<Row> {
      for (const row of part) {
        pulled++;
        yield row;
      }
    }
    const run = operator({ store, resident: 2, maxPending: 1 });
    const first = fromAsyncIterable(slowly(rows.slice(0, 200))).pipe(
      run,
      tap(() => (ahead = Math.max(ahead, pulled--))),
    );
    expect(await all(first)).toEqual(expected.slice(0, 200));
    expect(ahead).toBe(1);
    expect(store.size).toBeGreaterThan(20);
    expect(await all(from([rows.slice(200)]).pipe(operator({ store, resident: 2 })))).toEqual([
      expected.slice(200),
    ]);
  });

  it('gathers lone records, by number or by time', () => {
    vi.useFakeTimers();
    const calls = vi.spyOn(KeyedStreams.prototype, 'processNow');
    const sizes = (): number[] => calls.mock.calls.map(([records]) => records.length);
    const input = new Subject<Row>();
    const got: number[] = [];
    input.pipe(operator({ batch: { records: 3, ms: 100 } })).subscribe(({ time: at }) => got.push(at));
    const send = (from: number, to: number): void => rows.slice(from, to).forEach((row) => input.next(row));
    send(0, 2);
    expect(got).toEqual([]);
    vi.advanceTimersByTime(99);
    expect(sizes()).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(sizes()).toEqual([2]);
    send(2, 6);
    expect(sizes()).toEqual([2, 3]);
    input.complete();
    expect(sizes()).toEqual([2, 3, 1]);
    expect(got).toHaveLength(6);
    calls.mockRestore();
  });

  it('gives the same however records are gathered, and lets a source wait through it', async () => {
    const held: boolean[] = [];
    const run = from([0]).pipe(
      () => fromAsyncIterable(rows),
      operator({ batch: { records: 32, ms: 10_000 } }),
      tap(() => held.push(hold(Promise.resolve()))),
    );
    expect(await all(run)).toEqual(expected);
    // Twelve arrays came with a record, what was left with the end.
    expect(held.filter((isHeld) => isHeld)).toHaveLength(12 * 32);
    await expect(all(of([rows[0]!]).pipe(operator({ batch: { records: 2, ms: 1 } })))).rejects.toThrow(
      StreamError,
    );
  });

  it('gives what was taken before an error, with and without a store', async () => {
    const twice = [...rows.slice(0, 5), rows[4]!, ...rows.slice(5)];
    for (const more of [{}, { store: memoryStore() }]) {
      const got: Keyed<Row>[] = [];
      const run = of(twice).pipe(operator({ duplicates: 'error', ...more }));
      await expect(
        lastValueFrom(run.pipe(tap((results) => got.push(...(results as Keyed<Row>[]))))),
      ).rejects.toThrow(/two readings at/);
      expect(got).toEqual(expected.slice(0, 5));
    }
    const gathered: Keyed<Row>[] = [];
    const failing = concat(
      from(rows.slice(0, 5)),
      throwError(() => new Error('gone')),
    ).pipe(
      operator({ batch: { records: 100, ms: 1000 } }),
      tap((result) => gathered.push(result)),
    );
    await expect(all(failing)).rejects.toThrow('gone');
    expect(gathered).toEqual(expected.slice(0, 5));
  });

  it('tells what it mended, key by key, and survives its listener', async () => {
    const notes: KeyedNote[] = [];
    const bad = [rows[0]!, { ...rows[0]!, value: Number.NaN, time: 50 }, { ...rows[0]!, time: 1 }];
    const diagnostics = { next: (note: KeyedNote) => void notes.push(note) };
    await all(from(bad).pipe(operator({ diagnostics })));
    expect(notes.map(({ key, kind, action }) => [key, kind, action])).toEqual([
      [rows[0]!.sensor, 'missing', 'hold'],
      [rows[0]!.sensor, 'late', 'drop'],
    ]);
  });

  it('refuses at once what can not run', () => {
    const ahead = defineLayer({ name: 'ahead', features: 1, apply: (_trace, u) => ops.advance(u, 2) });
    expect(() => keyed(sensorOf, ahead, {})).toThrow(GraphError);
  });

  it('carries rows of several values', async () => {
    const wide = s4d({ features: 2, states: 2 });
    const values = from([
      { id: 'a', v: [1, 2] },
      { id: 'a', v: Float32Array.of(3, 4) },
    ]).pipe(
      keyed((r: { id: string; v: ArrayLike<number> }) => r.id, wide, initialise(wide, 1), {
        value: (r) => r.v,
      }),
      map(({ value }) => (value as Float32Array).length),
    );
    expect(await all(values)).toEqual([2, 2]);
  });
});
