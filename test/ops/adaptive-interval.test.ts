import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { adaptiveInterval, type AdaptiveIntervalOptions } from '../../src/ops/index.ts';
import { traceModel, type Model } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { verifyStream } from '../contract/stream.ts';

const bounds = (m: number, options: AdaptiveIntervalOptions = {}): Model => ({
  name: 'bounds',
  inputs: { input: [2, m], target: [m] },
  build: (_trace, { input, target }) => ({ output: adaptiveInterval(input!, target!, options) }),
});

/** Shares below, and above, over `frames` frames; the forecast says 0 ± 1 all along. */
function outside(
  coverage: number,
  frames: number,
  noise: (k: number) => number,
): { below: number; above: number } {
  const input = Float64Array.from({ length: 2 * frames }, (_, i) => i % 2);
  const target = Float64Array.from({ length: frames }, (_, k) => noise(k));
  const y = compile(bounds(1, { coverage }), {}, { precision: 'float64' }).push({ input, target });
  let [below, above] = [0, 0];
  for (let k = 0; k < frames; k++) {
    if (target[k]! < y[2 * k]!) below++;
    if (target[k]! > y[2 * k + 1]!) above++;
  }
  return { below: below / frames, above: above / frames };
}

describe('adaptive interval', () => {
  it.each([0.8, 0.9, 0.98])(
    'holds as often as it says: %d, skewed noise that changes its scale',
    (coverage) => {
      const source = random(3);
      const frames = 20_000;
      // Exponential, three times as wide from the middle on.
      const noise = (k: number): number => -Math.log(source.uniform(0, 1)) * (k < frames / 2 ? 1 : 3) - 1;
      const { below, above } = outside(coverage, frames, noise);
      for (const share of [below, above]) expect(Math.abs(share - (1 - coverage) / 2)).toBeLessThan(0.012);
    },
  );

  it('begins with the bounds of a Gaussian, and moves by its pace', () => {
    const stream = compile(bounds(1, { coverage: 0.5, pace: 0.1 }), {}, { precision: 'float64' });
    const y = stream.push({ input: Float64Array.of(10, 2, 10, 2), target: Float64Array.of(99, 0) });
    expect([...y]).toEqual([
      10 - 2 * 1.6449,
      10 + 2 * 1.6449,
      10 - 2 * (1.6449 - 0.025),
      10 + 2 * (1.6449 + 0.075),
    ]);
  });

  verifyStream({ name: 'adaptive interval', model: bounds(2), parameters: {} });

  it('refuses what is no coverage', () => {
    expect(() => traceModel(bounds(1, { coverage: 1 }))).toThrow(GraphError);
    expect(() => traceModel(bounds(1, { pace: 0 }))).toThrow(/pace is 0/);
  });
});
