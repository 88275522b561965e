import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/errors.ts';
import { initialise, rwkv6, rwkv6Recurrence } from '../../src/layers/index.ts';
import { neg, exp } from '../../src/ops/index.ts';
import { traceModel, type Model } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint, verifyOp } from '../contract/op.ts';
import { verifyStream } from '../contract/stream.ts';
import { stirred } from '../support/stirred.ts';

const options = { features: 8, heads: 2, keyFeatures: 4, valueFeatures: 6, mixRank: 2, decayRank: 3 };
const model = rwkv6(options);

verifyStream({ name: 'rwkv6', model, parameters: stirred(model, 1) });
verifyStream({
  name: 'rwkv6 in float64',
  model,
  parameters: stirred(model, 2),
  options: { precision: 'float64' },
  tolerance: 1e-12,
});
verifyAdjoint({ name: 'rwkv6', model, parameters: stirred(model, 3) });
const ports = { input: [2, 3], k: [2, 3], v: [2, 2], w: [2, 3] };
verifyOp({
  name: 'the recurrence of rwkv6',
  inputs: ports,
  build: (trace, { input, k, v, w }) =>
    rwkv6Recurrence({ r: input!, k: k!, v: v!, w: neg(exp(w!)), u: trace.parameter('u', [2, 3]) }),
});

describe('rwkv6', () => {
  it('weighs the current key by the bonus, the past by products of decays', () => {
    // One head of one key and one value: y[t] = r[t] (u k[t] v[t] + Σ_s<t Π_s<i<t d[i] k[s] v[s]).
    const one: Model = {
      name: 'one',
      inputs: { r: [1, 1], k: [1, 1], v: [1, 1], w: [1, 1] },
      build: (trace, { r, k, v, w }) => ({
        output: rwkv6Recurrence({ r: r!, k: k!, v: v!, w: w!, u: trace.parameter('u', [1, 1]) }),
      }),
    };
    const [r, k, v, d] = [
      [1, 2, -1],
      [3, 1, 2],
      [1, -1, 0.5],
      [0.5, 0.25, 0.1],
    ];
    const input = {
      r: Float64Array.from(r),
      k: Float64Array.from(k),
      v: Float64Array.from(v),
      w: Float64Array.from(d, Math.log),
    };
    const y = evaluate(one, { u: [10] }, input)['output']!;
    const expected = [1 * 10 * 3, 2 * (10 * -1 + 3), -1 * (10 * 1 + (0.25 * 3 - 1))];
    expected.forEach((value, t) => expect(y[t]).toBeCloseTo(value, 12));
  });

  it('begins as flash-linear-attention: no mixing, no bonus, decay e^-1', () => {
    const parameters = initialise(model, 1);
    for (const name of [
      'x_proj.0.mu',
      'x_bias',
      'bonus',
      'w_proj.linear.lora.0.weight',
      'w_proj.linear.lora.2.bias',
    ])
      expect(
        parameters.get(name)!.every((value) => value === 0),
        name,
      ).toBe(true);
    const bound = 2 ** -2.5 * Math.sqrt(6 / 12);
    const key = parameters.get('k_proj.linear.weight')!;
    expect(Math.max(...key.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...key.map(Math.abs))).toBeGreaterThan(0.8 * bound);
    expect(parameters.get('g_norm.weight')).toEqual(new Float64Array(6).fill(1));
  });

  it('has the official names and shapes', () => {
    expect(
      Object.fromEntries([...traceModel(model).parameters].map(([name, { shape }]) => [name, shape])),
    ).toEqual({
      'x_proj.0.mu': [8],
      'x_proj.0.linear.weight': [10, 8],
      'x_proj.2.weight': [8, 10],
      x_bias: [5, 8],
      'r_proj.linear.weight': [4, 8],
      'k_proj.linear.weight': [4, 8],
      'v_proj.linear.weight': [6, 8],
      'g_proj.linear.weight': [6, 8],
      'w_proj.linear.lora.0.weight': [3, 8],
      'w_proj.linear.lora.2.weight': [4, 3],
      'w_proj.linear.lora.2.bias': [4],
      bonus: [2, 2],
      'g_norm.weight': [6],
      'g_norm.bias': [6],
      'o_proj.weight': [8, 6],
    });
  });

  it('refuses heads that do not divide the keys, by numbers', () => {
    const odd = rwkv6({ ...options, heads: 3 });
    expect(() => traceModel(odd)).toThrow(GraphError);
    expect(() => traceModel(odd)).toThrow(/4 channels, which do not divide into 3 heads/);
  });

  it('stays on its feet for keys and decays far out', () => {
    const parameters = stirred(model, 4);
    parameters.get('w_proj.linear.lora.2.bias')!.set([-40, 40, -3, 3]);
    const loud = Float32Array.from({ length: 8 * 500 }, (_, i) => 1e4 * Math.sin(i));
    for (const value of compile(model, parameters).push(loud)) expect(Number.isFinite(value)).toBe(true);
  });
});
