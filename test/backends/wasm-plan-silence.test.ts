import { describe, expect, it } from 'vitest';
import { reference } from '../../src/backends/reference/index.ts';
import { wasm } from '../../src/backends/wasm/index.ts';
import * as ops from '../../src/ops/index.ts';
import { defineLayer, type Signal, type Trace } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { relativeError } from '../contract/stream.ts';

const CHANNELS = 8;

const square = (t: Trace): Signal =>
  t.literal(
    Array.from({ length: CHANNELS * CHANNELS }, (_, i) => Math.sin(i * 7.1) / 4),
    [CHANNELS, CHANNELS],
  );

/** What stands behind a state that decays, and makes small numbers smaller. */
const behind: Readonly<Record<string, (t: Trace, y: Signal) => Signal>> = {
  nothing: (_, y) => y,
  'a square': (_, y) => ops.square(y),
  'a gate': (_, y) => ops.mul(y, ops.silu(y)),
  'a small gain': (_, y) => ops.mul(y, 1e-6),
  'a product': (t, y) => ops.dense(y, square(t)),
  'a convolution': (t, y) =>
    ops.convolution(y, t.literal(new Array(CHANNELS * 3).fill(1e-3), [CHANNELS, 1, 3]), { groups: CHANNELS }),
  'products of products': (t, y) => ops.dense(ops.mul(ops.dense(ops.mul(y, y), square(t)), 1e-3), square(t)),
  'a difference': (_, y) => ops.sub(y, ops.mul(y, 0.75)),
  'gelu, which squares': (t, y) => ops.dense(ops.gelu(y), square(t)),
};

describe('a stream that decays to silence never runs on subnormal numbers', () => {
  it.each(Object.entries(behind))('behind it %s', (name, follow) => {
    for (const decay of [0.5, 0.9, 0.99]) {
      const model = defineLayer({
        name,
        features: CHANNELS,
        apply(t, x) {
          const column = (value: number): Signal => t.literal(new Array(CHANNELS).fill(value), [CHANNELS, 1]);
          const y = ops.diagonalScan(x, { a: column(decay), c: column(0.3), method: ops.given, states: 1 });
          return follow(t, ops.reshape(y, [CHANNELS]));
        },
      });
      const frames = Math.ceil(130 / -Math.log2(decay)) + 64;
      const input = new Float32Array(frames * CHANNELS);
      for (let i = 0; i < CHANNELS; i++) input[i] = 1 + i / 8;
      const stream = compile(model, {}, { backend: wasm(), precision: 'float32' });
      const output = stream.push(input);
      const small = output.findIndex((value) => value !== 0 && Math.abs(value) < 2 ** -126);
      expect(small, `frame ${Math.floor(small / CHANNELS)} is ${output[small]}`).toBe(-1);
      expect(output.subarray(-CHANNELS).every((value) => value === 0)).toBe(true);
      // Nothing that could be heard is gone.
      const exact = compile(model, {}, { backend: reference, precision: 'float64' }).push(input);
      expect(relativeError(output, exact)).toBeLessThanOrEqual(1e-5);
    }
  });
});
