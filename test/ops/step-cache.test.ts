import { describe, expect, it } from 'vitest';
import { bilinear, foh, zoh } from '../../src/discretize/index.ts';
import { random } from '../../src/init/index.ts';
import { add, diagonalScan, mul, reshape } from '../../src/ops/index.ts';
import { StepCache } from '../../src/ops/step-cache.ts';
import type { Model, Signal } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';

describe('StepCache', () => {
  it('finds by the exact key, and drops the oldest of eight', () => {
    let made = 0;
    const cache = new StepCache(2, () => ({ id: made++ }));
    const row = (value: number): Float64Array => Float64Array.of(9, value, value + 0.5);
    const first = cache.claim(row(0), 1);
    expect(cache.find(row(0), 1)).toBe(first);
    expect(cache.find(Float64Array.of(9, 0, 0.5 + 2 ** -53), 1)).toBeUndefined();
    expect(cache.find(Float64Array.of(9, 2 ** -1074, 0.5), 1)).toBeUndefined();
    for (let i = 1; i < 8; i++) cache.claim(row(i), 1);
    expect(cache.find(row(0), 1)).toBe(first);
    // The ninth takes the place of the first, and its memory.
    expect(cache.claim(row(8), 1)).toBe(first);
    expect(cache.find(row(0), 1)).toBeUndefined();
    expect([1, 2, 3, 4, 5, 6, 7, 8].every((i) => cache.find(row(i), 1) !== undefined)).toBe(true);
    expect(made).toBe(8);
  });
});

describe('the diagonal scan with a dt by frame', () => {
  // A pole that comes by frame, though always the same, goes past the cache.
  const model = (method: typeof zoh.diagonal, pole: (input: Signal, a: Signal) => Signal): Model => ({
    name: 'scan',
    inputs: { input: [2], delta: [2] },
    build: (trace, { input, delta }) => {
      const part = (name: string): Signal => trace.parameter(name, [2, 3]);
      return {
        output: diagonalScan(input!, {
          a: { re: pole(input!, part('re')), im: part('im') },
          c: part('c'),
          dt: delta!,
          method,
        }),
      };
    },
  });
  it.each([zoh, bilinear, foh])(
    'gives the same bits with repeating steps as without a cache: $name',
    (method) => {
      const source = random(3);
      const draw = (length: number, low: number, high: number): Float64Array =>
        Float64Array.from({ length }, () => source.uniform(low, high));
      const parameters = { re: draw(6, -2, -0.1), im: draw(6, -9, 9), c: draw(6, -1, 1) };
      const steps = draw(40, 0, 0.5);
      // Runs, alternation, and now and then one of forty: hits, misses and evictions.
      const delta = Float64Array.from({ length: 2 * 900 }, (_, i) => {
        const k = i >> 1;
        return steps[k < 300 ? k % 2 : k < 600 ? Math.floor(k / 50) : (k * 7) % 40]!;
      });
      const block = { input: draw(2 * 900, -1, 1), delta };
      const cached = compile(
        model(method.diagonal, (_input, a) => a),
        parameters,
        { precision: 'float64' },
      );
      const plain = compile(
        model(method.diagonal, (input, a) => add(a, reshape(mul(input, 0), [2, 1]))),
        parameters,
        { precision: 'float64' },
      );
      expect(cached.push(block)).toEqual(plain.push(block));
    },
  );
});
