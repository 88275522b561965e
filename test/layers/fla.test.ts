import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import * as layers from '../../src/layers/index.ts';
import { initialise } from '../../src/layers/index.ts';
import { modelFor } from '../../src/models/index.ts';
import { traceModel, type Layer } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { atFrame } from '../support/jump.ts';
import { verifyGolden } from '../support/verify-golden.ts';

/** Small, and between them every option: heads that share, short convolutions with and without bias, gates. */
const cases: Readonly<Record<string, Layer>> = {
  'fla retention': layers.flaRetention({ features: 8, heads: 2 }),
  'fla retention, shared heads, convolved, no gate': layers.flaRetention({
    features: 8,
    heads: 4,
    keyHeads: 2,
    keys: 2,
    values: 3,
    taps: 3,
    convBias: true,
    outputGate: false,
  }),
  'linear attention': layers.linearAttention({ features: 6, heads: 2 }),
  'linear attention, shared heads, sums 1, normed': layers.linearAttention({
    features: 6,
    heads: 2,
    keyHeads: 1,
    values: 2,
    sumNorm: { q: true, k: true },
    norm: 1e-5,
    normalise: false,
  }),
  gla: layers.gla({ features: 8, heads: 2, gateRank: 3 }),
  'gla, shared heads, convolved': layers.gla({
    features: 8,
    heads: 4,
    keyHeads: 2,
    keys: 2,
    values: 3,
    gateRank: 3,
    taps: 2,
    gateDivisor: 2,
    gateFloor: -0.5,
    norm: 'g_norm',
  }),
  'delta net': layers.deltaNet({ features: 6, heads: 2 }),
  'delta net, gated, elu, sums 1, all written': layers.deltaNet({
    features: 6,
    heads: 2,
    taps: 0,
    activation: 'elu',
    norm: 'sum',
    beta: false,
    outputGate: true,
  }),
  'delta net, negative eigenvalues': layers.deltaNet({
    features: 6,
    heads: 2,
    convBias: true,
    negativeEigenvalues: true,
    activation: 'identity',
  }),
  'gated delta net': layers.gatedDeltaNet({ features: 6, heads: 2, keys: 3, values: 4 }),
  'gated delta net, more value heads, no gate': layers.gatedDeltaNet({
    features: 6,
    heads: 1,
    valueHeads: 2,
    keys: 3,
    values: 2,
    outputGate: false,
    negativeEigenvalues: true,
    taps: 0,
  }),
  kda: layers.kda({ features: 6, heads: 2, keys: 3 }),
  'kda, more value heads': layers.kda({
    features: 6,
    heads: 1,
    valueHeads: 2,
    keys: 3,
    values: 2,
    negativeEigenvalues: true,
  }),
  hgrn: layers.hgrn({ features: 5 }),
  'hgrn, wider, convolved': layers.hgrn({ features: 4, inner: 6, taps: 3 }),
};

for (const [name, model] of Object.entries(cases)) {
  verifyStream({ name, model, parameters: initialise(model, 1), frames: 600 });
  verifyAdjoint({ name, model, parameters: initialise(model, 2), frames: 8 });
}

describe('layers of flash-linear-attention', () => {
  const goldenLayers = [
    'retention_fla',
    'linear_attention',
    'gla',
    'delta_net',
    'gated_delta_net',
    'kda',
    'hgrn',
  ];
  verifyGolden(...goldenLayers.map((name) => `fla_layers/${name}`));

  it.each([
    ['fla-retention', { expand_v: 1, fuse_norm: false }, ['g_norm.weight', 'g_proj.weight', 'q_proj.weight']],
    [
      'fla-retention',
      { use_short_conv: true, conv_bias: true },
      ['g_norm_swish_gate.weight', 'q_conv1d.bias'],
    ],
    ['fla-linear-attention', { feature_map: 'relu' }, ['norm.weight', 'o_proj.weight']],
    ['gla', {}, ['g_norm_swish_gate.weight', 'gk_proj.0.weight', 'gk_proj.1.bias']],
    ['delta-net', { use_gate: true }, ['b_proj.weight', 'g_proj.weight', 'o_norm.weight', 'v_conv1d.weight']],
    ['gated-delta-net', { head_dim: 4 }, ['A_log', 'dt_bias', 'a_proj.weight']],
    ['kda', { head_dim: 4 }, ['f_proj.1.weight', 'g_proj.1.bias', 'dt_bias']],
    ['hgrn', { expand_ratio: 2, use_short_conv: true }, ['g_norm.weight', 'i_conv1d.weight']],
  ])('%s %o has the official names', (format, config, names) => {
    const model = modelFor(format, { hidden_size: 32, ...config });
    expect([...traceModel(model).parameters.keys()]).toEqual(expect.arrayContaining(names));
  });

  it.each([
    ['gla', { feature_map: 'relu' }, /feature_map/],
    ['fla-linear-attention', { feature_map: 'hedgehog' }, /feature_map.*hedgehog/],
    ['fla-linear-attention', {}, /feature_map/],
    ['delta-net', { qk_norm: 'l1' }, /qk_norm/],
    ['kda', { head_dims: 4 }, /head_dim/],
  ])('%s refuses %o', (format, config, message) => {
    expect(() => modelFor(format, { hidden_size: 32, ...config })).toThrow(message);
  });

  it('refuses heads that do not divide', () => {
    expect(() => layers.gla({ features: 8, heads: 3, keys: 2, values: 2, keyHeads: 2 })).toThrow(
      ArgumentError,
    );
    expect(() => layers.deltaNet({ features: 8, heads: 3 })).toThrow(ArgumentError);
    expect(() => layers.gatedDeltaNet({ features: 8, heads: 2, valueHeads: 3 })).toThrow(
      /divisor of the value heads 3/,
    );
    expect(() => layers.flaRetention({ features: 6, heads: 2 })).toThrow(/even/);
  });

  const noise = (frames: number, width: number, seed: number): Float32Array => {
    const source = random(seed);
    return Float32Array.from({ length: frames * width }, () => source.normal());
  };

  it('fla retention after 10^8 frames is a fresh stream fed the last of them', () => {
    const model = layers.flaRetention({ features: 8, heads: 2 });
    const parameters = initialise(model, 5);
    const [old, fresh] = [compile(model, parameters), compile(model, parameters)];
    old.push(noise(3000, 8, 6));
    old.restore(atFrame(old.snapshot(), 1e8));
    const input = noise(1200, 8, 7);
    const [late, early] = [old.push(input), fresh.push(input)];
    expect(relativeError(late.subarray(-800), early.subarray(-800))).toBeLessThan(1e-4);
    expect(relativeError(late.subarray(0, 80), early.subarray(0, 80))).toBeGreaterThan(1e-2);
  });

  it.each([
    ['all', false, 0],
    ['half', true, 1e-2],
  ])('the delta rule writes over what stood under a key: %s of it', (_what, beta, least) => {
    // β is 1, or σ(0). Query and key are the same: with β = 1 the value comes back, whatever was there before.
    const model = layers.deltaNet({ features: 4, heads: 1, taps: 0, beta, activation: 'identity' });
    const eye = Float64Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
    const parameters = new Map([
      ...['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((name) => [`${name}.weight`, eye] as const),
      ['o_norm.weight', new Float64Array(4).fill(1)] as const,
      ...(beta ? [['b_proj.weight', new Float64Array(4)] as const] : []),
    ]);
    const last = (...first: readonly number[]): Float64Array =>
      evaluate(model, parameters, { input: Float64Array.of(...first, 1, 2, 3, 4) })['output']!.subarray(-4);
    const difference = relativeError(last(4, -1, 0, 3), last(1, 1, 1, 1));
    expect(difference).toBeGreaterThanOrEqual(least);
    if (!beta) expect(difference).toBeLessThan(1e-5);
  });
});
