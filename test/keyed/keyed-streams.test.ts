import { afterEach, describe, expect, it, vi } from 'vitest';
import { ArgumentError, GraphError, SnapshotError, StreamError } from '../../src/errors.ts';
import { random, type Random } from '../../src/init/index.ts';
import { KeyedStreams, type Keyed, type KeyedNote, type KeyedOptions } from '../../src/keyed/index.ts';
import { continuousLti, initialise, mamba, s4d, s5 } from '../../src/layers/index.ts';
import * as ops from '../../src/ops/index.ts';
import { defineLayer, type Model } from '../../src/signal/index.ts';
import { memoryStore, type StateStore } from '../../src/stores/index.ts';
import { compile, type Stream } from '../../src/stream/index.ts';

interface Row {
  readonly sensor: string;
  readonly time: number;
  readonly value: number | readonly number[];
}

const sensorOf = (row: Row): string => row.sensor;
const irregular = { time: (row: Row) => row.time };

const models: [string, Model, KeyedOptions<Row>][] = [
  ['s4d', s4d({ features: 1, states: 8 }), {}],
  ['s4d in irregular time', s4d({ features: 1, states: 8 }), irregular],
  ['s5, two channels, float64', s5({ features: 2, states: 4 }), { ...irregular, precision: 'float64' }],
  ['mamba, which keeps frames', mamba({ features: 2, states: 4 }), {}],
];

/** Rows of some sensors in random order, each sensor's own times rising. */
function rowsOf(source: Random, sensors: number, count: number, channels: number): Row[] {
  const clocks = new Map<string, number>();
  return Array.from({ length: count }, () => {
    const sensor = `sensor-${Math.floor(sensors * source.uniform() ** 2)}`;
    const time = (clocks.get(sensor) ?? 0) + source.uniform() * 3 + 0.01;
    clocks.set(sensor, time);
    const value = channels === 1 ? source.normal() : Array.from({ length: channels }, () => source.normal());
    return { sensor, time, value };
  });
}

const channelsOf = (model: Model): number => model.inputs['input']![0]!;

/** What lone streams make of them. */
function alone(
  model: Model,
  parameters: object,
  rows: readonly Row[],
  options: KeyedOptions<Row>,
): number[][] {
  const fresh = compile(model, parameters as never, {
    irregular: options.time !== undefined,
    precision: options.precision,
  });
  const streams = new Map<string, { stream: Stream; last: number | undefined }>();
  return rows.map(({ sensor, time, value }) => {
    let own = streams.get(sensor);
    if (!own) streams.set(sensor, (own = { stream: fresh.fork(), last: undefined }));
    const input = Float64Array.from(typeof value === 'number' ? [value] : value);
    const dt = Float64Array.of(own.last === undefined ? 0 : time - own.last);
    own.last = time;
    return [...own.stream.push(options.time ? { input, dt } : input)];
  });
}

const numbers = ({ value }: Keyed<Row>): number[] => (typeof value === 'number' ? [value] : [...value]);

/** Random cuts of rows into calls. */
function* calls(rows: readonly Row[], source: Random): Generator<Row[]> {
  for (let at = 0; at < rows.length;) {
    const size = 1 + Math.floor(source.uniform() * 40);
    yield rows.slice(at, at + size);
    at += size;
  }
}

/** A store that takes its time, each call another. */
function slowStore(source: Random): StateStore & { gets: number; sets: number } {
  const store = memoryStore();
  const wait = (): Promise<void> =>
    new Promise((resolve) =>
      source.uniform() < 0.1 ? setTimeout(resolve, 2 * source.uniform()) : setImmediate(resolve),
    );
  return {
    gets: 0,
    sets: 0,
    async get(key) {
      this.gets++;
      await wait();
      return store.get(key);
    },
    async set(key, state) {
      this.sets++;
      await wait();
      await store.set(key, state);
    },
    delete: (key) => store.delete(key),
  };
}

describe.each(models)('keyed streams: %s', (_name, model, options) => {
  const parameters = initialise(model, 3);
  const rows = rowsOf(random(11), 40, 1500, channelsOf(model));
  const expected = alone(model, parameters, rows, options);
  const born = (more: KeyedOptions<Row> = {}): KeyedStreams<Row> =>
    new KeyedStreams(sensorOf, model, parameters, { ...options, ...more });

  it('gives what lone streams give, bit for bit, however the records are cut', () => {
    const streams = born();
    const results: Keyed<Row>[] = [];
    for (const call of calls(rows, random(5))) streams.processNow(call, results);
    expect(results.map(numbers)).toEqual(expected);
    expect(results.map(({ record }) => record)).toEqual(rows);
    expect(streams.resident).toBe(new Set(rows.map(sensorOf)).size);
  });

  it('gives the same with states that come and go', async () => {
    for (const resident of [1, 7]) {
      const store = slowStore(random(resident));
      const streams = born({ store, resident });
      const results: Keyed<Row>[] = [];
      // Not awaited one by one: calls queue behind each other.
      await Promise.all([...calls(rows, random(6))].map((call) => streams.process(call, results)));
      expect(results.map(numbers)).toEqual(expected);
      expect(results.map(({ record }) => record)).toEqual(rows);
      expect(streams.resident).toBeLessThanOrEqual(resident);
      expect(store.sets).toBeGreaterThan(100);
    }
  });

  it('goes on from a snapshot, whose bytes do not depend on who came first', async () => {
    const half = 700;
    const streams = born();
    streams.processNow(rows.slice(0, half));
    const saved = streams.snapshotNow();

    const other = born();
    const bySensor = rows.slice(0, half).toSorted((a, b) => b.sensor.localeCompare(a.sensor));
    other.processNow(bySensor);
    expect(other.snapshotNow()).toEqual(saved);

    const restored = born();
    restored.processNow(rows.slice(0, 20));
    restored.restoreNow(saved);
    expect(restored.snapshotNow()).toEqual(saved);
    expect(restored.processNow(rows.slice(half))!.map(numbers)).toEqual(expected.slice(half));
    expect(streams.processNow(rows.slice(half))!.map(numbers)).toEqual(expected.slice(half));
  });
});

afterEach(() => void vi.useRealTimers());

const smooth = continuousLti({ b: [1], a: [2, 1] });
const row = (sensor: string, time: number, value: number): Row => ({ sensor, time, value });

describe('keyed streams', () => {
  const born = (options: KeyedOptions<Row> = {}): KeyedStreams<Row> =>
    new KeyedStreams(sensorOf, smooth, {}, { ...irregular, ...options });

  it('keeps to its policies key by key, and tells', () => {
    const notes: KeyedNote[] = [];
    const streams = born({ missing: 'reset', onNote: (note) => notes.push(note) });
    const clean = born();
    const rows = [row('a', 0, 1), row('b', 0, 1), row('a', 1, 1), row('b', 1, 1)];
    const bad = [row('a', 2, Number.NaN), row('b', 1, 5), row('b', 0.5, 5), row('b', Number.NaN, 5)];
    const more = [row('a', 9, 2), row('b', 3, 2)];
    const got = streams.processNow([...rows, ...bad, ...more])!;
    expect(notes.map(({ key, kind, action, dropped }) => [key, kind, action, dropped])).toEqual([
      ['a', 'missing', 'reset', 1],
      ['b', 'duplicate', 'drop', 1],
      ['b', 'late', 'drop', 2],
      ['b', 'no-time', 'drop', 3],
    ]);
    // b is as if nothing had come in between; a has forgotten everything.
    const fresh = born().processNow([row('a', 9, 2)])!;
    const untouched = clean.processNow([...rows, more[1]!])!;
    expect(got.map(numbers)).toEqual([...untouched.slice(0, 4), fresh[0]!, untouched[4]!].map(numbers));
  });

  it('holds and skips by key, without times too', () => {
    const model = s4d({ features: 1, states: 4 });
    const parameters = initialise(model, 1);
    const run = (missing: 'hold' | 'skip', values: number[]): number[][] =>
      new KeyedStreams(sensorOf, model, parameters, { missing })
        .processNow([row('other', 0, 7), ...values.map((value) => row('a', 0, value))])!
        .slice(1)
        .map(numbers);
    expect(run('hold', [1, Number.NaN, -Infinity, 2])).toEqual(run('hold', [1, 1, 1, 2]));
    expect(run('skip', [1, Number.NaN, 1e300, 2])).toEqual(run('hold', [1, 2]));
    // Before there is a value there is 0, not another key's.
    expect(run('hold', [Number.NaN, 2])).toEqual(run('hold', [0, 2]));
  });

  it('puts readings in order, and saves those that wait', () => {
    const late = [
      row('a', 0, 1),
      row('b', 0, 1),
      row('a', 3, 3),
      row('a', 2, 2),
      row('a', 10, 4),
      row('b', 1, 5),
    ];
    const ordered = born().processNow([row('a', 0, 1), row('a', 2, 2), row('a', 3, 3), row('a', 10, 4)])!;
    const streams = born({ reorder: 5 });
    const before = streams.processNow(late.slice(0, 4))!;
    expect(before).toEqual([]);
    const restored = born({ reorder: 5 });
    restored.restoreNow(streams.snapshotNow());
    const after = [...restored.processNow(late.slice(4))!];
    expect(after.map(({ key, time }) => [key, time])).toEqual([
      ['a', 0],
      ['a', 2],
      ['a', 3],
    ]);
    const rest = restored.endNow();
    expect(rest.map(({ key, time }) => [key, time])).toEqual([
      ['a', 10],
      ['b', 0],
      ['b', 1],
    ]);
    expect([...after, rest[0]!].map(numbers)).toEqual(ordered.map(numbers));
  });

  it('takes what came before an error, names the key, and goes on', () => {
    const streams = born({ duplicates: 'error' });
    const results: Keyed<Row>[] = [];
    const rows = [row('a', 0, 1), row('b', 0, 1), row('b', 0, 1), row('a', 1, 1)];
    expect(() => streams.processNow(rows, results)).toThrow(/^"b": two readings at 0/);
    expect(results.map(({ key }) => key)).toEqual(['a', 'b']);
    const undisturbed = born().processNow([rows[0]!, rows[3]!])!;
    expect(numbers(streams.processNow([rows[3]!])![0]!)).toEqual(numbers(undisturbed[1]!));
    expect(() => streams.processNow([{ sensor: 'a', time: 3, value: [1, 2] }])).toThrow(
      /"a": .* has 2 channels/,
    );
    expect(() => streams.processNow([{ sensor: 4 as never, time: 3, value: 1 }])).toThrow(StreamError);
  });

  it('loses no state when the store fails', async () => {
    const rows = rowsOf(random(2), 12, 300, 1);
    const expected = born().processNow(rows)!.map(numbers);
    const inner = memoryStore();
    const source = random(9);
    let failing = false;
    const maybe = async <T>(work: () => Promise<T>): Promise<T> => {
      if (failing && source.uniform() < 0.3) throw new Error('no route to the store');
      return work();
    };
    const store: StateStore = {
      get: (key) => maybe(() => inner.get(key)),
      set: (key, state) => maybe(() => inner.set(key, state)),
      delete: (key) => inner.delete(key),
    };
    const streams = born({ store, resident: 4 });
    const results: Keyed<Row>[] = [];
    let failures = 0;
    failing = true;
    while (results.length < rows.length) {
      // Those that have an answer have been taken; the others are given again.
      await streams.process(rows.slice(results.length, results.length + 3), results).catch((error: Error) => {
        expect(error.message).toBe('no route to the store');
        failures++;
      });
    }
    expect(failures).toBeGreaterThan(20);
    expect(results.map(numbers)).toEqual(expected);
  });

  it('lets states leave that have been quiet for a while', async () => {
    const store = memoryStore();
    vi.useFakeTimers({ toFake: ['Date'] });
    const streams = born({ store, idle: 60 });
    await streams.process([row('a', 0, 1), row('b', 0, 1)]);
    expect(streams.resident).toBe(2);
    vi.advanceTimersByTime(50_000);
    await streams.process([row('b', 1, 1)]);
    expect(streams.resident).toBe(2);
    vi.advanceTimersByTime(20_000);
    expect(streams.processNow([row('b', 2, 1)])).toBeUndefined();
    await streams.process([row('b', 2, 1)]);
    expect(streams.resident).toBe(1);
    vi.advanceTimersByTime(70_000);
    await streams.sweep();
    expect(streams.resident).toBe(0);
    const back = await streams.process([row('a', 1, 1)]);
    expect(numbers(back[0]!)).toEqual(numbers(born().processNow([row('a', 0, 1), row('a', 1, 1)])![1]!));
  });

  it('forgets a key, in memory and in the store', async () => {
    const store = memoryStore();
    const streams = born({ store, resident: 1 });
    const first = await streams.process([row('a', 0, 1), row('a', 1, 1), row('b', 0, 1), row('b', 1, 1)]);
    await streams.forget('a');
    await streams.forget('b');
    const again = await streams.process([row('a', 0, 1), row('a', 1, 1), row('b', 0, 1), row('b', 1, 1)]);
    expect(again.map(numbers)).toEqual(first.map(numbers));
  });

  it("refuses another's snapshot and damaged ones, and stays as it was", () => {
    const streams = born();
    streams.processNow([row('a', 0, 1)]);
    const saved = streams.snapshotNow();
    const others = [
      new KeyedStreams(sensorOf, continuousLti({ b: [1], a: [3, 1] }), {}, irregular),
      born({ missing: 'skip' }),
    ];
    for (const other of others)
      expect(() => other.restoreNow(saved)).toThrow(/is of keyed .*, these streams are/);
    for (let i = 0; i < saved.length; i += 5) {
      const damaged = Uint8Array.from(saved);
      damaged[i]! ^= 16;
      expect(() => streams.restoreNow(damaged)).toThrow(SnapshotError);
      expect(() => streams.restoreNow(saved.subarray(0, i))).toThrow(SnapshotError);
    }
    expect(streams.snapshotNow()).toEqual(saved);
  });

  it('refuses models that can not answer, and options that can not be', () => {
    const looksAhead = defineLayer({ name: 'ahead', features: 1, apply: (_t, u) => ops.advance(u, 2) });
    expect(() => new KeyedStreams(sensorOf, looksAhead, {})).toThrow(GraphError);
    const store = memoryStore();
    for (const options of [
      { resident: 5 },
      { idle: 5 },
      { store, resident: 0 },
      { store, idle: -1 },
      { store, reorder: 3 },
      { late: 'maybe' as never },
    ])
      expect(() => born(options)).toThrow(ArgumentError);
    expect(() => new KeyedStreams(sensorOf, smooth, {}, { reorder: 3 })).toThrow(ArgumentError);
    expect(() => born({ store }).snapshotNow()).toThrow(StreamError);
  });

  it('says so where a store can not go back', async () => {
    await expect(born({ store: memoryStore() }).snapshot()).rejects.toThrow(/can't go back to a moment/);
  });
});
