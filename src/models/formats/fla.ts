/** Layers of flash-linear-attention; the keys are the arguments of the official classes, with their defaults. */
import { deltaNet } from '../../layers/delta-net.ts';
import { flaRetention } from '../../layers/fla-retention.ts';
import { gatedDeltaNet } from '../../layers/gated-delta-net.ts';
import { gla } from '../../layers/gla.ts';
import { hgrn } from '../../layers/hgrn.ts';
import { kda } from '../../layers/kda.ts';
import { linearAttention } from '../../layers/linear-attention.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';

const source = (file: string, name: string): string =>
  `fla-org/flash-linear-attention fla/layers/${file}.py ${name}`;

/** The keys of all layers: `hidden_size` and `norm_eps`; how the official code runs is no matter of the model. */
function common(format: string, config: Readonly<Record<string, unknown>>) {
  const read = new ConfigReader(format, config);
  const features = read.integer('hidden_size', { least: 1 });
  const eps = read.positive('norm_eps') ?? 1e-5;
  read.only('elementwise_affine', true, 'the norm has a weight');
  read.ignore('mode', 'layer_idx');
  return { read, features, eps };
}

/** `use_short_conv`, `conv_size`, `conv_bias`. */
function convolutions(read: ConfigReader, otherwise: boolean): { taps: number; convBias: boolean } {
  const size = read.integer('conv_size', { least: 1, otherwise: 4 });
  const convBias = read.boolean('conv_bias', false);
  return { taps: read.boolean('use_short_conv', otherwise) ? size : 0, convBias };
}

/** Numbers in a head's keys and values, from `expand_k` and `expand_v`; what does not divide, the layer refuses. */
const widths = (
  read: ConfigReader,
  { features, heads, k, v }: { features: number; heads: number; k: number; v: number },
): { keys: number; values: number } => ({
  keys: Math.floor(features * (read.positive('expand_k') ?? k)) / heads,
  values: Math.floor(features * (read.positive('expand_v') ?? v)) / heads,
});

/** `use_output_gate`, `gate_fn`, `fuse_norm`: whether there is a gate, and what the norm is called. */
function outputGate(read: ConfigReader): { outputGate: boolean; norm: 'g_norm' | 'g_norm_swish_gate' } {
  read.only('gate_fn', 'swish', 'the gate is SiLU');
  const gate = read.boolean('use_output_gate', true);
  return { outputGate: gate, norm: read.boolean('fuse_norm', true) && gate ? 'g_norm_swish_gate' : 'g_norm' };
}

export const glaFormat: ModelFormat = {
  name: 'gla',
  description: 'Gated Linear Attention',
  source: source('gla', 'GatedLinearAttention'),
  build(config) {
    const { read, features, eps } = common('gla', config);
    const heads = read.integer('num_heads', { least: 1, otherwise: 4 });
    const keyHeads = read.integer('num_kv_heads', { least: 1, otherwise: heads });
    const gateRank = read.integer('gate_low_rank_dim', { least: 1, otherwise: 16 });
    const gateDivisor = read.positive('gate_logit_normalizer') ?? 16;
    read.only('feature_map', null, 'q and k are taken as they are');
    read.only('clamp_min', null, 'gates have no bound');
    const rest = { ...widths(read, { features, heads, k: 0.5, v: 1 }), ...outputGate(read) };
    const model = { features, heads, keyHeads, gateRank, gateDivisor, eps, ...rest };
    const short = convolutions(read, false);
    read.done();
    return gla({ ...model, ...short });
  },
};

export const flaRetentionFormat: ModelFormat = {
  name: 'fla-retention',
  description: 'multi-scale retention of flash-linear-attention',
  source: source('multiscale_retention', 'MultiScaleRetention'),
  build(config) {
    const { read, features, eps } = common('fla-retention', config);
    const heads = read.integer('num_heads', { least: 1, otherwise: 8 });
    const keyHeads = read.integer('num_kv_heads', { least: 1, otherwise: heads });
    read.only('feature_map', null, 'q and k are taken as they are');
    const rest = { ...widths(read, { features, heads, k: 1, v: 2 }), ...outputGate(read) };
    const short = convolutions(read, false);
    read.done();
    return flaRetention({ features, heads, keyHeads, eps, ...rest, ...short });
  },
};

export const flaLinearAttentionFormat: ModelFormat = {
  name: 'fla-linear-attention',
  description: 'linear attention (elu + 1), normalised or not',
  source: source('linear_attn', 'LinearAttention'),
  build(config) {
    const { read, features, eps } = common('fla-linear-attention', config);
    const heads = read.integer('num_heads', { least: 1, otherwise: 8 });
    const keyHeads = read.integer('num_kv_heads', { least: 1, otherwise: heads });
    const maps = { elu: 'elu', relu: 'relu', identity: 'identity' } as const;
    const featureMap = read.choice('feature_map', maps);
    const norm = read.choice('output_norm', { rmsnorm: eps, identity: undefined }, 'rmsnorm');
    const normalise = read.boolean('do_feature_map_norm', false);
    const sumNorm = { q: read.boolean('norm_q', false), k: read.boolean('norm_k', false) };
    const rest = widths(read, { features, heads, k: 1, v: 1 });
    read.ignore('tie_feature_map_qk');
    read.done();
    return linearAttention({ features, heads, keyHeads, featureMap, norm, normalise, sumNorm, ...rest });
  },
};

export const deltaNetFormat: ModelFormat = {
  name: 'delta-net',
  description: 'DeltaNet',
  source: source('delta_net', 'DeltaNet'),
  build(config) {
    const { read, features, eps } = common('delta-net', config);
    const heads = read.integer('num_heads', { least: 1, otherwise: 4 });
    const beta = read.boolean('use_beta', true);
    const outputGate = read.boolean('use_gate', false);
    const negativeEigenvalues = read.boolean('allow_neg_eigval', false);
    const kinds = { silu: 'silu', relu: 'relu', elu: 'elu', identity: 'identity' } as const;
    const activation = read.choice('qk_activation', kinds, 'silu');
    const norm = read.choice('qk_norm', { l2: 'l2', sum: 'sum' } as const, 'l2');
    const rest = { ...widths(read, { features, heads, k: 1, v: 1 }), ...convolutions(read, true) };
    read.done();
    const own = { beta, outputGate, negativeEigenvalues, activation, norm };
    return deltaNet({ features, heads, eps, ...own, ...rest });
  },
};

/** `num_heads`, `num_v_heads`, `head_dim` and `expand_v` of the gated delta rules. */
function gatedHeads(
  read: ConfigReader,
  otherwise: { heads: number; keys: number; expand: number },
): { heads: number; valueHeads: number; keys: number; values: number; negativeEigenvalues: boolean } {
  const heads = read.integer('num_heads', { least: 1, otherwise: otherwise.heads });
  const keys = read.integer('head_dim', { least: 1, otherwise: otherwise.keys });
  return {
    heads,
    keys,
    valueHeads: read.integer('num_v_heads', { least: 1, otherwise: heads }),
    values: Math.floor(keys * (read.positive('expand_v') ?? otherwise.expand)),
    negativeEigenvalues: read.boolean('allow_neg_eigval', false),
  };
}

export const gatedDeltaNetFormat: ModelFormat = {
  name: 'gated-delta-net',
  description: 'Gated DeltaNet',
  source: source('gated_deltanet', 'GatedDeltaNet'),
  build(config) {
    const { read, features, eps } = common('gated-delta-net', config);
    const rest = gatedHeads(read, { heads: 6, keys: 256, expand: 2 });
    const outputGate = read.boolean('use_gate', true);
    const short = convolutions(read, true);
    read.done();
    return gatedDeltaNet({ features, eps, outputGate, ...rest, ...short });
  },
};

export const kdaFormat: ModelFormat = {
  name: 'kda',
  description: 'Kimi Delta Attention',
  source: source('kda', 'KimiDeltaAttention'),
  build(config) {
    const { read, features, eps } = common('kda', config);
    const rest = gatedHeads(read, { heads: 16, keys: 128, expand: 1 });
    const short = convolutions(read, true);
    read.done();
    return kda({ features, eps, ...rest, ...short });
  },
};

export const hgrnFormat: ModelFormat = {
  name: 'hgrn',
  description: 'HGRN, without the lower bounds of a whole model',
  source: source('hgrn', 'HGRNAttention'),
  build(config) {
    const { read, features, eps } = common('hgrn', config);
    const inner = Math.floor(features * (read.positive('expand_ratio') ?? 1));
    const short = convolutions(read, false);
    read.done();
    return hgrn({ features, inner, eps, ...short });
  },
};

export const flaFormats: readonly ModelFormat[] = [
  flaRetentionFormat,
  flaLinearAttentionFormat,
  glaFormat,
  deltaNetFormat,
  gatedDeltaNetFormat,
  kdaFormat,
  hgrnFormat,
];
