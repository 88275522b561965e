import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { greedy, sampling, type SamplingOptions } from '../../src/models/index.ts';

/** How often each token comes, of `draws`. */
function frequencies(logits: readonly number[], options: SamplingOptions, draws = 20_000): number[] {
  const choose = sampling(options);
  const counts = logits.map(() => 0);
  for (let i = 0; i < draws; i++) counts[choose(logits)]! += 1 / draws;
  return counts;
}

/** Five standard errors of a frequency. */
const near = (expected: number, draws = 20_000): number => 5 * Math.sqrt((expected * (1 - expected)) / draws);

const log = (probabilities: readonly number[]): number[] => probabilities.map(Math.log);

describe('greedy', () => {
  it('takes the largest logit, the first of equal ones', () => {
    expect(greedy([1, 5, 3])).toBe(1);
    expect(greedy([2, 7, 7])).toBe(1);
    expect(greedy([-Infinity, -3])).toBe(1);
    expect(greedy(Float32Array.of(-4))).toBe(0);
  });

  it('refuses NaN, wherever it is', () => {
    expect(() => greedy([Number.NaN, 1])).toThrow(/token 0 is NaN/);
    expect(() => greedy([1, 2, Number.NaN])).toThrow(ArgumentError);
  });
});

describe('sampling', () => {
  it('draws by the softmax of the logits', () => {
    const wanted = [0.5, 0.3, 0.15, 0.05];
    // A common offset means nothing, however large.
    const found = frequencies(
      log(wanted).map((logit) => logit + 1e4),
      { seed: 1 },
    );
    wanted.forEach((p, token) => expect(Math.abs(found[token]! - p)).toBeLessThan(near(p)));
  });

  it('divides the logits by the temperature', () => {
    const logits = [2, 1, 0];
    for (const temperature of [0.5, 3]) {
      const weights = logits.map((logit) => Math.exp(logit / temperature));
      const total = weights.reduce((a, b) => a + b);
      const found = frequencies(logits, { temperature, seed: 2 });
      weights.forEach((weight, token) => {
        expect(Math.abs(found[token]! - weight / total)).toBeLessThan(near(weight / total));
      });
    }
  });

  it('is greedy as the temperature goes to 0, and uniform as it grows', () => {
    expect(frequencies([1, 1.001, 0], { temperature: 1e-300, seed: 3 }, 200)).toEqual([
      0,
      expect.closeTo(1),
      0,
    ]);
    for (const share of frequencies([1, 900, -700], { temperature: 1e300, seed: 4 }))
      expect(Math.abs(share - 1 / 3)).toBeLessThan(near(1 / 3));
  });

  it('keeps the smallest set of likeliest tokens that reaches topP, in their own proportions', () => {
    const logits = log([0.15, 0.5, 0.05, 0.3]);
    const two = frequencies(logits, { topP: 0.79, seed: 5 });
    expect([two[0], two[2]]).toEqual([0, 0]);
    expect(Math.abs(two[1]! - 0.625)).toBeLessThan(near(0.625));
    // One more where two fall short.
    const three = frequencies(logits, { topP: 0.81, seed: 6 });
    expect(three[2]).toBe(0);
    expect(three[0]).toBeGreaterThan(0.1);
  });

  it('takes the temperature before the cut', () => {
    // 0.8, 0.2 become about 0.94, 0.06 at temperature ½: one alone reaches 0.9 then, and does not before.
    expect(frequencies(log([0.8, 0.2]), { topP: 0.9, temperature: 0.5, seed: 7 }, 500)[1]).toBe(0);
    expect(frequencies(log([0.8, 0.2]), { topP: 0.9, seed: 7 }, 500)[1]).toBeGreaterThan(0);
  });

  it('leaves the likeliest token at the least, the first of equal ones', () => {
    expect(frequencies([3, 4, 4], { topP: Number.MIN_VALUE, seed: 8 }, 500)).toEqual([
      0,
      expect.closeTo(1),
      0,
    ]);
    expect(frequencies([0, 0, 0, 0], { topP: 0.5, seed: 9 }, 500).slice(2)).toEqual([0, 0]);
  });

  it('never draws a token of probability 0', () => {
    const found = frequencies([-Infinity, 0, -1e6, 0.1, -Infinity], { seed: 10 });
    expect([found[0], found[2], found[4]]).toEqual([0, 0, 0]);
    expect(found[1]! + found[3]!).toBeCloseTo(1);
  });

  it('draws among as many as there are: one, and 65,536', () => {
    expect(frequencies([-5], { seed: 11 }, 20)).toEqual([expect.closeTo(1)]);
    const choose = sampling({ seed: 12, topP: 0.5 });
    const drawn = Array.from({ length: 40 }, () => choose(new Float32Array(65_536)));
    expect(Math.max(...drawn)).toBeLessThan(32_768);
    expect(new Set(drawn).size).toBeGreaterThan(30);
  });

  it('draws the same from the same seed, other things from another', () => {
    const draw = (seed: number): number[] => {
      const choose = sampling({ seed });
      return Array.from({ length: 50 }, () => choose([0, 0, 0, 0, 0]));
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it.each([
    [{ temperature: 0, seed: 1 }, /temperature is 0; give a number above 0, or use greedy/],
    [{ temperature: -1, seed: 1 }, /temperature is -1/],
    [{ temperature: Number.NaN, seed: 1 }, /temperature is NaN/],
    [{ temperature: Infinity, seed: 1 }, /temperature is Infinity/],
    [{ topP: 0, seed: 1 }, /topP is 0; give a number above 0 and at most 1/],
    [{ topP: 1.01, seed: 1 }, /topP is 1.01/],
    [{ topP: Number.NaN, seed: 1 }, /topP is NaN/],
    [{ seed: -1 }, /seed is -1/],
  ])('refuses %j', (options, message) => {
    expect(() => sampling(options)).toThrow(ArgumentError);
    expect(() => sampling(options)).toThrow(message);
  });

  it.each([
    [[0, Number.NaN], /token 1 is NaN/],
    [[0, Infinity], /the largest of 2 logits is Infinity/],
    [[-Infinity, -Infinity], /the largest of 2 logits is -Infinity/],
    [[], /the largest of 0 logits is undefined/],
  ])('refuses to draw from %j', (logits, message) => {
    expect(() => sampling({ seed: 1 })(logits)).toThrow(ArgumentError);
    expect(() => sampling({ seed: 1 })(logits)).toThrow(message);
  });
});
