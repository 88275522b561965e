import { expect } from 'vitest';

/** Largest absolute difference over the peak of `expected` (over 1 where that is 0). NaN stays NaN. */
export function relativeToPeak(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let peak = 0;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    peak = Math.max(peak, Math.abs(expected[i]));
    worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
  }
  return worst / (peak || 1);
}

/** Fails unless both have the same length and differ by at most `tolerance` of the peak. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what = '',
): void {
  expect(actual.length, `${what}: length`).toBe(expected.length);
  expect(relativeToPeak(actual, expected), `${what}: error over peak`).toBeLessThanOrEqual(tolerance);
}
