import { describe, expect, it } from 'vitest';
import { fileURLToPath } from 'node:url';
import { GraphError } from '../../src/errors.ts';
import { gru, initialise, lstm } from '../../src/layers/index.ts';
import { sequential, traceModel } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { gradient } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { peakOf, relativeError, verifyStream } from '../contract/stream.ts';
import { readSafetensors } from '../support/read-safetensors.ts';

const models = {
  'lstm of two layers': lstm({ features: 3, hidden: 5, layers: 2 }),
  'lstm from an initial state, without bias': lstm({
    features: 2,
    hidden: 4,
    bias: false,
    initialState: true,
  }),
  'gru of two layers': gru({ features: 3, hidden: 5, layers: 2 }),
  'gru from an initial state, reset before': gru({
    features: 2,
    hidden: 4,
    initialState: true,
    reset: 'before',
  }),
  'lstm above gru': sequential([gru({ features: 2, hidden: 3 }), lstm({ features: 3, hidden: 2 })]),
};
for (const [name, model] of Object.entries(models)) {
  const parameters = initialise(model, 4);
  // Initial states are zeros at first; others show whether they are used.
  for (const [key, values] of parameters)
    if (/[hc]0_l\d/.test(key)) values.forEach((_, i) => (values[i] = 0.5 - 0.3 * i));
  verifyStream({ name, model, parameters });
  verifyAdjoint({ name, model, parameters });
}
verifyStream({
  name: 'lstm in float64',
  model: models['lstm of two layers'],
  parameters: initialise(models['lstm of two layers'], 4),
  options: { precision: 'float64' },
  tolerance: 1e-12,
});

describe.each([
  ['lstm', lstm],
  ['gru', gru],
] as const)('torch nn.%s', (name, layer) => {
  const path = fileURLToPath(new URL(`../../fixtures/golden/rnn/${name}.safetensors`, import.meta.url));
  const golden = readSafetensors(path);
  const config = JSON.parse(golden.metadata['config']!) as Record<string, number>;
  const ways = JSON.parse(golden.metadata['ways']!) as Record<'block' | 'step' | 'chunks' | 'grad', number>;
  const model = layer({
    features: config['input_size']!,
    hidden: config['hidden_size']!,
    layers: config['num_layers']!,
  });
  const parameters = new Map(
    [...golden.tensors].flatMap(([key, { values }]) =>
      key.startsWith('param.') ? [[key.slice('param.'.length), values] as const] : [],
    ),
  );
  const [batch, frames] = golden.tensors.get('input')!.shape as [number, number];
  const item = (tensor: string, b: number): Float64Array => {
    const values = golden.values(tensor);
    return values.slice((b * values.length) / batch, ((b + 1) * values.length) / batch);
  };

  it('has the official names and shapes', () => {
    const ours = [...traceModel(model).parameters].map(([key, { shape }]) => [key, shape]);
    const official = [...parameters.keys()].map((key) => [key, golden.tensors.get(`param.${key}`)!.shape]);
    expect(new Map(ours as [])).toEqual(new Map(official as []));
  });

  it('computes the same, in one block and frame by frame', () => {
    for (let b = 0; b < batch; b++) {
      const input = Float32Array.from(item('input', b));
      const whole = compile(model, parameters).push(input);
      expect(relativeError(whole, item('output', b))).toBeLessThanOrEqual(ways.block);
      const stream = compile(model, parameters);
      const width = input.length / frames;
      const steps = Array.from({ length: frames }, (_, k) =>
        Array.from(stream.push(input.subarray(k * width, (k + 1) * width))),
      ).flat();
      expect(steps).toEqual(Array.from(whole));
    }
  });

  it('has the same gradients of the sum of its outputs', () => {
    const sums = new Map<string, Float64Array>();
    for (let b = 0; b < batch; b++) {
      const { parameters: slopes } = gradient(
        model,
        parameters,
        { input: item('input', b) },
        ({ output }) => ({
          output: output!.map(() => 1),
        }),
      );
      for (const [key, values] of slopes)
        sums.set(
          key,
          values.map((value, i) => value + (sums.get(key)?.[i] ?? 0)),
        );
    }
    for (const [key, values] of sums)
      expect(relativeError(values, golden.values(`grad.${key}`)), key).toBeLessThanOrEqual(ways.grad);
  });
});

describe('recurrent layers', () => {
  it('begin uniform within ±1/√hidden, as torch', () => {
    const values = [...initialise(lstm({ features: 20, hidden: 25 }), 1).values()];
    for (const tensor of values) {
      expect(peakOf(tensor)).toBeLessThanOrEqual(0.2);
      expect(peakOf(tensor)).toBeGreaterThan(0.18);
    }
  });

  it('refuse what they cannot do, by name', () => {
    expect(() => lstm({ features: 1, hidden: 0 })).toThrow(/lstm: hidden is 0/);
    expect(() => gru({ features: 1, hidden: 4, layers: 1.5 })).toThrow(/gru: layers is 1\.5/);
    expect(() => lstm({ features: 1, hidden: 4, bidirectional: true as never })).toThrow(
      /lstm: bidirectional is true.*use a causal lstm/,
    );
    expect(() => gru({ features: 1, hidden: 4, bidirectional: true as never })).toThrow(GraphError);
    const model = lstm({ features: 1, hidden: 2, sampleRate: 48_000 });
    expect(() => compile(model, initialise(model, 1), { sampleRate: 44_100 })).toThrow(
      /48000 Hz and can't follow 44100 Hz.*lstm-cell/,
    );
  });
});
