import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/errors.ts';
import { initialise, rwkv7, rwkv7Ranks, rwkv7TimeMix } from '../../src/layers/index.ts';
import { traceModel, type Model } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { random } from '../../src/init/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { stirred } from '../support/stirred.ts';

const options = { features: 6, headFeatures: 3, ranks: { decay: 2, a: 3, value: 2, gate: 2 } };
const model = rwkv7({ ...options, layers: 2 });
const wide = rwkv7({ ...options, valueFeatures: 8 });
/** Two layers one behind the other, the second with the values of the first. */
const pair: Model = {
  name: 'pair',
  inputs: { input: [6] },
  build(trace, { input }) {
    const { output, first } = rwkv7TimeMix(trace.scope('0'), input!, { ...options, index: 0, layers: 2 });
    return {
      output: rwkv7TimeMix(trace.scope('1'), output, { ...options, index: 1, layers: 2 }, first).output,
    };
  },
};

verifyStream({ name: 'rwkv7', model, parameters: stirred(model, 1) });
verifyStream({ name: 'two layers of rwkv7', model: pair, parameters: stirred(pair, 2) });
verifyStream({
  name: 'rwkv7 in float64',
  model,
  parameters: stirred(model, 3),
  options: { precision: 'float64' },
  tolerance: 1e-12,
});
verifyAdjoint({ name: 'rwkv7', model, parameters: stirred(model, 4) });
verifyAdjoint({ name: 'rwkv7 with wider values', model: wide, parameters: stirred(wide, 5) });
verifyAdjoint({ name: 'two layers of rwkv7', model: pair, parameters: stirred(pair, 6) });

describe('rwkv7', () => {
  it('behind the first layer mixes in its values: none, all, or in between by the gate', () => {
    const second: Model = {
      name: 'second',
      inputs: { input: [6], first: [6] },
      build: (trace, { input, first }) => ({
        output: rwkv7TimeMix(trace, input!, { ...options, index: 1, layers: 2 }, first).output,
      }),
    };
    const parameters = stirred(second, 7);
    parameters.set('v_lora.lora.0.weight', new Float64Array(12));
    const source = random(8);
    const wave = (): Float64Array => Float64Array.from({ length: 6 * 30 }, () => source.normal());
    const input = wave();
    const [a, b] = [wave(), wave()];
    const at = (bias: number, first: Float64Array): Float64Array =>
      evaluate(second, new Map(parameters).set('v_lora.lora.2.bias', new Float64Array(6).fill(bias)), {
        input,
        first,
      })['output']!;
    // Closed: whatever the first layer had is not heard, and the layer is that of index 0 with the same weights.
    expect(at(-60, a)).toEqual(at(-60, b));
    const alone = new Map([...parameters].filter(([name]) => !name.startsWith('v_lora')));
    const first = rwkv7({ ...options });
    expect(relativeError(at(-60, a), evaluate(first, alone, { input })['output']!)).toBeLessThan(1e-12);
    // Open: the layer's own values are not heard.
    const deaf = (values: number): Float64Array =>
      evaluate(
        second,
        new Map(parameters)
          .set('v_lora.lora.2.bias', new Float64Array(6).fill(60))
          .set('v_proj.weight', new Float64Array(36).fill(values)),
        { input, first: a },
      )['output']!;
    expect(relativeError(deaf(0), deaf(3))).toBeLessThan(1e-12);
    expect(relativeError(at(60, a), at(60, b))).toBeGreaterThan(1e-2);
    expect(relativeError(at(0, a), at(60, a))).toBeGreaterThan(1e-2);
  });

  it('a key that comes again replaces its value where a is 1, and adds to it where a is 0', () => {
    const alone = rwkv7(options);
    const parameters = stirred(alone, 9);
    // No mixing with the last frame, no decay, and keys of the first channel alone, which never changes.
    for (const name of ['r', 'w', 'k', 'v', 'a', 'g']) parameters.get(`x_${name}`)!.fill(0);
    for (const name of ['w', 'a']) parameters.get(`${name}_lora.lora.0.weight`)!.fill(0);
    parameters.get('w_lora.lora.2.bias')!.fill(-60);
    parameters.get('k_k')!.fill(1);
    parameters.get('k_proj.weight')!.forEach((_, i, weight) => (weight[i] = i % 6 === 0 ? 1 + i / 10 : 0));
    const last = (removal: number, seed: number): Float64Array => {
      parameters.get('a_lora.lora.2.bias')!.fill(removal);
      const source = random(seed);
      const input = Float64Array.from({ length: 6 * 20 }, (_, i) =>
        i % 6 === 0 ? 1 : i < 6 * 19 ? source.normal() : Math.sin(i),
      );
      return evaluate(alone, parameters, { input })['output']!.subarray(-6);
    };
    expect(relativeError(last(60, 1), last(60, 2))).toBeLessThan(1e-12);
    expect(relativeError(last(-60, 1), last(-60, 2))).toBeGreaterThan(0.01);
  });

  it('forgets no faster than e^-e^-½ and no slower than not at all, whatever comes in', () => {
    const parameters = stirred(model, 10);
    const loud = Float32Array.from({ length: 6 * 4000 }, (_, i) => 1e4 * Math.sin(i * i));
    for (const value of compile(model, parameters).push(loud)) expect(Number.isFinite(value)).toBe(true);
  });

  it('has ranks that grow with the width, as the published models do', () => {
    expect(rwkv7Ranks(768, 64)).toEqual({ decay: 64, a: 64, value: 32, gate: 128 });
    expect(rwkv7Ranks(32, 16)).toEqual({ decay: 32, a: 32, value: 32, gate: 32 });
  });

  it('begins as published', () => {
    const large = rwkv7({ features: 128, headFeatures: 64, index: 0, layers: 4 });
    const parameters = initialise(large, 1);
    const of = (name: string): Float64Array => parameters.get(name)!;
    expect(of('x_r')[64]).toBeCloseTo(1 - 0.5 ** 0.2);
    expect(of('x_w')[0]).toBe(1);
    // The zigzag is −1 at a head's first channel, 1 at its last.
    expect(of('w_lora.lora.2.bias')[0]).toBeCloseTo(-6 + 0.5 - 2.5);
    expect(of('w_lora.lora.2.bias')[127]).toBeCloseTo(0.5 + 2.5);
    expect(of('a_lora.lora.2.bias')[63]).toBeCloseTo(-0.19 + 0.3 + 0.4 * (63 / 127 - 0.5));
    expect(of('k_k')[127]).toBeCloseTo(0.66);
    expect(of('k_a')[5]).toBe(1.02);
    expect(of('r_k')[5]).toBe(-0.04);
    expect(of('g_norm.weight')[3]).toBeCloseTo(0.25 ** 0.7);
    expect(of('o_proj.weight').every((value) => value === 0)).toBe(true);
    // Rows of the keys' projection are orthogonal, of length 0.1.
    const row = of('k_proj.weight').subarray(0, 128);
    expect(row.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(0.01);
  });

  it('refuses what it cannot do, by name', () => {
    expect(() => traceModel(rwkv7({ ...options, index: 1 }))).toThrow(GraphError);
    expect(() => traceModel(rwkv7({ ...options, index: 1 }))).toThrow(
      /the layer of index 1 mixes in the values/,
    );
    expect(() => traceModel(rwkv7({ features: 6, headFeatures: 4 }))).toThrow(
      /6 channels, which do not divide into 1\.5 heads/,
    );
  });
});
