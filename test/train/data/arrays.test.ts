import { describe, expect, it } from 'vitest';
import { arrays, bucketsOf, drawsAt } from '../../../src/train/data/index.ts';
import { collect, itemsOf } from './support.ts';

/** Sequences whose numbers tell which they are: 100·i + frame. */
const sequences = (lengths: readonly number[]) =>
  lengths.map((length, i) => ({
    inputs: { input: Float32Array.from({ length }, (_, k) => 100 * i + k) },
    targets: { output: Float32Array.from({ length }, (_, k) => -(100 * i + k)), labels: Float32Array.of(i) },
  }));
const lengths = [3, 9, 4, 10, 5, 2, 8, 7, 10, 1];
const options = { batch: 3, seed: 4, perItem: ['labels'], buckets: [5, 10] };

describe('arrays', () => {
  it('brings every sequence once an epoch, whole, in batches of one bucket', async () => {
    const source = arrays(sequences(lengths), options);
    const batches = await collect(source, 2);
    expect(batches.length).toBe(source.batchesPerEpoch);
    const seen: number[] = [];
    for (const batch of batches) {
      expect([5, 10]).toContain(batch.frames);
      itemsOf(batch).forEach((numbers, i) => {
        const item = batch.targets['labels']![i]!;
        seen.push(item);
        expect(numbers).toEqual(Array.from({ length: lengths[item]! }, (_, k) => 100 * item + k));
        const row = batch.inputs['input']!.subarray(i * batch.frames, (i + 1) * batch.frames);
        expect([...row.subarray(lengths[item])].every((x) => x === 0)).toBe(true);
        expect(batch.targets['output']![i * batch.frames]).toBe(100 * item === 0 ? -0 : -100 * item);
      });
    }
    expect(seen.sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
  });

  it('has another order in every epoch and with every seed, and the same one again', async () => {
    const order = async (epoch: number, seed = 4): Promise<string> =>
      (await collect(arrays(sequences(lengths), { ...options, seed }), epoch))
        .map(({ targets }) => [...targets['labels']!].join())
        .join(';');
    expect(await order(1)).toBe(await order(1));
    expect(new Set([await order(0), await order(1), await order(2), await order(0, 5)]).size).toBe(4);
  });

  it('resumes in the middle of an epoch with the batches of an unbroken one', async () => {
    const whole = await collect(arrays(sequences(lengths), options), 3);
    for (let from = 0; from <= whole.length; from++) {
      expect(await collect(arrays(sequences(lengths), options), 3, from)).toEqual(whole.slice(from));
    }
  });

  it('keeps, drops or fills the last batch of a bucket', async () => {
    const sizes = async (last: 'keep' | 'drop' | 'fill'): Promise<number[]> =>
      (await collect(arrays(sequences(lengths), { ...options, last }))).map(({ items }) => items).sort();
    expect(await sizes('keep')).toEqual([2, 2, 3, 3]);
    expect(await sizes('drop')).toEqual([3, 3]);
    expect(await sizes('fill')).toEqual([3, 3, 3, 3]);
  });

  it('refuses by name what does not fit', () => {
    const good = sequences([2, 2]);
    const bad = { inputs: { input: Float32Array.of(1, 2) }, targets: { output: Float32Array.of(1) } };
    expect(() => arrays([], options)).toThrow(/no sequences/);
    expect(() => arrays([good[0]!, bad], options)).toThrow(/target "output" of sequence 1 has 1 frames/);
    expect(() => arrays([good[0]!, { ...bad, targets: {} }], options)).toThrow(
      /"output" of sequence 1 is missing/,
    );
    expect(() => arrays([{ ...bad, inputs: { input: Float32Array.of(NaN) } }], options)).toThrow(
      /not finite/,
    );
    expect(() => arrays(good, { ...options, batch: 0 })).toThrow(/batch: 0/);
    expect(() => arrays(good, { ...options, batch: 3, last: 'drop' })).toThrow(/make no batch of 3/);
    expect(() => arrays(sequences([11]), options)).toThrow(/sequence 0 has 11 frames, the longest bucket 10/);
  });
});

describe('bucketsOf', () => {
  it('shares sequences out evenly, at multiples', () => {
    expect([...bucketsOf([1, 2, 3, 4, 5, 6, 7, 8], 2)]).toEqual([4, 4, 4, 4, 8, 8, 8, 8]);
    expect([...bucketsOf([1, 2, 3, 9], 2, 4)]).toEqual([4, 4, 4, 12]);
    expect([...bucketsOf([3, 5], Infinity)]).toEqual([3, 5]);
    expect([...bucketsOf([3, 5, 5], 1)]).toEqual([5, 5, 5]);
  });
});

describe('drawsAt', () => {
  it('depends on every counter, in its place', () => {
    const first = (...counters: number[]): number => drawsAt(counters[0]!, ...counters.slice(1)).uint32();
    const places = [
      [1, 2, 3],
      [1, 3, 2],
      [2, 1, 3],
      [1, 2, 4],
      [1, 2],
      [1, 2, 3, 0],
      [2 ** 32 + 1, 2, 3],
      [1, 2 ** 32 + 2, 3],
    ];
    expect(new Set(places.map((place) => first(...place))).size).toBe(places.length);
    expect(first(1, 2, 3)).toBe(first(1, 2, 3));
  });

  it('is uniform over neighbouring counters', () => {
    // χ² of 16 cells over 16,000 draws: 15 degrees of freedom, 99.99 % below 44.3; the draws are fixed.
    const cells = new Float64Array(16);
    for (let i = 0; i < 16_000; i++) cells[drawsAt(0, 1, i).integer(16)]!++;
    expect(cells.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0)).toBeLessThan(44.3);
  });
});
