import { describe, expect, it } from 'vitest';
import { initialise, rwkv4Block } from '../../src/layers/index.ts';
import { rwkv4Lm, rwkv4Model } from '../../src/models/index.ts';
import { traceModel } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { stirred } from '../support/stirred.ts';

const first = rwkv4Block({ features: 4, index: 0, layers: 3 });
const later = rwkv4Block({ features: 4, attention: 6, hidden: 5, index: 1, layers: 3 });
const stack = rwkv4Model({ features: 4, layers: 2 });
const language = rwkv4Lm({ features: 4, layers: 2, vocabulary: 7 });
const tokens = (_port: string, frames: number): Float32Array =>
  Float32Array.from({ length: frames }, (_, k) => (5 * k * k + k) % 7);

verifyStream({ name: 'rwkv4 block', model: first, parameters: stirred(first, 1) });
verifyStream({
  name: 'rwkv4 block of other widths',
  model: later,
  parameters: stirred(later, 2),
});
verifyStream({
  name: 'rwkv4 stack in float64',
  model: stack,
  parameters: stirred(stack, 3),
  options: { precision: 'float64' },
  tolerance: 1e-12,
});
verifyStream({
  name: 'rwkv4 language model',
  model: language,
  parameters: stirred(language, 4),
  input: tokens,
});
verifyAdjoint({ name: 'rwkv4 block', model: first, parameters: stirred(first, 5) });
verifyAdjoint({ name: 'rwkv4 block of other widths', model: later, parameters: stirred(later, 6) });
verifyAdjoint({
  name: 'rwkv4 language model',
  model: language,
  parameters: stirred(language, 7),
  input: tokens,
  withoutGradient: ['input'],
});

describe('rwkv4', () => {
  it('has the official names and shapes', () => {
    const shapes = Object.fromEntries(
      [
        ...traceModel(rwkv4Lm({ features: 4, layers: 2, vocabulary: 7, attention: 6, hidden: 5 })).parameters,
      ].map(([name, { shape }]) => [name, shape]),
    );
    const block = (i: number): Record<string, readonly number[]> => {
      const at = `rwkv.blocks.${i}`;
      return {
        [`${at}.ln1.weight`]: [4],
        [`${at}.ln1.bias`]: [4],
        [`${at}.ln2.weight`]: [4],
        [`${at}.ln2.bias`]: [4],
        [`${at}.attention.time_decay`]: [6],
        [`${at}.attention.time_first`]: [6],
        [`${at}.attention.time_mix_key`]: [1, 1, 4],
        [`${at}.attention.time_mix_value`]: [1, 1, 4],
        [`${at}.attention.time_mix_receptance`]: [1, 1, 4],
        [`${at}.attention.key.weight`]: [6, 4],
        [`${at}.attention.value.weight`]: [6, 4],
        [`${at}.attention.receptance.weight`]: [6, 4],
        [`${at}.attention.output.weight`]: [4, 6],
        [`${at}.feed_forward.time_mix_key`]: [1, 1, 4],
        [`${at}.feed_forward.time_mix_receptance`]: [1, 1, 4],
        [`${at}.feed_forward.key.weight`]: [5, 4],
        [`${at}.feed_forward.receptance.weight`]: [4, 4],
        [`${at}.feed_forward.value.weight`]: [4, 5],
      };
    };
    expect(shapes).toEqual({
      'rwkv.embeddings.weight': [7, 4],
      'rwkv.blocks.0.pre_ln.weight': [4],
      'rwkv.blocks.0.pre_ln.bias': [4],
      ...block(0),
      ...block(1),
      'rwkv.ln_out.weight': [4],
      'rwkv.ln_out.bias': [4],
      'head.weight': [7, 4],
    });
  });

  it('begins as published: slow channels first, mixing by place and depth, residual alone', () => {
    const parameters = initialise(rwkv4Model({ features: 8, layers: 3 }), 1);
    const of = (block: number, name: string): number[] => [...parameters.get(`blocks.${block}.${name}`)!];
    expect(of(0, 'attention.time_decay')[0]).toBe(-5);
    expect(of(2, 'attention.time_decay')[7]).toBe(3);
    expect(of(0, 'attention.time_decay')[3]).toBeCloseTo(-5 + 8 * (3 / 7) ** 0.7);
    expect(of(2, 'attention.time_decay')[3]).toBeCloseTo(-5 + 8 * (3 / 7) ** 2);
    const bonus = Math.log(0.3);
    [bonus, bonus + 0.5, bonus - 0.5].forEach((value, i) =>
      expect(of(1, 'attention.time_first')[i]).toBeCloseTo(value),
    );
    expect(of(1, 'attention.time_mix_value')[2]).toBeCloseTo(0.25 ** (2 / 3) + 0.15);
    expect(of(1, 'attention.time_mix_receptance')[2]).toBeCloseTo(0.25 ** (1 / 3));
    expect(of(2, 'feed_forward.time_mix_key')[4]).toBeCloseTo(0.5 ** (1 / 3));
    const input = Float64Array.from({ length: 80 }, (_, i) => Math.sin(i));
    const block = rwkv4Block({ features: 8, index: 1, layers: 3 });
    expect(evaluate(block, initialise(block, 1), { input })['output']).toEqual(input);
  });

  it('a stack of one layer begins with finite numbers', () => {
    for (const values of initialise(rwkv4Model({ features: 1, layers: 1 }), 1).values())
      for (const value of values) expect(Number.isFinite(value)).toBe(true);
  });

  it('does not notice silence: no subnormal, no NaN, and the same answer behind it', () => {
    const parameters = stirred(stack, 8);
    const burst = Float32Array.from({ length: 400 }, (_, i) => Math.sin(i));
    const stream = compile(stack, parameters);
    stream.push(burst);
    stream.push(new Float32Array(4 * 20_000));
    const again = stream.push(burst);
    const fresh = compile(stack, parameters);
    fresh.push(new Float32Array(4 * 20_000));
    expect(relativeError(again, fresh.push(burst))).toBeLessThan(1e-6);
  });

  it('counts frames, so it refuses another sample rate', () => {
    const model = { ...stack, sampleRate: 100 };
    expect(() => compile(model, stirred(stack, 1), { sampleRate: 50 })).toThrow(/can't follow 50 Hz/);
  });
});
