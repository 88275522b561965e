import { describe, expect, it } from 'vitest';
import { initialise } from '../../src/layers/index.ts';
import { rwkv6FeedForward } from '../../src/layers/rwkv-feed-forward.ts';
import { rwkv6Lm, rwkv6Model, rwkv7Lm, rwkv7Model } from '../../src/models/index.ts';
import { defineLayer, traceModel } from '../../src/signal/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { stirred } from '../support/stirred.ts';

const six = { features: 4, heads: 2, mixRank: 2, decayRank: 2, layers: 2, hidden: 3 };
const seven = {
  features: 4,
  headFeatures: 2,
  ranks: { decay: 2, a: 2, value: 2, gate: 2 },
  layers: 2,
  hidden: 3,
};
const tokens = (_port: string, frames: number): Float32Array =>
  Float32Array.from({ length: frames }, (_, k) => (5 * k * k + k) % 7);

const stack6 = rwkv6Model(six);
const stack7 = rwkv7Model({ ...seven, preNorm: false });
verifyStream({ name: 'rwkv6 stack', model: stack6, parameters: stirred(stack6, 1), frames: 500 });
// Behind two norms the decays' slopes are some 1e-5 of the loss: steps of 1e-6 would measure rounding.
verifyAdjoint({ name: 'rwkv6 stack', model: stack6, parameters: stirred(stack6, 2), frames: 8, step: 1e-5 });
verifyStream({ name: 'rwkv7 stack', model: stack7, parameters: stirred(stack7, 3), frames: 500 });
verifyAdjoint({ name: 'rwkv7 stack', model: stack7, parameters: stirred(stack7, 4), frames: 8, step: 1e-5 });
for (const model of [rwkv6Lm({ ...six, vocabulary: 7 }), rwkv7Lm({ ...seven, vocabulary: 7 })]) {
  verifyStream({ name: model.name, model, parameters: stirred(model, 5), frames: 500, input: tokens });
}

describe('stacks of RWKV-6 and 7', () => {
  it('have the official names', () => {
    const names = (model: Parameters<typeof traceModel>[0]): string[] => [
      ...traceModel(model).parameters.keys(),
    ];
    const all6 = names(rwkv6Lm({ ...six, vocabulary: 7 }));
    for (const name of [
      'model.embeddings.weight',
      'model.layers.0.pre_norm.bias',
      'model.layers.1.attn_norm.weight',
      'model.layers.1.attn.x_proj.0.mu',
      'model.layers.1.ffn_norm.weight',
      'model.layers.1.ffn.key.mu',
      'model.layers.1.ffn.key.linear.weight',
      'model.layers.1.ffn.receptance.linear.weight',
      'model.layers.1.ffn.value.weight',
      'model.norm.bias',
      'lm_head.weight',
    ])
      expect(all6).toContain(name);
    expect(all6).not.toContain('model.layers.1.pre_norm.bias');
    const all7 = names(rwkv7Model(seven));
    expect(all7).toContain('layers.1.attn.v_lora.lora.2.bias');
    expect(all7).not.toContain('layers.0.attn.v_lora.lora.2.bias');
    expect(all7).toContain('layers.1.ffn.x_k');
    expect(names(stack7).some((name) => name.includes('pre_norm'))).toBe(false);
  });

  it('channel mixing of RWKV-6 is σ(R x_r) V relu(K x_k)², each x mixed with the last', () => {
    const model = defineLayer({
      name: 'ffn',
      features: 2,
      apply: (trace, x) => rwkv6FeedForward(trace, x, 3),
    });
    const parameters = stirred(model, 6, 1);
    const of = (name: string): Float64Array => parameters.get(name)!;
    const x = [
      [1, 2],
      [-1, 0.5],
      [3, -2],
    ];
    const product = (name: string, columns: readonly number[]): number[] => {
      const w = of(name);
      const n = columns.length;
      return Array.from({ length: w.length / n }, (_, row) =>
        columns.reduce((sum, value, i) => sum + w[row * n + i]! * value, 0),
      );
    };
    const expected = x.flatMap((now, t) => {
      const mixed = (mu: string): number[] =>
        now.map((value, i) => value + of(mu)[i]! * ((x[t - 1]?.[i] ?? 0) - value));
      const key = product('key.linear.weight', mixed('key.mu')).map((k) => Math.max(k, 0) ** 2);
      const value = product('value.weight', key);
      return product('receptance.linear.weight', mixed('receptance.mu')).map(
        (r, i) => value[i]! / (1 + Math.exp(-r)),
      );
    });
    expect(
      relativeError(evaluate(model, parameters, { input: Float64Array.from(x.flat()) })['output']!, expected),
    ).toBeLessThan(1e-14);
  });

  it('begin as published', () => {
    const parameters = initialise(rwkv7Lm({ ...seven, vocabulary: 16 }), 1);
    expect(parameters.get('model.layers.1.ffn.x_k')![2]).toBeCloseTo(1 - 0.5 ** (0.5 ** 4));
    expect(parameters.get('model.layers.0.ffn.value.weight')!.every((value) => value === 0)).toBe(true);
    expect(Math.max(...parameters.get('model.embeddings.weight')!)).toBeLessThanOrEqual(1e-4);
    const head = parameters.get('lm_head.weight')!;
    // Orthogonal columns of length 0.5 √(16 / 4).
    expect(head.reduce((sum, value, i) => sum + (i % 4 === 0 ? value * value : 0), 0)).toBeCloseTo(1);
  });
});
