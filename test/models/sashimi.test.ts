import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { initialise, s4, s4dBlock } from '../../src/layers/index.ts';
import { linear } from '../../src/layers/linear.ts';
import { layerNorm } from '../../src/layers/norm.ts';
import { sashimi, type SashimiOptions } from '../../src/models/sashimi.ts';
import {
  add,
  channelsToFrames,
  delay,
  framesToChannels,
  gelu,
  permute,
  reshape,
} from '../../src/ops/index.ts';
import { defineLayer, traceModel, type Layer, type Signal, type Trace } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { measuredLatency } from './latency.ts';

const small: SashimiOptions = { features: 3, pool: [2, 3], layers: 1, states: 4 };

const cases: [string, SashimiOptions][] = [
  ['two pools', small],
  ['one pool, no feed-forward', { ...small, pool: [4], layers: 2, feedForward: 0 }],
  ['three pools, expand 1', { ...small, pool: [3, 1, 2], expand: 1 }],
  ['unet', { ...small, unet: true }],
  ['s4', { ...small, block: s4 }],
];

for (const [name, options] of cases) {
  const model = sashimi(options);
  verifyStream({ name: `SaShiMi, ${name}`, model, parameters: initialise(model, 1), frames: 400 });
}
// 17 frames are not a whole number of groups. Wide enough that the norm at the end leaves gradients to compare.
const tiny: SashimiOptions = {
  features: 4,
  pool: [2, 2],
  layers: 1,
  expand: 1,
  states: 2,
  feedForward: 1,
  // Time constants of a few frames: four of the lowest level are all there are.
  block: (size) => s4dBlock({ ...size, dt: { min: 0.2, max: 1 } }),
};
for (const [name, options] of [
  ['two pools', tiny],
  ['expand', { ...tiny, pool: [3], expand: 2, feedForward: 0 }],
  ['unet', { ...tiny, pool: [2], unet: true }],
] as const) {
  const model = sashimi(options);
  verifyAdjoint({
    name: `SaShiMi, ${name}`,
    model,
    parameters: initialise(model, 2),
    frames: 17,
    step: 1e-5,
  });
}

/** The order of `sashimi.py`, word for word: pool, run the lower level, shift by one of its frames, spread. */
function officialOrder(options: SashimiOptions): Layer {
  const { features, pool = [], layers = 0, expand = 2, states = 64, feedForward = 2 } = options;
  const { unet = false, block = s4dBlock } = options;
  const residuals = (width: number): ((t: Trace, x: Signal) => Signal)[] =>
    Array.from({ length: layers }, () => [
      (t: Trace, x: Signal) =>
        add(x, block({ features: width, states }).apply(t.scope('layer'), layerNorm(t, x, 'norm'))),
      ...(feedForward === 0
        ? []
        : [
            (t: Trace, x: Signal) => {
              const u = layerNorm(t, x, 'norm');
              const hidden = gelu(linear(t, u, { name: 'layer.ff.0.0', outputs: width * feedForward }));
              return add(x, linear(t, hidden, { name: 'layer.ff.2', outputs: width }));
            },
          ]),
    ]).flat();
  /** (a b) → (b a) */
  const swap = (x: Signal, a: number, b: number): Signal =>
    reshape(permute(reshape(x, [a, b]), [1, 0]), [a * b]);
  return defineLayer({
    name: 'official-order',
    features,
    apply(trace, input) {
      let x = input;
      let width = features;
      let index = 0;
      const outputs = [x];
      for (const p of pool) {
        if (unet)
          for (const r of residuals(width)) outputs.push((x = r(trace.scope(`d_layers.${index++}`), x)));
        const grouped = swap(framesToChannels(x, p), p, width);
        width *= expand;
        x = linear(trace, grouped, { name: `d_layers.${index++}.linear`, outputs: width });
        outputs.push(x);
      }
      residuals(width).forEach((r, j) => (x = r(trace.scope(`c_layers.${j}`), x)));
      x = add(x, outputs.pop()!);
      pool.toReversed().forEach((p, i) => {
        width /= expand;
        const up = linear(trace, x, { name: `u_layers.${i}.0.linear`, outputs: width * p });
        x = channelsToFrames(swap(delay(up, 1), width, p), p);
        x = add(x, outputs.pop()!);
        if (!unet) outputs.push(x);
        residuals(width).forEach((r, j) => {
          x = r(trace.scope(`u_layers.${i}.${j + 1}`), x);
          if (unet) x = add(x, outputs.pop()!);
        });
        if (!unet) x = add(x, outputs.pop()!);
      });
      return layerNorm(trace, x, 'norm');
    },
  });
}

describe('sashimi', () => {
  it.each(cases)('gives the numbers of the official order without its wait: %s', (_name, options) => {
    const model = sashimi(options);
    const official = officialOrder(options);
    const parameters = initialise(model, 3);
    expect(new Set(traceModel(official).parameters.keys())).toEqual(new Set(parameters.keys()));
    const period = options.pool!.reduce((a, b) => a * b, 1);
    const source = random(4);
    const input = Float64Array.from({ length: 3 * 20 * period }, () => source.normal());
    const wanted = evaluate(official, parameters, { input })['output']!;
    const actual = evaluate(model, parameters, { input })['output']!;
    expect(relativeError(actual, wanted)).toBeLessThanOrEqual(1e-12);
    expect(compile(official, parameters).latency).toBe(period - 1);
    expect(compile(model, parameters).latency).toBe(0);
  });

  it('looks at no later input', () => {
    const inner = sashimi(small);
    const stacked: Layer = defineLayer({
      name: 'mono',
      features: 1,
      apply: (t, x) => {
        const y = inner.apply(t.scope('model'), linear(t, x, { name: 'in', outputs: 3 }));
        return linear(t, y, { name: 'out', outputs: 1 });
      },
    });
    expect(measuredLatency(stacked, initialise(stacked, 5), { period: 6, most: 30 })).toBe(0);
  });

  it('gives a frame for each frame, also in the middle of a group', () => {
    const model = sashimi({ features: 3, pool: [4, 4], layers: 1, states: 4 });
    const stream = compile(model, initialise(model, 1));
    for (let k = 0; k < 37; k++) expect(stream.push(new Float32Array(3).fill(k))).toHaveLength(3);
    expect(stream.flush()).toHaveLength(0);
  });

  it('has the parameters of sashimi.py', () => {
    const { parameters } = traceModel(sashimi({ features: 4, pool: [4, 2], layers: 2, states: 6 }));
    const shapes = Object.fromEntries([...parameters].map(([name, { shape }]) => [name, shape]));
    expect(shapes).toMatchObject({
      'd_layers.0.linear.weight': [8, 16],
      'd_layers.1.linear.weight': [16, 16],
      'c_layers.0.layer.layer.D': [1, 16],
      'c_layers.3.layer.ff.0.0.weight': [32, 16],
      'c_layers.3.layer.ff.2.bias': [16],
      'u_layers.0.0.linear.weight': [16, 16],
      'u_layers.1.0.linear.bias': [16],
      'u_layers.1.4.norm.weight': [4],
      'norm.bias': [4],
    });
    expect(shapes).not.toHaveProperty(['d_layers.2.norm.weight']);
    const unet = traceModel(sashimi({ ...small, unet: true })).parameters;
    expect([...unet.keys()].filter((name) => /^d_layers\.\d+\.linear\.weight$/.test(name))).toEqual([
      'd_layers.2.linear.weight',
      'd_layers.5.linear.weight',
    ]);
  });

  it.each([
    [{ pool: [4, 1.5] }, /sashimi: pool\[1\] is 1\.5; give a whole number of at least 1/],
    [{ pool: [0] }, /pool\[0\] is 0/],
    [{ expand: 1.5 }, /expand is 1\.5/],
    [{ layers: -1 }, /layers is -1/],
    [{ feedForward: 0.5 }, /feedForward is 0\.5/],
  ])('refuses %j', (options, message) => {
    expect(() => sashimi({ features: 4, ...options })).toThrow(ArgumentError);
    expect(() => sashimi({ features: 4, ...options })).toThrow(message);
  });

  it('counts frames, so that it follows neither another rate nor irregular time', () => {
    const model = { ...sashimi(small), sampleRate: 16_000 };
    const parameters = initialise(model, 1);
    expect(() => compile(model, parameters, { sampleRate: 8000 })).toThrow(/delay|convolution/);
    expect(() => compile(model, parameters, { irregular: true })).toThrow(/delay|convolution/);
  });
});
