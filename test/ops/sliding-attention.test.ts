import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/errors.ts';
import { slidingAttention } from '../../src/ops/sliding-attention.ts';
import type { Model } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { verifyOp } from '../contract/op.ts';

const inputs = (heads: number, groups: number, keys: number, values: number) => ({
  input: [heads, keys],
  key: [groups, keys],
  value: [groups, values],
});

for (const [name, window, heads, groups] of [
  ['over 5 frames', 5, 2, 2],
  ['over the present alone', 1, 2, 2],
  ['over more frames than there are', 400, 2, 2],
  ['with 4 heads on 2 of keys', 7, 4, 2],
  ['with all heads on 1 of keys', 130, 3, 1],
] as const) {
  verifyOp({
    name: `sliding attention ${name}`,
    inputs: inputs(heads, groups, 3, 2),
    build: (_trace, { input, key, value }) => slidingAttention(input!, key!, value!, { window }),
    frames: 300,
  });
}

const scalar = (window: number): Model => ({
  name: 'attention of numbers',
  inputs: { q: [1, 1], k: [1, 1], v: [1, 1] },
  build: (_trace, { q, k, v }) => ({ output: slidingAttention(q!, k!, v!, { window, scale: 1 }) }),
});

describe('sliding attention', () => {
  it('is the mean of the frames that are there, where all keys are equal', () => {
    const stream = compile(scalar(3), {});
    const q = Float32Array.of(1, 1, 1, 1, 1);
    const y = stream.push({ q, k: q, v: Float32Array.of(6, 12, 3, 9, 30) });
    expect([...y]).toEqual([6, 9, 7, 8, 14]);
  });

  it('stays finite for scores that exp alone would not', () => {
    const stream = compile(scalar(2), {});
    const big = Float32Array.of(1000, 1000);
    expect([...stream.push({ q: big, k: Float32Array.of(0, 1000), v: Float32Array.of(1, 2) })]).toEqual([
      1, 2,
    ]);
    stream.reset();
    expect([...stream.push({ q: big, k: Float32Array.of(-1000, -1000), v: Float32Array.of(1, 2) })]).toEqual([
      1, 1.5,
    ]);
  });

  it('begins anew, without frames of zeros, after a NaN under the policy reset', () => {
    const stream = compile(scalar(4), {}, { nonFinite: 'reset' });
    const q = Float32Array.of(1, 1, 1, 1);
    stream.push({ q, k: q, v: q });
    const y = stream.push({ q, k: Float32Array.of(1, NaN, 0, 0), v: Float32Array.of(5, 5, 8, 8) });
    // The mended frame is the first of the new beginning.
    expect([...y].slice(1)).toEqual([5, 6.5, 7]);
  });

  it.each([undefined, Infinity, 0, 2.5])('refuses a window of %s by name, with the cure', (window) => {
    expect(() => compile(scalar(window as number), {})).toThrow(GraphError);
    expect(() => compile(scalar(window as number), {})).toThrow(
      new RegExp(`sliding-attention.*window is ${window}; give a whole number.*grows for ever`),
    );
  });

  it('refuses heads that do not fit', () => {
    const build = (shapes: Record<string, readonly number[]>): Model => ({
      ...scalar(2),
      inputs: shapes,
    });
    const of = (q: number[], k: number[], v: number[]) => () => compile(build({ q, k, v }), {});
    expect(of([3, 4], [2, 4], [2, 4])).toThrow(/3 heads of queries do not divide among 2/);
    expect(of([2, 4], [2, 3], [2, 4])).toThrow(/queries of 4 numbers and keys of 3/);
    expect(of([2, 4], [2, 4], [1, 4])).toThrow(/2 heads of keys, but 1 of values/);
    expect(of([8], [8], [8])).toThrow(/reshape it to \(heads × dim\)/);
  });
});
