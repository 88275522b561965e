import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { logUniformDt, mambaDtBias, random } from '../../src/init/index.ts';
import { inverseSoftplus, softplus } from '../../src/math/scalar.ts';

describe('steps', () => {
  it('are log-uniform between min and max', () => {
    const logs = logUniformDt(random(1), 20_000, { min: 1e-3, max: 0.1 });
    const [low, high] = [Math.log(1e-3), Math.log(0.1)];
    expect(Math.min(...logs)).toBeGreaterThanOrEqual(low);
    expect(Math.max(...logs)).toBeLessThan(high);
    const mean = logs.reduce((sum, x) => sum + x, 0) / logs.length;
    const spread = (high - low) / Math.sqrt(12 * logs.length);
    expect(Math.abs(mean - (low + high) / 2)).toBeLessThan(4 * spread);
    expect(logUniformDt(random(1), 3)).toEqual(logUniformDt(random(1), 3, { min: 1e-3, max: 0.1 }));
    expect([...logUniformDt(random(1), 2, { min: 0.5, max: 0.5 })]).toEqual([Math.log(0.5), Math.log(0.5)]);
  });

  it('come back from the bias of Mamba by softplus, never below the floor', () => {
    const logs = logUniformDt(random(2), 1000, { min: 1e-5, max: 0.1 });
    const bias = mambaDtBias(random(2), 1000, { min: 1e-5, max: 0.1 });
    let floored = 0;
    bias.forEach((b, i) => {
      const dt = Math.max(Math.exp(logs[i]), 1e-4);
      if (dt === 1e-4) floored++;
      expect(Math.abs(softplus(b) / dt - 1)).toBeLessThan(1e-13);
    });
    expect(floored).toBeGreaterThan(100);
  });

  it('have a softplus that is exact for large and small arguments', () => {
    expect(softplus(0)).toBe(Math.LN2);
    expect(softplus(800)).toBe(800);
    expect(softplus(-40)).toBe(Math.exp(-40)); // ln(1 + e^x) would be 0
    for (const y of [1e-300, 1e-12, 1e-4, 0.1, 1, 30, 800])
      expect(Math.abs(softplus(inverseSoftplus(y)) / y - 1), `${y}`).toBeLessThan(1e-13);
  });

  it('refuse empty or negative ranges', () => {
    expect(() => logUniformDt(random(0), 1, { min: 0, max: 1 })).toThrow(ArgumentError);
    expect(() => logUniformDt(random(0), 1, { min: 0.2 })).toThrow(/from 0.2 to 0.1/);
    expect(() => logUniformDt(random(0), 1, { max: NaN })).toThrow(ArgumentError);
    expect(() => mambaDtBias(random(0), 1, { floor: 0 })).toThrow(/floor is 0/);
  });
});
