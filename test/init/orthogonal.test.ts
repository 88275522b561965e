import { describe, expect, it } from 'vitest';
import { orthogonal, random } from '../../src/init/index.ts';

describe('orthogonal', () => {
  it.each([
    [5, 5],
    [3, 8],
    [8, 3],
    [1, 4],
  ])('%i × %i: the fewer of rows and columns are orthogonal and of length gain', (rows, columns) => {
    const w = orthogonal(new Float64Array(rows * columns), random(3), rows, columns, 0.5);
    const count = Math.min(rows, columns);
    const at = (vector: number, i: number): number =>
      rows <= columns ? w[vector * columns + i] : w[i * columns + vector];
    for (let a = 0; a < count; a++) {
      for (let b = 0; b < count; b++) {
        let sum = 0;
        for (let i = 0; i < Math.max(rows, columns); i++) sum += at(a, i) * at(b, i);
        expect(sum).toBeCloseTo(a === b ? 0.25 : 0, 14);
      }
    }
  });

  it('favours no direction: every element has mean 0 and variance 1/n over many draws', () => {
    const rng = random(4);
    const draws = 4000;
    const sum = new Float64Array(9);
    const squares = new Float64Array(9);
    for (let d = 0; d < draws; d++) {
      orthogonal(new Float64Array(9), rng, 3, 3).forEach((value, i) => {
        sum[i] += value / draws;
        squares[i] += value ** 2 / draws;
      });
    }
    // Standard errors: √(1/3/4000) = 0.009 and √(4/45/4000) = 0.005.
    for (const mean of sum) expect(Math.abs(mean)).toBeLessThan(0.045);
    for (const square of squares) expect(Math.abs(square - 1 / 3)).toBeLessThan(0.025);
  });

  it('is the same for the same seed, another for another', () => {
    const draw = (seed: number): Float64Array => orthogonal(new Float64Array(6), random(seed), 2, 3);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });
});
