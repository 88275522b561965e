import { Subject, from, lastValueFrom, of, range, type Observable } from 'rxjs';
import { map, toArray } from 'rxjs/operators';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { chunk, formatOf, frame, overlapAdd, takeFrames, withFormat } from '../../operators/index.ts';
import { ArgumentError, StreamError } from '../../src/errors.ts';
import { concatenated, noise, ragged } from './models.ts';

const lists = <A extends ArrayLike<number>>(source: Observable<A>): Promise<number[][]> =>
  lastValueFrom(
    source.pipe(
      map((block) => Array.from(block)),
      toArray(),
    ),
  );

const counting = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i + 1);

describe('chunk', () => {
  it('cuts anew as soon as it can, the last one shorter', () => {
    new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(
      ({ cold, expectObservable }) => {
        const of = Float32Array.of.bind(Float32Array);
        const source = cold('  -a---b----c|        ', { a: of(1, 2, 3), b: of(4, 5, 6), c: of(7) });
        const expected = '     -w---(xy)--(z|)';
        const values = { w: of(1, 2), x: of(3, 4), y: of(5, 6), z: of(7) };
        expectObservable(source.pipe(chunk(2))).toBe(expected, values);
      },
    );
  });

  it('gives the same for any cut, frames kept whole', async () => {
    const stereo = noise(402);
    const blocks = await lists(from(ragged(stereo, 2)).pipe(chunk(64, { channels: 2 })));
    expect(blocks.map((block) => block.length)).toEqual([128, 128, 128, 18]);
    expect(blocks.flat()).toEqual([...stereo]);
    expect(await lists(of(new Float32Array(0)).pipe(chunk(4)))).toEqual([]);
  });

  it('carries the format', async () => {
    const format = { sampleRate: 8000, channels: 2 };
    const last = await lastValueFrom(of(noise(10)).pipe(withFormat(format), chunk(4)));
    expect(last.length).toBe(2);
    expect(formatOf(last)).toEqual(format);
    await expect(lastValueFrom(of(noise(3)).pipe(chunk(2, { channels: 2 })))).rejects.toThrow(StreamError);
    expect(() => chunk(0)).toThrow(ArgumentError);
  });
});

describe('takeFrames', () => {
  it('lets so many frames through, and the source run to its end', () => {
    new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(
      ({ cold, expectObservable, expectSubscriptions }) => {
        const of = Float32Array.of.bind(Float32Array);
        const source = cold('  -a---b----c|', { a: of(1, 2, 3), b: of(4, 5, 6), c: of(7) });
        const expected = '     -a---b-----|';
        expectObservable(source.pipe(takeFrames(5))).toBe(expected, { a: of(1, 2, 3), b: of(4, 5) });
        expectSubscriptions(source.subscriptions).toBe('^----------!');
      },
    );
  });

  it('counts frames, not samples, and carries the format', async () => {
    const format = { sampleRate: 8000, channels: 2 };
    const block = await lastValueFrom(of(counting(10)).pipe(withFormat(format), takeFrames(3)));
    expect([...block]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(formatOf(block)).toEqual(format);
    expect(() => takeFrames(0)).toThrow(ArgumentError);
  });
});

describe('frame', () => {
  it('emits a frame with its last sample', () => {
    new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(
      ({ cold, expectObservable }) => {
        const values = { a: 1, b: 2, c: 3, d: 4, e: 5, f: 6 };
        const source = cold('  -a-b-c-d-e-f-|   ', values);
        const expected = '     -----x---y---(z|)';
        expectObservable(source.pipe(frame(3, 2))).toBe(expected, {
          x: Float64Array.of(1, 2, 3),
          y: Float64Array.of(3, 4, 5),
          z: Float64Array.of(5, 6, 0),
        });
      },
    );
  });

  it.each<[number, ...number[][]]>([
    [7, [1, 2, 3, 4], [3, 4, 5, 6], [5, 6, 7]],
    [6, [1, 2, 3, 4], [3, 4, 5, 6]],
    [5, [1, 2, 3, 4], [3, 4, 5]],
    [3, [1, 2, 3]],
  ])('of 4 by 2 over %i samples takes in the rest once', async (length, ...expected) => {
    for (const input of [[counting(length)], [...counting(length)].map((x) => Float32Array.of(x))]) {
      expect(await lists(from(input).pipe(frame(4, 2, { end: 'keep' })))).toEqual(expected);
      expect(await lists(from(input).pipe(frame(4, 2)))).toEqual(
        expected.map((taken) => [...taken, 0, 0, 0].slice(0, 4)),
      );
      expect(await lists(from(input).pipe(frame(4, 2, { end: 'drop' })))).toEqual(
        expected.filter((taken) => taken.length === 4),
      );
    }
  });

  it('skips what lies between frames further apart than they are long', async () => {
    for (const input of [[counting(9)], [...counting(9)].map((x) => Float32Array.of(x))]) {
      expect(await lists(from(input).pipe(frame(2, 5, { end: 'keep' })))).toEqual([
        [1, 2],
        [6, 7],
      ]);
      expect(await lists(from(input).pipe(frame(3, 4, { end: 'keep' })))).toEqual([
        [1, 2, 3],
        [5, 6, 7],
        [9],
      ]);
    }
  });

  it('keeps channels together and weighs each sample', async () => {
    const stereo = Float32Array.of(1, 10, 2, 20, 3, 30);
    const framed = of(stereo).pipe(frame(2, 1, { channels: 2, window: [1, 0.5], end: 'drop' }));
    expect(await lists(framed)).toEqual([
      [1, 10, 1, 10],
      [2, 20, 1.5, 15],
    ]);
  });

  it('emits fresh arrays', () => {
    const source = new Subject<number>();
    const frames: Float64Array[] = [];
    source.pipe(frame(2, 1)).subscribe((taken) => frames.push(taken));
    for (const u of [1, 2, 3]) source.next(u);
    frames[0]!.fill(9);
    expect([...frames[1]!]).toEqual([2, 3]);
    expectTypeOf(source.pipe(frame(2, 1))).toEqualTypeOf<Observable<Float64Array>>();
    expectTypeOf(of(new Float32Array(1)).pipe(frame(2, 1))).toEqualTypeOf<
      Observable<Float32Array<ArrayBuffer>>
    >();
  });

  it('refuses what makes no sense', async () => {
    expect(() => frame(0, 1)).toThrow(ArgumentError);
    expect(() => frame(4, 0.5)).toThrow(ArgumentError);
    expect(() => frame(4, 2, { window: [1, 1] })).toThrow(/2 weights/);
    expect(() => frame(4, 2, { window: 'hannn' as 'hann' })).toThrow(/hannn/);
    expect(() => frame(4, 2, { end: 'wrap' as 'pad' })).toThrow(ArgumentError);
    const mixed = from([new Float32Array(1), new Float64Array(1)]).pipe(chunk(4));
    await expect(lastValueFrom(mixed)).rejects.toThrow(/one precision/);
  });
});

describe('frame and overlapAdd', () => {
  it.each([
    [8, 2, 'hann', 'rectangular'],
    [8, 3, 'hann', 'rectangular'],
    [8, 8, 'rectangular', 'rectangular'],
    [16, 4, 'sine', 'sine'],
    [7, 1, 'hann', 'hann'],
  ] as const)('of %i by %i, %s over %s, give the input back', async (size, hop, window, analysis) => {
    for (const length of [1, 5, 8, 16, 200, 203]) {
      const input = Float64Array.from(noise(length));
      const back = from([input.slice(0, 3), input.slice(3)]).pipe(
        frame(size, hop, { window: analysis, end: 'keep' }),
        overlapAdd(size, hop, window, { analysis }),
      );
      const samples = concatenated(await lists(back));
      expect(samples.length).toBe(length);
      const worst = samples.reduce((most, y, i) => Math.max(most, Math.abs(y - input[i]!)), 0);
      expect(worst).toBeLessThan(1e-14);
    }
  });

  it('keep channels apart', async () => {
    const stereo = Float64Array.from(noise(100));
    const back = of(stereo).pipe(
      frame(8, 4, { channels: 2, end: 'keep' }),
      overlapAdd(8, 4, 'hann', { channels: 2 }),
    );
    const samples = concatenated(await lists(back));
    expect(samples.length).toBe(100);
    samples.forEach((y, i) => expect(y).toBeCloseTo(stereo[i]!, 13));
  });

  it('come out a hop at a time, as soon as no later frame reaches them', () => {
    new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(
      ({ cold, expectObservable }) => {
        const ones = Float32Array.of(1, 1, 1, 1);
        const source = cold('  -a---b---|   ', { a: ones, b: ones });
        const expected = '     -x---x---(y|)';
        const values = { x: Float32Array.of(1, 1), y: Float32Array.of(1, 1) };
        expectObservable(source.pipe(overlapAdd(4, 2, 'rectangular'))).toBe(expected, values);
      },
    );
  });

  it('weigh the frames by the window', async () => {
    const frames = from([Float64Array.of(1, 1), Float64Array.of(5, 5)]);
    // Sample 1: (0.25 · 1 + 0.75 · 5) / (0.25 + 0.75)
    expect(await lists(frames.pipe(overlapAdd(2, 1, [0.75, 0.25])))).toEqual([[1], [4], [5]]);
  });

  it('refuse gaps and frames that do not fit', async () => {
    expect(() => overlapAdd(4, 5)).toThrow(/skips samples/);
    expect(() => overlapAdd(4, 4, [0, 1, 1, 1])).toThrow(/no weight/);
    expect(() => overlapAdd(4, 2, [0, 1, 1, 1])).not.toThrow();
    const long = of(new Float32Array(5)).pipe(overlapAdd(4, 2));
    await expect(lastValueFrom(long)).rejects.toThrow(StreamError);
    const behind = range(3, 2).pipe(
      map((n) => new Float32Array(n)),
      overlapAdd(4, 2),
    );
    await expect(lastValueFrom(behind)).rejects.toThrow(/behind a shorter one/);
  });
});
