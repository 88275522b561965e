import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import {
  fans,
  kaimingUniform,
  lecunNormal,
  normal,
  random,
  torchDefault,
  truncatedNormal,
  uniform,
  xavierNormal,
  xavierUniform,
} from '../../src/init/index.ts';

const COUNT = 40_000;
const fresh = (): Float32Array => new Float32Array(COUNT);
const std = (values: Float32Array): number =>
  Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
const peak = (values: Float32Array): number => values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);

/** A uniform distribution within ±bound: fills it, stays inside, and has its deviation bound/√3. */
function expectUniform(values: Float32Array, bound: number): void {
  expect(peak(values)).toBeLessThanOrEqual(Math.fround(bound));
  expect(peak(values)).toBeGreaterThan(bound * 0.999);
  expect(Math.abs(std(values) / (bound / Math.sqrt(3)) - 1)).toBeLessThan(0.02);
}

describe('initial weights', () => {
  it('count fans as torch does', () => {
    expect(fans([64, 32])).toEqual({ fanIn: 32, fanOut: 64 });
    // nn.Conv1d(8, 16, 5, groups=2) has a weight of 16 × 4 × 5.
    expect(fans([16, 4, 5])).toEqual({ fanIn: 20, fanOut: 80 });
    expect(fans([16, 1, 4])).toEqual({ fanIn: 4, fanOut: 64 });
    expect(() => fans([7])).toThrow(/shape \[7\] has 1 axes/);
  });

  it('have the bounds of the uniform kinds', () => {
    const rng = random(1);
    expectUniform(uniform(fresh(), rng, -0.3, 0.3), 0.3);
    expectUniform(torchDefault(fresh(), rng, 20), 1 / Math.sqrt(20));
    // kaiming_uniform_(a=√5) is what nn.Linear calls, and comes to the same bound.
    expectUniform(kaimingUniform(fresh(), rng, 20, Math.sqrt(5)), 1 / Math.sqrt(20));
    expectUniform(kaimingUniform(fresh(), rng, 24), 0.5);
    expectUniform(xavierUniform(fresh(), rng, { fanIn: 10, fanOut: 14 }), 0.5);
    expectUniform(xavierUniform(fresh(), rng, { fanIn: 10, fanOut: 14 }, 3), 1.5);
  });

  it('have the deviations of the normal kinds', () => {
    const rng = random(2);
    const near = (values: Float32Array, expected: number): void =>
      expect(Math.abs(std(values) / expected - 1)).toBeLessThan(0.02);
    near(normal(fresh(), rng, 0, 0.02), 0.02);
    near(xavierNormal(fresh(), rng, { fanIn: 20, fanOut: 30 }), 0.2);
    const cut = truncatedNormal(fresh(), rng, 0.5, 2);
    near(cut, 0.5 * 0.8796256610342398);
    expect(peak(cut)).toBeLessThanOrEqual(1);
    const lecun = lecunNormal(fresh(), rng, 25);
    near(lecun, 0.2);
    expect(peak(lecun)).toBeLessThanOrEqual((2 * 0.2) / 0.8796);
    const shifted = normal(fresh(), rng, 3, 0.1);
    expect(Math.abs(shifted.reduce((sum, x) => sum + x, 0) / COUNT - 3)).toBeLessThan(0.003);
  });

  it('fill and return the given array, alike for a seed', () => {
    const into = new Float64Array(5);
    expect(torchDefault(into, random(3), 4)).toBe(into);
    expect(torchDefault(new Float64Array(5), random(3), 4)).toEqual(into);
    expect(new Set(into).size).toBe(5);
  });

  it('refuse a fan of nothing', () => {
    for (const fan of [0, -1, NaN, Infinity]) {
      expect(() => torchDefault(new Float32Array(1), random(0), fan)).toThrow(ArgumentError);
      expect(() => kaimingUniform(new Float32Array(1), random(0), fan)).toThrow(ArgumentError);
      expect(() => lecunNormal(new Float32Array(1), random(0), fan)).toThrow(ArgumentError);
    }
    expect(() => xavierNormal(new Float32Array(1), random(0), { fanIn: 0, fanOut: 0 })).toThrow(/fan is 0/);
  });
});
