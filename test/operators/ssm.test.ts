import { EMPTY, Observable, Subject, firstValueFrom, from, lastValueFrom, of, throwError } from 'rxjs';
import { concatWith, map, repeat, retry, take, toArray } from 'rxjs/operators';
import { TestScheduler, type RunHelpers } from 'rxjs/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { ssm } from '../../operators/index.ts';
import { GraphError, ParameterError, StreamError } from '../../src/errors.ts';
import { initialise, s4d } from '../../src/layers/index.ts';
import type { FloatArray, Model } from '../../src/signal/index.ts';
import { compile, type Parameters } from '../../src/stream/index.ts';
import { a, concatenated, halfRate, integrator, lookAhead, noise, ragged, stereoGain } from './models.ts';

const all = (source: Observable<FloatArray>): Promise<number[]> =>
  lastValueFrom(source.pipe(toArray(), map(concatenated)), { defaultValue: [] });

const marbles = (body: (helpers: RunHelpers) => void): void => {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(body);
};

const s4dModel = s4d({ features: 2, states: 8 });
const cases: [string, Model, Parameters, number][] = [
  ['a causal model', integrator(), a, 1],
  ['look-ahead', lookAhead(37), a, 1],
  ['another rate', halfRate, {}, 1],
  ['several channels', stereoGain, {}, 2],
  ['s4d', s4dModel, initialise(s4dModel, 3), 2],
];

describe.each(cases)('ssm on blocks: %s', (_name, model, parameters, width) => {
  const input = noise(600 * width);
  const stream = compile(model, parameters);
  const whole = [...stream.push(input), ...stream.flush()];

  it('gives the bits of Stream on the whole, however the input is cut', async () => {
    expect(whole.length).toBeGreaterThan(100);
    for (const seed of [1, 2, 3]) {
      expect(await all(from(ragged(input, width, seed)).pipe(ssm(model, parameters)))).toEqual(whole);
    }
    const frames = Array.from({ length: 600 }, (_, k) => input.slice(k * width, (k + 1) * width));
    expect(await all(from(frames).pipe(ssm(model, parameters)))).toEqual(whole);
  });

  it('emits no empty blocks, and arrays that nobody else has', async () => {
    const blocks = await firstValueFrom(from(ragged(input, width)).pipe(ssm(model, parameters), toArray()));
    expect(blocks.every((block) => block.length > 0)).toBe(true);
    expect(new Set(blocks.map((block) => block.buffer)).size).toBe(blocks.length);
    // Overwriting what came changes nothing of what comes.
    const scribbled = from(ragged(input, width)).pipe(
      ssm(model, parameters),
      map((block) => {
        const copy = block.slice();
        block.fill(1e9);
        return copy;
      }),
    );
    expect(await all(scribbled)).toEqual(whole);
  });
});

describe('ssm on numbers', () => {
  it('is the model frame by frame', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b--c-|', { a: 1, b: 0, c: 2 });
      const expected = '     -x-y--z-|';
      expectObservable(source.pipe(ssm(integrator(), a))).toBe(expected, { x: 1, y: 0.5, z: 2.25 });
    });
  });

  it('withholds what look-ahead needs, and gives the rest on completion', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b--c-|    ', { a: 1, b: 2, c: 4 });
      const expected = '     ---x--y-(z|) ';
      // y[k] = x[k] + u[k + 1], x = 1, 2.5, 5.25
      expectObservable(source.pipe(ssm(lookAhead(1), a))).toBe(expected, { x: 3, y: 6.5, z: 5.25 });
    });
  });

  it('passes an error on behind what came, and flushes nothing', () => {
    marbles(({ cold, expectObservable }) => {
      const source = cold('  -a-b-#', { a: 1, b: 2 });
      const expected = '     ---x-#';
      expectObservable(source.pipe(ssm(lookAhead(1), a))).toBe(expected, { x: 3 });
    });
  });

  it('closes the source when it is unsubscribed', () => {
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const source = cold('  -a-b-a-b-|', { a: 1, b: 0 });
      const unsubscribed = ' ----!     ';
      const subscribed = '   ^---!     ';
      const expected = '     -x-y      ';
      const result = source.pipe(ssm(integrator(), a));
      expectObservable(result, unsubscribed).toBe(expected, { x: 1, y: 0.5 });
      expectSubscriptions(source.subscriptions).toBe(subscribed);
    });
  });

  it('keeps float64 where the model runs in it', async () => {
    const u = 1 / 3;
    expect(await firstValueFrom(of(u).pipe(ssm(integrator(), a, { precision: 'float64' })))).toBe(u);
    expect(await firstValueFrom(of(u).pipe(ssm(integrator(), a)))).toBe(Math.fround(u));
  });

  it('takes numbers only where a frame is one, and never numbers and blocks', async () => {
    await expect(lastValueFrom(of(1).pipe(ssm(stereoGain, {})))).rejects.toThrow(/frames of 2/);
    await expect(lastValueFrom(of(1, 2).pipe(ssm(halfRate, {})))).rejects.toThrow(StreamError);
    const mixed = from<(number | Float32Array)[]>([1, Float32Array.of(1)]).pipe(ssm(integrator(), a));
    await expect(lastValueFrom(mixed)).rejects.toThrow(/got numbers first and now blocks/);
    const text = of('1' as unknown as number).pipe(ssm(integrator(), a));
    await expect(lastValueFrom(text)).rejects.toThrow(/got a string/);
  });

  it('says in types what comes out', () => {
    expectTypeOf(of(1).pipe(ssm(integrator(), a))).toEqualTypeOf<Observable<number>>();
    expectTypeOf(of(new Float32Array(1)).pipe(ssm(integrator(), a))).toEqualTypeOf<Observable<FloatArray>>();
    // @ts-expect-error A string is neither a frame nor a block.
    void of('1').pipe(ssm(integrator(), a));
  });
});

describe('ssm and its subscriptions', () => {
  const result = of(1, 0, 0).pipe(ssm(integrator(), a));

  it('shares nothing between two subscribers', () => {
    const source = new Subject<number>();
    const output = source.pipe(ssm(integrator(), a));
    const first: number[] = [];
    const second: number[] = [];
    output.subscribe((y) => first.push(y));
    source.next(1);
    output.subscribe((y) => second.push(y));
    source.next(0);
    source.next(1);
    expect(first).toEqual([1, 0.5, 1.25]);
    expect(second).toEqual([0, 1]);
  });

  it('starts afresh on repeat and on retry', async () => {
    expect(await lastValueFrom(result.pipe(repeat(2), toArray()))).toEqual([1, 0.5, 0.25, 1, 0.5, 0.25]);
    const failing = of(1, 0).pipe(
      concatWith(throwError(() => new Error('gone'))),
      ssm(lookAhead(1), a),
      retry(1),
      take(2),
      toArray(),
    );
    expect(await lastValueFrom(failing)).toEqual([1, 1]);
  });

  it('checks and copies the parameters when it is made', async () => {
    expect(() => ssm(integrator(), {})).toThrow(ParameterError);
    expect(() => ssm(integrator(), { a: [Number.NaN] })).toThrow(ParameterError);
    const parameters = { a: [0.5] };
    const operator = ssm(integrator(), parameters);
    parameters.a[0] = 0;
    expect(await lastValueFrom(of(1, 0).pipe(operator, toArray()))).toEqual([1, 0.5]);
  });

  it('refuses a model of several outputs by name', () => {
    const both: Model = {
      name: 'both',
      inputs: { input: [1] },
      build: (_trace, { input }) => ({ low: input!, high: input! }),
    };
    expect(() => ssm(both, {})).toThrow(GraphError);
    expect(() => ssm(both, {})).toThrow(/low, high/);
  });

  it('gives nothing for nothing', async () => {
    expect(await lastValueFrom(EMPTY.pipe(ssm(lookAhead(3), a), toArray()))).toEqual([]);
  });

  it('closes a source that still emits inside subscribe', () => {
    let emitted = 0;
    const firehose = new Observable<number>((subscriber) => {
      while (!subscriber.closed && emitted < 1000) {
        emitted++;
        subscriber.next(1);
      }
    });
    const seen: number[] = [];
    firehose.pipe(ssm(integrator(), a), take(3)).subscribe((y) => seen.push(y));
    expect(seen).toEqual([1, 1.5, 1.75]);
    expect(emitted).toBe(3);
  });

  it('ends with the StreamError of what the stream refuses', async () => {
    const bad = of(new Float32Array(3)).pipe(ssm(stereoGain, {}));
    await expect(lastValueFrom(bad)).rejects.toThrow(StreamError);
    const nan: (number | unknown)[] = [];
    of(1, Number.NaN, 1)
      .pipe(ssm(integrator(), a))
      .subscribe({ next: (y) => nan.push(y), error: (error: unknown) => nan.push(error) });
    expect(nan).toEqual([1, expect.any(StreamError)]);
    expect(String(nan[1])).toMatch(/NaN at frame 1/);
  });

  it('takes a dt a frame beside the signal', async () => {
    const model = s4d({ features: 1, states: 4 });
    const parameters = initialise(model, 5);
    const input = noise(40);
    const dt = noise(40, 9).map((x) => 1.5 + x);
    const stream = compile(model, parameters, { irregular: true });
    const whole = [...stream.push({ input, dt })];
    const rows = from([0, 13, 14].map((from, i, at) => [from, at[i + 1] ?? 40] as const)).pipe(
      map(([from, to]) => ({ input: input.slice(from, to), dt: dt.slice(from, to) })),
      ssm(model, parameters, { irregular: true }),
    );
    expect(await all(rows)).toEqual(whole);
  });
});
