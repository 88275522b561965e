import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';

const draw = (count: number, from: () => number): number[] => Array.from({ length: count }, from);
const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
const moment = (values: readonly number[], k: number): number => mean(values.map((x) => x ** k));

describe('random', () => {
  it('is xoshiro128** 1.1: the reference sequence from the state 1, 2, 3, 4', () => {
    const rng = random(0);
    rng.restore(new Uint32Array([1, 2, 3, 4]));
    expect(draw(10, () => rng.uint32())).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  it('is seeded by SplitMix64: the reference outputs of seed 1234567', () => {
    // 6457827717110365317 and 3203168211198807973, low words first.
    const words = [6457827717110365317n, 3203168211198807973n].flatMap((x) => [
      Number(x & 0xffffffffn),
      Number(x >> 32n),
    ]);
    expect([...random(1234567).save()]).toEqual(words);
  });

  it('gives the same numbers for ever: pinned draws of seed 2024', () => {
    const rng = random(2024);
    expect([rng.uniform(), rng.normal(), rng.truncatedNormal(1), rng.integer(1000), ...rng.complexNormal()])
      .toMatchInlineSnapshot(`
        [
          0.12948980420550904,
          0.8378188491630704,
          0.5737916198699736,
          967,
          -0.23339212080694438,
          -0.02188904736851179,
        ]
      `);
    expect(rng.shuffle([0, 1, 2, 3, 4, 5, 6, 7])).toMatchInlineSnapshot(`
      [
        6,
        4,
        7,
        5,
        1,
        0,
        2,
        3,
      ]
    `);
  });

  it('goes on from a saved state, in every kind of draw', () => {
    const rng = random(5);
    rng.normal();
    const saved = rng.save();
    const all = (): unknown[] => [
      rng.uint32(),
      rng.uniform(-3, 2),
      rng.normal(1, 2),
      rng.complexNormal(),
      rng.truncatedNormal(0.5),
      rng.integer(7),
      rng.shuffle([1, 2, 3, 4, 5]),
    ];
    const first = all();
    rng.restore(saved);
    expect(all()).toEqual(first);
    expect(saved).not.toEqual(rng.save());
    // What is saved is a copy: drawing does not change it.
    const again = random(99);
    again.restore(saved);
    expect(again.uint32()).toBe(first[0]);
  });

  it('gives unrelated streams for neighbouring seeds', () => {
    const [a, b] = [random(1), random(2)];
    const products = draw(20_000, () => a.normal() * b.normal());
    expect(Math.abs(mean(products))).toBeLessThan(4 / Math.sqrt(20_000));
  });

  it('is uniform: moments, range, and every sixteenth alike', () => {
    const rng = random(3);
    const n = 200_000;
    const values = draw(n, () => rng.uniform());
    for (const k of [1, 2, 3])
      expect(Math.abs(moment(values, k) - 1 / (k + 1))).toBeLessThan(4 * (0.3 / Math.sqrt(n)));
    const counts = new Float64Array(16);
    for (const x of values) counts[Math.floor(x * 16)]++;
    // χ² with 15 degrees of freedom exceeds 37.7 once in a thousand.
    expect(counts.reduce((sum, c) => sum + (c - n / 16) ** 2 / (n / 16), 0)).toBeLessThan(37.7);
    const shifted = draw(1000, () => rng.uniform(-2, -1));
    expect(shifted.every((x) => x >= -2 && x < -1)).toBe(true);
  });

  it('never reaches the upper end, even where rounding would', () => {
    const rng = random(4);
    const next = 1 + Number.EPSILON;
    expect(draw(1000, () => rng.uniform(1, next)).every((x) => x === 1)).toBe(true);
  });

  it('is normal: moments, and the share within one and two deviations', () => {
    const rng = random(6);
    const n = 200_000;
    const values = draw(n, () => rng.normal());
    [0, 1, 0, 3].forEach((expected, i) => {
      const spread = [1, Math.SQRT2, Math.sqrt(15), Math.sqrt(96)][i];
      expect(Math.abs(moment(values, i + 1) - expected), `moment ${i + 1}`).toBeLessThan(
        (4 * spread) / Math.sqrt(n),
      );
    });
    const within = (limit: number): number => mean(values.map((x) => (Math.abs(x) < limit ? 1 : 0)));
    expect(Math.abs(within(1) - 0.682689492)).toBeLessThan(0.005);
    expect(Math.abs(within(2) - 0.954499736)).toBeLessThan(0.002);
    expect(Math.abs(mean(draw(50_000, () => rng.normal(5, 0.1))) - 5)).toBeLessThan(0.002);
  });

  it('cuts the normal at the limit, with the variance of the cut distribution', () => {
    const rng = random(7);
    const values = draw(100_000, () => rng.truncatedNormal(2));
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(2);
    expect(Math.abs(Math.sqrt(moment(values, 2)) - 0.8796256610342398)).toBeLessThan(0.006);
  });

  it('has complex normals of variance 1, parts alike and unrelated', () => {
    const rng = random(8);
    const pairs = Array.from({ length: 50_000 }, () => rng.complexNormal());
    const bound = 4 / Math.sqrt(50_000);
    expect(Math.abs(mean(pairs.map(([re]) => re * re)) - 0.5)).toBeLessThan(bound);
    expect(Math.abs(mean(pairs.map(([, im]) => im * im)) - 0.5)).toBeLessThan(bound);
    expect(Math.abs(mean(pairs.map(([re, im]) => re * im)))).toBeLessThan(bound);
  });

  it('draws integers without bias, up to 2^32', () => {
    const rng = random(9);
    const counts = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 60_000; i++) counts[rng.integer(6)]++;
    expect(counts.reduce((sum, c) => sum + (c - 10_000) ** 2 / 10_000, 0)).toBeLessThan(20.5);
    expect(rng.integer(1)).toBe(0);
    expect(Math.max(...draw(100, () => rng.integer(2 ** 32)))).toBeGreaterThan(2 ** 31);
    // At 3/4 of 2^32 a plain remainder would give the lower third twice as often.
    const low = mean(draw(20_000, () => (rng.integer(3 * 2 ** 30) < 2 ** 30 ? 1 : 0)));
    expect(Math.abs(low - 1 / 3)).toBeLessThan(0.015);
  });

  it('shuffles in place, keeping every element, each place as likely', () => {
    const rng = random(10);
    const array = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(rng.shuffle(array)).toBe(array);
    expect(Array.from(array.toSorted())).toEqual(Array.from({ length: 256 }, (_, i) => i));
    const places = [0, 0, 0, 0];
    for (let i = 0; i < 40_000; i++) places[rng.shuffle([0, 1, 2, 3]).indexOf(0)]++;
    expect(places.reduce((sum, c) => sum + (c - 10_000) ** 2 / 10_000, 0)).toBeLessThan(16.3);
  });

  it('refuses bad seeds, bounds and states', () => {
    for (const seed of [-1, 0.5, NaN, 2 ** 53]) expect(() => random(seed)).toThrow(ArgumentError);
    const rng = random(0);
    for (const below of [0, -3, 1.5, 2 ** 32 + 1]) expect(() => rng.integer(below)).toThrow(/the bound is/);
    expect(() => rng.truncatedNormal(0)).toThrow(ArgumentError);
    expect(() => rng.restore(new Uint32Array(4))).toThrow(ArgumentError);
    expect(() => rng.restore(new Uint32Array(3))).toThrow(ArgumentError);
  });
});
