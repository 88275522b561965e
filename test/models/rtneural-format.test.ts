import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { rtneuralConfig } from '../../src/models/formats/rtneural.ts';
import { modelFor } from '../../src/models/index.ts';
import { rtneuralModel, type RtneuralLayers } from '../../src/models/rtneural.ts';
import { sizeOf, traceModel } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { peakOf } from '../contract/stream.ts';

/** A layer of every type. */
const layers: RtneuralLayers = {
  features: 2,
  sampleRate: 48_000,
  layers: [
    { type: 'dense', inputs: 2, outputs: 4, bias: true },
    { type: 'activation', name: 'tanh' },
    { type: 'conv1d', inputs: 4, outputs: 6, taps: 3, dilation: 2, groups: 2, bias: false },
    { type: 'prelu', slopes: 6 },
    { type: 'batchnorm', outputs: 6, epsilon: 0.001, scaled: true, shifted: false },
    { type: 'activation', name: 'elu' },
    { type: 'gru', inputs: 6, outputs: 3, bias: true, reset: 'before' },
    { type: 'lstm', inputs: 3, outputs: 2, bias: false },
    { type: 'dense', inputs: 2, outputs: 1, bias: false },
  ],
};

describe('the format rtneural', () => {
  it('builds of its configuration, written as JSON and read again, the model that it came from', () => {
    const config = JSON.parse(JSON.stringify(rtneuralConfig(layers))) as Record<string, unknown>;
    const [model, again] = [rtneuralModel(layers), modelFor('rtneural', config)];
    expect(again.sampleRate).toBe(48_000);
    const source = random(3);
    const parameters = new Map(
      [...traceModel(model).parameters].map(([name, { shape }]) => [
        name,
        Float64Array.from({ length: sizeOf(shape) }, () => source.uniform(0.1, 1)),
      ]),
    );
    const input = Float32Array.from({ length: 2 * 50 }, () => source.normal());
    const output = compile(model, parameters).push(input);
    expect(peakOf(output)).toBeGreaterThan(0.01);
    expect(compile(again, parameters).push(input)).toEqual(output);
  });

  const dense = { type: 'dense', inputs: 1, outputs: 1 };

  it.each<[Record<string, unknown>, RegExp]>([
    [{ layers: [dense] }, /^rtneural: config lacks "features"/],
    [{ features: 1 }, /config "layers" is no list of layers/],
    [{ features: 1, layers: [] }, /config "layers" is no list of layers/],
    [{ features: 1, layers: [3] }, /layers\[0\] is 3; give an object/],
    [{ features: 1, layers: [dense, {}] }, /layers\[1\]: config lacks "type"/],
    [
      { features: 1, layers: [{ type: 'dropout' }] },
      /layers\[0\]: config "type" is "dropout"; give one of dense/,
    ],
    [{ features: 1, layers: [{ ...dense, inputs: 0 }] }, /layers\[0\]: config "inputs" is 0/],
    [{ features: 1, layers: [{ ...dense, taps: 3 }] }, /layers\[0\]: config has "taps": 3/],
    [
      { features: 1, layers: [{ type: 'activation', name: 'softmax' }] },
      /"name" is "softmax"; give one of tanh/,
    ],
    [
      { features: 1, layers: [{ type: 'gru', inputs: 1, outputs: 1 }] },
      /lacks "reset"; give one of after, before/,
    ],
  ])('refuses %j', (config, message) => {
    expect(() => modelFor('rtneural', config)).toThrow(ArgumentError);
    expect(() => modelFor('rtneural', config)).toThrow(message);
  });
});
