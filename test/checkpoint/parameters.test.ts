import { describe, expect, it } from 'vitest';
import { takeParameters, tensor } from '../../src/checkpoint/index.ts';
import type { Checkpoint, Tensor } from '../../src/checkpoint/index.ts';
import { nearestName } from '../../src/checkpoint/similar-name.ts';
import { ParameterError } from '../../src/errors.ts';
import { thrownBy } from './support.ts';

const of = (...shape: number[]): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(
    'F32',
    shape,
    Float32Array.from({ length: count }, (_, i) => i + 0.1),
  );
};
const checkpoint = (tensors: Record<string, Tensor>): Checkpoint => ({
  source: 'model.safetensors',
  tensors: new Map(Object.entries(tensors)),
  metadata: new Map(),
});
const refusal = (...args: Parameters<typeof takeParameters>): string => {
  const error = thrownBy(() => takeParameters(...args));
  expect(error).toBeInstanceOf(ParameterError);
  return (error as Error).message;
};

describe('takeParameters', () => {
  it('gives the values as float64, exactly, in the order that the model expects', () => {
    const file = checkpoint({ D: of(2), 'kernel.C': of(1, 3) });
    const expected = new Map([
      ['kernel.C', [1, 3]],
      ['D', [2]],
    ]);
    const values = takeParameters(file, expected);
    expect([...values.keys()]).toEqual(['kernel.C', 'D']);
    expect(values.get('D')).toEqual(Float64Array.of(Math.fround(0.1), Math.fround(1.1)));
  });

  it('tells scalars from vectors of one', () => {
    expect(refusal(checkpoint({ a: of() }), new Map([['a', [1]]]))).toMatch(
      /"a" has shape \[\], the model expects \[1\]/,
    );
  });

  it('looks only at what the prefix names', () => {
    const file = checkpoint({ 'layer.D': of(2), input: of(3) });
    expect([...takeParameters(file, new Map([['D', [2]]]), { prefix: 'layer.' }).keys()]).toEqual(['D']);
  });

  it('names what is missing, its shape, and what comes near', () => {
    const message = refusal(
      checkpoint({ 'kernel.log_A_reel': of(2) }),
      new Map([['kernel.log_A_real', [2]]]),
    );
    expect(message).toMatch(/^model\.safetensors: /);
    expect(message).toMatch(/"kernel\.log_A_real" \[2\] is missing, is it "kernel\.log_A_reel" \[2\]\?/);
  });

  it('names shapes that differ, both', () => {
    const message = refusal(checkpoint({ W: of(2, 3) }), new Map([['W', [3, 2]]]));
    expect(message).toMatch(/"W" has shape \[2, 3\], the model expects \[3, 2\]/);
  });

  it('refuses what nobody expects, unless allowed', () => {
    const file = checkpoint({ D: of(2), 'mixer.extra': of(4) });
    const expected = new Map([['D', [2]]]);
    expect(refusal(file, expected)).toMatch(
      /"mixer\.extra" \[4\] is not expected\. Pass allowExtra to leave it/,
    );
    expect(takeParameters(file, expected, { allowExtra: true }).size).toBe(1);
  });

  it('finds the prefix that was forgotten, or is too much', () => {
    const file = checkpoint({ 'model.0.D': of(2), 'model.0.B': of(2), 'model.1.D': of(2) });
    const expected = new Map([
      ['D', [2]],
      ['B', [2]],
    ]);
    expect(refusal(file, expected)).toMatch(/start with "model\.0\." there: give it as prefix/);
    expect(refusal(checkpoint({ D: of(2), B: of(2) }), expected, { prefix: 'm.' })).toMatch(
      /start with "" there/,
    );
  });

  it('lists five and counts the rest', () => {
    const expected = new Map(Array.from({ length: 9 }, (_, i) => [`layer.${i}.weight`, [1]] as const));
    const message = refusal(checkpoint({}), expected);
    expect(message.match(/is missing/g)).toHaveLength(5);
    expect(message).toMatch(/and 4 more/);
  });

  it('takes its time with many names: not more than a second', () => {
    const tensors = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, i) => [`block.${i}.mixer.weight`, of()]),
    );
    const expected = new Map(
      Array.from({ length: 20_000 }, (_, i) => [`block.${i}.mixer.bias`, []] as const),
    );
    const began = performance.now();
    refusal(checkpoint(tensors), expected);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe('nearestName', () => {
  it.each([
    ['weight', ['bias', 'weigth', 'height'], 'height'],
    ['D', ['kernel.C'], undefined],
    ['dt_bias', ['dt_proj', 'dt_bias2'], 'dt_bias2'],
    ['x', [], undefined],
  ])('of %j among %j is %j', (name, candidates, nearest) =>
    expect(nearestName(name, candidates)).toBe(nearest),
  );
});
