import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { compile, initialise, lru, s4d, s5 } from '../../src/index.ts';
import { modelFor, stack } from '../../src/models/index.ts';
import { traceModel } from '../../src/signal/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { verifyStream } from '../contract/stream.ts';

const names = (model: Parameters<typeof traceModel>[0]): string[] => [...traceModel(model).parameters.keys()];

describe('stack', () => {
  const model = stack({
    inputs: 2,
    outputs: 3,
    features: 8,
    layers: [s5({ features: 8, states: 4 }), lru({ features: 8, states: 3 })],
    activation: 'glu',
    dropout: 0.5,
  });
  const test = { name: 'stack', model, parameters: initialise(model, 1) };
  verifyStream(test);
  verifyAdjoint({ ...test, frames: 6 });
  const levelled = stack({
    inputs: 1,
    outputs: 2,
    features: 4,
    layers: [s5({ features: 4, states: 4 })],
    level: true,
    sampleRate: 1000,
  });
  const parametersOf = initialise(levelled, 1);
  verifyAdjoint({ name: 'stack of a running level', model: levelled, parameters: parametersOf, frames: 6 });

  it('hears a signal as it is at any level, with a running level', () => {
    const signal = Float32Array.from({ length: 4000 }, (_, k) => Math.sin(0.3 * k) + Math.sin(0.71 * k));
    const answers = [0.01, 0.05, 1].map((gain) =>
      compile(levelled, parametersOf)
        .push(signal.map((x) => gain * x))
        .subarray(-100),
    );
    for (const answer of answers) {
      answer.forEach((y, k) => expect(Math.abs(y - answers[1]![k]!)).toBeLessThan(0.05));
    }
    expect(() =>
      stack({ inputs: 1, outputs: 1, features: 4, layers: [s4d({ features: 4 })], level: true }),
    ).toThrow(/give sampleRate/);
  });

  it('names its parameters by block', () => {
    expect(names(model).filter((name) => !/layer\.(?!\d)/.test(name))).toEqual([
      'encoder.weight',
      'encoder.bias',
      ...[0, 1].flatMap((i) =>
        ['norm.weight', 'norm.bias', 'gate.weight', 'gate.bias'].map((name) => `layers.${i}.${name}`),
      ),
      'norm.weight',
      'norm.bias',
      'decoder.weight',
      'decoder.bias',
    ]);
    expect(names(model)).toContain('layers.1.layer.nu_log');
  });

  it('is built from a configuration', () => {
    const config = {
      inputs: 1,
      outputs: 2,
      features: 4,
      layers: [{ format: 's4d', config: { d_model: 4, d_state: 2, sample_rate: 8000 } }],
      repeat: 2,
      norm: 'rms',
      prenorm: false,
      dropout: 0.1,
      pool: 'mean',
    };
    const built = modelFor('stack', config);
    const written = stack({
      inputs: 1,
      outputs: 2,
      features: 4,
      layers: [1, 2].map(() => s4d({ features: 4, states: 2 })),
      norm: 'rms',
      preNorm: false,
      pool: 'mean',
    });
    expect(names(built)).toEqual(names(written));
    expect(names(built)).not.toContain('norm.weight');
    expect(built.sampleRate).toBe(8000);
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ layers: [] }, /"layers" is \[\]; give a list of/],
    [{ layers: [{ config: {} }] }, /layer 0 is {"config":{}}; give { "format"/],
    [
      { layers: [{ format: 's4d', config: { d_model: 3 } }] },
      /layer 0 \(s4d\) takes 3 numbers, the blocks have 4/,
    ],
    [{ layers: [{ format: 's4dd' }] }, /did you mean "s4d"/],
    [{ layers: [{ format: 's4d', config: { d_model: 4 } }], dropout: 1 }, /rate is 1/],
  ])('%j is refused by name', (change, message) => {
    const build = () => traceModel(modelFor('stack', { inputs: 1, outputs: 1, features: 4, ...change }));
    expect(build).toThrow(ArgumentError);
    expect(build).toThrow(message);
  });
});
