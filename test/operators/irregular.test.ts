import { from, lastValueFrom, map, Subject, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { irregular, type IrregularOptions, type IrregularState } from '../../operators/irregular.ts';
import type { Reading, TimelineNote } from '../../operators/irregular/timeline.ts';
import { ArgumentError, GraphError, StreamError } from '../../src/errors.ts';
import { zoh } from '../../src/discretize/index.ts';
import { kalmanFilter } from '../../src/estimation/index.ts';
import { random } from '../../src/init/index.ts';
import { continuousLti, gru, initialise, leakyMemory, lstm, lti, s4d, s5 } from '../../src/layers/index.ts';
import type { Model, Precision } from '../../src/signal/index.ts';
import { relativeError } from '../contract/stream.ts';

const smooth = continuousLti({ b: [1], a: [2, 1] });

const run = <T extends number | ArrayLike<number>>(
  readings: readonly Reading<T>[],
  options: IrregularOptions = {},
  model: Model = smooth,
  parameters = {},
): Promise<Reading<T extends number ? number : Float64Array>[]> =>
  lastValueFrom(from(readings).pipe(irregular<T>(model, parameters, options), toArray()));

/** e^{−t/2}: what is left of the state after t seconds. */
const left = (t: number): number => Math.exp(-t / 2);

describe('irregular time', () => {
  describe.each([
    ['s4d', s4d({ features: 2, states: 8, dt: { min: 0.01, max: 0.1 } })],
    ['s5', s5({ features: 2, states: 8, discretization: zoh })],
    ['leaky memory', leakyMemory({ features: 2, timeConstants: [1, 10, 100] })],
    ['continuous lti', continuousLti({ b: [3, 1], a: [4, 1, 2] }, { channels: 2 })],
  ] as [string, Model][])('%s', (_name, model) => {
    const parameters = initialise(model, 2);
    const head = Array.from({ length: 6 }, (_, k) => ({ time: k * 0.7, value: [Math.sin(k), k % 2] }));
    const last = head.at(-1)!;
    const tail = { time: last.time + 11, value: [0.3, -0.8] };

    it.each([
      ['float64', 1e-9],
      ['auto', 1e-5],
      ['float32', 1e-5],
    ] as [Precision, number][])('one step is the same in pieces (%s, %d)', async (precision, tolerance) => {
      const whole = await run([...head, tail], { precision }, model, parameters);
      for (const pieces of [2, 3, 50]) {
        const parts = Array.from({ length: pieces }, (_, i) => ({
          ...tail,
          time: last.time + (11 * (i + 1)) / pieces,
        }));
        const cut = await run([...head, ...parts], { precision }, model, parameters);
        expect(relativeError(cut.at(-1)!.value, whole.at(-1)!.value)).toBeLessThanOrEqual(tolerance);
      }
    });
  });

  it('refuses what counts frames, by name', () => {
    const filter = lti({ b: [1], a: [1, 0.5] });
    for (const model of [lstm({ features: 1, hidden: 2 }), gru({ features: 1, hidden: 2 }), filter])
      expect(() => irregular(model, initialise(model, 1))).toThrow(/counts frames|one sample rate/);
    expect(() =>
      irregular(lstm({ features: 1, hidden: 2 }), initialise(lstm({ features: 1, hidden: 2 }), 1)),
    ).toThrow(GraphError);
  });

  it('closes a gap in one step, however long, and gives nothing but numbers', async () => {
    const [, near, far] = await run([
      { time: 0, value: 1 },
      { time: 1, value: 1 },
      { time: 1e12, value: 0 },
    ]);
    expect(near!.value).toBeCloseTo(1 - left(1), 6);
    expect(far!.value).toBe(0);
  });

  it('counts time by its unit and from any origin', async () => {
    const seconds = await run([0, 1, 4].map((time) => ({ time, value: 1 })));
    const dates = [0, 1, 4].map((time) => ({ time: 1.7e12 + 1000 * time, value: 1 }));
    const stamps = await run(dates, { timeUnit: 0.001 });
    expect(stamps.map(({ value }) => value)).toEqual(seconds.map(({ value }) => value));
    expect(stamps.map(({ time }) => time)).toEqual(dates.map(({ time }) => time));
    // A model with a rate of its own takes seconds all the same.
    const memory = leakyMemory({ features: 1, timeConstants: [2], sampleRate: 50 });
    const slow = await run(
      [0, 1, 4].map((time) => ({ time, value: 1 })),
      {},
      memory,
    );
    expect(
      relativeError(
        slow.map(({ value }) => value),
        seconds.map(({ value }) => value),
      ),
    ).toBeLessThan(1e-6);
  });

  it('takes the first value to have held for as long as is said', async () => {
    expect((await run([{ time: 5, value: 1 }]))[0]!.value).toBe(0);
    expect((await run([{ time: 5, value: 1 }], { first: 2 }))[0]!.value).toBeCloseTo(1 - left(2), 6);
  });
});

describe('duplicates, lateness and lack', () => {
  const note = (notes: TimelineNote[]): { next(value: TimelineNote): void } => ({
    next: (value) => notes.push(value),
  });
  const messy = [
    { time: 0, value: 0 },
    { time: 1, value: 1 },
    { time: 1, value: 5 },
    { time: 0.5, value: 9 },
    { time: 2, value: 1 },
  ];
  const clean = [messy[0]!, messy[1]!, messy[4]!];

  it('are dropped and told of', async () => {
    const notes: TimelineNote[] = [];
    expect(await run(messy, { diagnostics: note(notes) })).toEqual(await run(clean));
    expect(notes).toEqual([
      { kind: 'duplicate', action: 'drop', time: 1, dropped: 1 },
      { kind: 'late', action: 'drop', time: 0.5, behind: 0.5, dropped: 2 },
    ]);
  });

  it('are refused, with what came before intact', async () => {
    for (const options of [{ duplicates: 'error' }, { late: 'error' }] as const) {
      const seen: number[] = [];
      const failing = from(messy).pipe(
        irregular<number>(smooth, {}, options),
        map(({ time }) => seen.push(time)),
      );
      await expect(lastValueFrom(failing)).rejects.toThrow(StreamError);
      expect(seen).toEqual([0, 1]);
    }
  });

  it('are kept at once, or taken for a clock that was set back', async () => {
    const kept = await run(messy.slice(0, 3), { duplicates: 'keep' });
    expect(kept.map(({ time }) => time)).toEqual([0, 1, 1]);
    expect(kept[2]!.value).toBe(kept[1]!.value);
    const now = await run(messy, { late: 'now' });
    expect(now.at(-1)!.value).toBeCloseTo((await run(clean)).at(-1)!.value, 6);
    const back = [
      { time: 100, value: 1 },
      { time: 102, value: 1 },
      { time: 3, value: 1 },
      { time: 5, value: 1 },
    ];
    const restarted = await run(back, { late: 'restart' });
    expect(restarted.at(-1)!.value).toBeCloseTo(1 - left(4), 6);
    expect((await run(back)).map(({ time }) => time)).toEqual([100, 102]);
  });

  it('come into order while they wait', async () => {
    const source = random(1);
    const ordered = Array.from({ length: 200 }, (_, k) => ({ time: k, value: Math.sin(k / 5) }));
    const shuffled = ordered
      .map((reading) => ({ reading, arrival: reading.time + source.uniform(0, 4) }))
      .sort((a, b) => a.arrival - b.arrival)
      .map(({ reading }) => reading);
    expect(shuffled).not.toEqual(ordered);
    const notes: TimelineNote[] = [];
    expect(await run(shuffled, { reorder: 5, diagnostics: note(notes) })).toEqual(await run(ordered));
    expect(notes).toEqual([]);
  });

  it('NaN never stays: held, skipped, or all forgotten', async () => {
    const readings = [1, 2, Number.NaN, 4, Infinity, 3].map((value, time) => ({ time, value }));
    for (const missing of ['hold', 'skip', 'reset'] as const) {
      const notes: TimelineNote[] = [];
      const out = await run(readings, { missing, diagnostics: note(notes) });
      expect(out.every(({ value }) => Number.isFinite(value))).toBe(true);
      expect(notes.map(({ time }) => time)).toEqual([2, 4]);
      const same =
        missing === 'hold'
          ? readings.map(({ time, value }, k) => ({
              time,
              value: Number.isFinite(value) ? value : readings[k - 1]!.value,
            }))
          : missing === 'skip'
            ? readings.filter(({ value }) => Number.isFinite(value))
            : undefined;
      if (same) expect(out).toEqual(await run(same));
      else expect(out.at(-1)).toEqual((await run([readings.at(-1)!]))[0]);
    }
    await expect(run(readings, { missing: 'error' })).rejects.toThrow(/NaN in channel 0/);
  });

  it('one channel may lack', async () => {
    const pair = continuousLti({ b: [1], a: [2, 1] }, { channels: 2 });
    const values = [
      [1, 1],
      [2, Number.NaN],
      [3, 3],
    ];
    const notes: TimelineNote[] = [];
    const out = await run(
      values.map((value, time) => ({ time, value })),
      { diagnostics: note(notes) },
      pair,
    );
    const held = await run(
      [
        [1, 1],
        [2, 1],
        [3, 3],
      ].map((value, time) => ({ time, value })),
      {},
      pair,
    );
    expect(out).toEqual(held);
    expect(notes).toEqual([{ kind: 'missing', action: 'hold', time: 1, channels: [1], dropped: 0 }]);
  });

  it('a time that is none is dropped, or refused', async () => {
    const readings = [...clean.slice(0, 2), { time: Number.NaN, value: 3 }, clean[2]!];
    const notes: TimelineNote[] = [];
    expect(await run(readings, { diagnostics: note(notes) })).toEqual(await run(clean));
    expect(notes.map(({ kind }) => kind)).toEqual(['no-time']);
    await expect(run(readings, { late: 'error' })).rejects.toThrow(/the time NaN/);
  });

  it('goes on from where it was saved, to the bit', async () => {
    const source = random(4);
    const readings = Array.from({ length: 60 }, (_, k) => ({
      time: k + source.uniform(-1.5, 1.5),
      value: k % 11 === 5 ? Number.NaN : source.normal(),
    }));
    const whole = await run(readings, { reorder: 2 });
    let save: () => IrregularState = () => {
      throw new Error('no run yet');
    };
    const input = new Subject<Reading<number>>();
    const head: Reading<number>[] = [];
    input
      .pipe(irregular<number>(smooth, {}, { reorder: 2, onRun: ({ snapshot }) => (save = snapshot) }))
      .subscribe((reading) => head.push(reading));
    for (const reading of readings.slice(0, 31)) input.next(reading);
    const state = save();
    const stored: IrregularState = {
      stream: state.stream,
      timeline: JSON.parse(JSON.stringify(state.timeline)),
    };
    const tail = await run(readings.slice(31), { reorder: 2, state: stored });
    expect([...head, ...tail]).toEqual(whole);
  });

  it('subscriptions share nothing; the Kalman filter runs on it as layers do', async () => {
    const filter = kalmanFilter({
      A: [[0]],
      C: [[1]],
      noise: { kind: 'white', density: [[1]] },
      R: [1],
      covariance: [[10]],
    });
    const source = from([
      { time: 0, value: [1] },
      { time: 3, value: [2] },
    ]).pipe(irregular<number[]>(filter, {}), toArray());
    const first = await lastValueFrom(source);
    expect(await lastValueFrom(source)).toEqual(first);
    expect(first[0]!.value).toHaveLength(2);
  });

  it('refuses options that are none', () => {
    expect(() => irregular(smooth, {}, { timeUnit: 0 })).toThrow(ArgumentError);
    expect(() => irregular(smooth, {}, { late: 'ignore' as never })).toThrow(
      /one of drop, error, now, restart/,
    );
    expect(() => irregular(smooth, {}, { sampleRate: 7 })).toThrow(/own is 1/);
  });
});
