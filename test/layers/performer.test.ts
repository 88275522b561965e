import { describe, expect, it } from 'vitest';
import { random } from '../../src/init/index.ts';
import { initialise, linearTransformer, performer } from '../../src/layers/index.ts';
import { favorAttention } from '../../src/layers/performer.ts';
import * as ops from '../../src/ops/index.ts';
import type { Model } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate, gradient } from '../../src/train/index.ts';
import { drawParameters, verifyAdjoint, verifyOp } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { verifyGolden } from '../support/verify-golden.ts';

const layer = performer({ features: 6, heads: 2, randomFeatures: 8 });
verifyStream({ name: 'performer', model: layer, parameters: initialise(layer, 1), frames: 600 });
verifyStream({
  name: 'linear transformer',
  model: linearTransformer({ features: 6, heads: 2 }),
  parameters: initialise(linearTransformer({ features: 6, heads: 2 }), 1),
  frames: 600,
});
verifyAdjoint({
  name: 'linear transformer',
  model: linearTransformer({ features: 6, heads: 2 }),
  parameters: initialise(linearTransformer({ features: 6, heads: 2 }), 1),
});
// The layer does not train its features; the attention itself has gradients of them too.
for (const eps of [1e-6, 0]) {
  verifyOp({
    name: `favor attention, eps ${eps}`,
    inputs: { input: [2, 3], k: [2, 3], v: [2, 2] },
    frames: 600,
    build: (t, { input, k, v }) =>
      favorAttention(
        { q: input!, k: k!, v: v! },
        { omega: t.parameter('omega', [3, 4]), temperature: 0.6, eps },
      ),
  });
}

const noise = (frames: number, width: number, seed: number, scale = 1): Float32Array => {
  const source = random(seed);
  return Float32Array.from({ length: frames * width }, () => scale * source.normal());
};

/** One head of 8, many features. */
const attention = (features: number, eps: number): Model => ({
  name: 'favor',
  inputs: { q: [1, 8], k: [1, 8], v: [1, 2] },
  build: (t, { q, k, v }) => ({
    output: favorAttention(
      { q: q!, k: k!, v: v! },
      { omega: t.parameter('omega', [8, features / 2]), temperature: 8 ** -0.5, eps },
    ),
  }),
});

describe('performer', () => {
  verifyGolden('linear_attention/performer_favor');

  it('comes near softmax attention with many features', () => {
    const model = attention(8192, 1e-6);
    const T = 12;
    const inputs = { q: noise(T, 8, 1, 0.7), k: noise(T, 8, 2, 0.7), v: noise(T, 2, 3) };
    const y = evaluate(model, drawParameters(model, 4), inputs)['output']!;
    const exact = new Float64Array(2 * T);
    for (let t = 0; t < T; t++) {
      let sum = 0;
      for (let s = 0; s <= t; s++) {
        let score = 0;
        for (let i = 0; i < 8; i++) score += inputs.q[8 * t + i]! * inputs.k[8 * s + i]!;
        const weight = Math.exp(score * 8 ** -0.5);
        sum += weight;
        for (let j = 0; j < 2; j++) exact[2 * t + j]! += weight * inputs.v[2 * s + j]!;
      }
      for (let j = 0; j < 2; j++) exact[2 * t + j]! /= sum;
    }
    expect(relativeError(y, exact)).toBeLessThan(0.05);
  });

  it('stays a mean of the values where exponentials leave float32, whenever the largest key comes', () => {
    const model = attention(16, 0);
    const parameters = drawParameters(model, 5);
    const T = 200;
    // Features from e^−1000, which is 0 in any precision; then small keys, which outweigh all before.
    const k = noise(T, 8, 6, 20);
    for (let i = 100 * 8; i < T * 8; i++) k[i]! /= 50;
    const inputs = { q: noise(T, 8, 7, 20), k, v: noise(T, 2, 8) };
    const y = compile(model, parameters).push(inputs);
    expect(y.every(Number.isFinite)).toBe(true);
    expect(relativeError(y, evaluate(model, parameters, inputs)['output']!)).toBeLessThan(1e-3);
    const most = Math.max(...inputs.v.map(Math.abs));
    expect(Math.max(...y.map(Math.abs))).toBeLessThanOrEqual(most * (1 + 1e-6));
    expect(Math.max(...y.map(Math.abs))).toBeGreaterThan(most / 10);
  });

  it('draws orthogonal features and leaves them as they are', () => {
    const model = performer({ features: 8, heads: 2, randomFeatures: 16 });
    const parameters = initialise(model, 9);
    const omega = parameters.get('inner_attention.feature_map.omega')!;
    const dot = (a: number, b: number): number =>
      [0, 1, 2, 3].reduce((sum, i) => sum + omega[i * 8 + a]! * omega[i * 8 + b]!, 0);
    for (const group of [0, 4])
      for (let a = 0; a < 4; a++)
        for (let b = 0; b < a; b++) expect(Math.abs(dot(group + a, group + b))).toBeLessThan(1e-6);
    const T = 5;
    const { parameters: slopes } = gradient(model, parameters, { input: noise(T, 8, 1) }, ({ output }) => ({
      output: output!,
    }));
    expect(slopes.get('inner_attention.feature_map.omega')!.every((slope) => slope === 0)).toBe(true);
    expect(slopes.get('query_projection.weight')!.some((slope) => slope !== 0)).toBe(true);
    expect(() => performer({ features: 8, heads: 2, randomFeatures: 5 })).toThrow(/even/);
  });
});

describe('sums that grow', () => {
  it('go on beyond 2^24 terms, where float32 by name stands still', () => {
    const model: Model = {
      name: 'sum',
      inputs: { q: [1, 1], k: [1, 1], v: [1, 1] },
      build: (_t, { q, k, v }) => ({ output: ops.linearAttention({ q: q!, k: k!, v: v! }) }),
    };
    const frames = 1000;
    const one = new Float32Array(frames).fill(1);
    const v = Float32Array.from(one);
    // As many frames of 1 as there are in the first one's value.
    v[0] = 2 ** 24;
    const last = (precision: 'auto' | 'float32'): number =>
      compile(model, {}, { precision }).push({ q: one, k: one, v }).at(-1)!;
    expect(last('float32')).toBe(2 ** 24);
    // The last frames' outputs are float32 again, which has even numbers alone up there.
    expect(last('auto')).toBe(2 ** 24 + frames);
  });
});

describe('a mean over frames', () => {
  it.each([
    ['linear transformer', linearTransformer({ features: 6, heads: 2 })],
    ['performer', layer],
  ])('%s takes any rate and irregular time, which change nothing', (_name, model) => {
    const parameters = initialise(model, 3);
    const input = noise(50, 6, 9);
    const plain = compile(model, parameters).push(input);
    const dt = Float32Array.from({ length: 50 }, (_, k) => 0.5 + (k % 3));
    expect(compile(model, parameters, { irregular: true }).push({ input, dt })).toEqual(plain);
    const rated = { ...model, sampleRate: 16_000 };
    expect(compile(rated, parameters, { sampleRate: 8000 }).push(input)).toEqual(plain);
  });
});
