import { ArgumentError } from '../../errors.ts';
import { rwkv6, type Rwkv6Options } from '../../layers/rwkv6.ts';
import { rwkv7, type Rwkv7Options } from '../../layers/rwkv7.ts';
import { ConfigReader } from '../config.ts';
import type { Config, ModelFormat } from '../format.ts';
import { rwkvHidden } from '../rwkv-stack.ts';
import { rwkv4Lm, rwkv4Model, type Rwkv4ModelOptions } from '../rwkv4.ts';
import { rwkv6Lm } from '../rwkv6.ts';
import { rwkv7Lm } from '../rwkv7.ts';

/** A whole number, or undefined where the key is absent or null. */
function optional(read: ConfigReader, config: Config, key: string): number | undefined {
  if ((config[key] ?? undefined) !== undefined) return read.integer(key, { least: 1 });
  read.ignore(key);
  return undefined;
}

/** The keys that transformers' `RwkvConfig` writes. */
function rwkv4Options(read: ConfigReader, config: Config): Rwkv4ModelOptions {
  const options = {
    features: read.integer('hidden_size', { least: 1 }),
    layers: read.integer('num_hidden_layers', { least: 1 }),
    attention: optional(read, config, 'attention_hidden_size'),
    hidden: optional(read, config, 'intermediate_size'),
    eps: read.positive('layer_norm_epsilon') ?? 1e-5,
  };
  read.ignore('rescale_every', 'context_length', 'use_cache', 'bos_token_id', 'eos_token_id');
  read.ignore('model_type', 'architectures', 'torch_dtype', 'dtype', 'transformers_version');
  return options;
}

/** transformers' name of a tensor under RWKV-LM's own (`emb`, `att`, `ffn`, `ln0`, `time_mix_k`). */
function transformersName(name: string): string {
  if (name.startsWith('rwkv.') || name === 'head.weight') return name;
  return `rwkv.${name}`
    .replace(/^rwkv\.emb\./, 'rwkv.embeddings.')
    .replace(/^(rwkv\.blocks\.\d+)\.ln0\./, '$1.pre_ln.')
    .replace(/^(rwkv\.blocks\.\d+)\.att\./, '$1.attention.')
    .replace(/^(rwkv\.blocks\.\d+)\.ffn\./, '$1.feed_forward.')
    .replace(/\.time_mix_k$/, '.time_mix_key')
    .replace(/\.time_mix_v$/, '.time_mix_value')
    .replace(/\.time_mix_r$/, '.time_mix_receptance');
}

/**
 * transformers' `RwkvModel` behind its embedding, or RWKV-LM's v4: vectors in, vectors out.
 *
 * | key | |
 * | --- | --- |
 * | `hidden_size`, `num_hidden_layers` | C, blocks |
 * | `attention_hidden_size`, `intermediate_size` | A (C), F (4 C) |
 * | `layer_norm_epsilon` | 1e-5 |
 */
export const rwkv4Format: ModelFormat = {
  name: 'rwkv4',
  description: 'an RWKV-4 stack on vectors',
  source: 'transformers RwkvModel',
  build(config) {
    const read = new ConfigReader('rwkv4', config);
    const options = rwkv4Options(read, config);
    read.ignore('vocab_size', 'tie_word_embeddings');
    read.done();
    return rwkv4Model(options);
  },
  // Embedding and head stand before and behind what streams here.
  nameMap(name) {
    const full = transformersName(name);
    return full === 'rwkv.embeddings.weight' || full === 'head.weight'
      ? undefined
      : full.slice('rwkv.'.length);
  },
};

/** transformers' `RwkvForCausalLM`, or RWKV-LM's v4: tokens in, logits out; also `vocab_size`. */
export const rwkv4LmFormat: ModelFormat = {
  name: 'rwkv4-lm',
  description: 'an RWKV-4 language model on tokens',
  source: 'transformers RwkvForCausalLM',
  build(config) {
    const read = new ConfigReader('rwkv4-lm', config);
    const options = rwkv4Options(read, config);
    const vocabulary = read.integer('vocab_size', { least: 1 });
    read.only('tie_word_embeddings', false, 'the head is a parameter of its own');
    read.done();
    return rwkv4Lm({ ...options, vocabulary });
  },
  nameMap: transformersName,
};

/** The keys of `RWKV6Attention` and of `RWKV6Config` alike. */
function rwkv6Options(read: ConfigReader): Rwkv6Options & { readonly eps: number } {
  const features = read.integer('hidden_size', { least: 1 });
  return {
    features,
    heads: read.integer('num_heads', { least: 1, otherwise: 4 }),
    keyFeatures: Math.trunc(features * (read.positive('expand_k') ?? 0.5)),
    valueFeatures: Math.trunc(features * (read.positive('expand_v') ?? 1)),
    mixRank: read.integer('proj_low_rank_dim', { least: 1, otherwise: 32 }),
    decayRank: read.integer('gate_low_rank_dim', { least: 1, otherwise: 64 }),
    eps: read.positive('norm_eps') ?? 1e-5,
  };
}

/**
 * flash-linear-attention's `RWKV6Attention`.
 *
 * | key | |
 * | --- | --- |
 * | `hidden_size`, `num_heads`, `expand_k`, `expand_v` | C, H (4), HK/C (0.5), HV/C (1) |
 * | `proj_low_rank_dim`, `gate_low_rank_dim` | ranks of the mixing (32) and of the decay (64) |
 * | `norm_eps` | 1e-5 |
 */
export const rwkv6Format: ModelFormat = {
  name: 'rwkv6',
  description: 'the time mixing of RWKV-6 (Finch)',
  source: 'fla-org/flash-linear-attention fla/layers/rwkv6.py RWKV6Attention',
  build(config) {
    const read = new ConfigReader('rwkv6', config);
    const options = rwkv6Options(read);
    read.only('gate_fn', 'swish', 'the gate is SiLU');
    read.only('elementwise_affine', true, 'the norm has a weight and a bias');
    read.ignore('mode', 'fuse_norm', 'layer_idx');
    read.done();
    return rwkv6(options);
  },
};

/** The keys of `RWKV7Attention` and of `RWKV7Config` alike. */
function rwkv7Options(read: ConfigReader, config: Config): Rwkv7Options & { readonly eps: number } {
  const features = read.integer('hidden_size', { least: 1 });
  const heads = optional(read, config, 'num_heads');
  // The official code looks at the number of heads only where their width is null.
  const width = optional(read, config, 'head_dim');
  const ranks = {
    decay: optional(read, config, 'decay_low_rank_dim'),
    a: optional(read, config, 'a_low_rank_dim'),
    value: optional(read, config, 'v_low_rank_dim'),
    gate: optional(read, config, 'gate_low_rank_dim'),
  };
  return {
    features,
    headFeatures: config['head_dim'] === null && heads !== undefined ? features / heads : (width ?? 64),
    valueFeatures: valueWidth(read, config),
    eps: read.positive('norm_eps') ?? 1e-5,
    ranks: Object.fromEntries(Object.entries(ranks).filter(([, rank]) => rank !== undefined)),
  };
}

/** `value_dim`: a number, or a list of one a layer, all the same since every layer mixes in the first one's values. */
function valueWidth(read: ConfigReader, config: Config): number | undefined {
  if (!Array.isArray(config['value_dim'])) return optional(read, config, 'value_dim');
  const [first, ...others] = read.integers('value_dim');
  const other = others.find((width) => width !== first);
  if (other === undefined) return first;
  throw new ArgumentError(
    `rwkv7: config "value_dim" has both ${first} and ${other}; every layer mixes in the values of the first, so ` +
      'give one width',
  );
}

/**
 * flash-linear-attention's `RWKV7Attention`, the first layer of a stack.
 *
 * | key | |
 * | --- | --- |
 * | `hidden_size`, `head_dim` or `num_heads`, `value_dim` | C, K (64) or H, HV (C) |
 * | `decay_low_rank_dim`, `a_low_rank_dim`, `gate_low_rank_dim` | by default multiples of 32 that grow with √C |
 * | `norm_eps` | 1e-5 |
 * | `num_hidden_layers` | initial values alone follow it |
 */
export const rwkv7Format: ModelFormat = {
  name: 'rwkv7',
  description: 'the time mixing of RWKV-7 (Goose), first layer',
  source: 'fla-org/flash-linear-attention fla/layers/rwkv7.py RWKV7Attention',
  build(config) {
    const read = new ConfigReader('rwkv7', config);
    const options = rwkv7Options(read, config);
    const layers = read.integer('num_hidden_layers', { least: 1, otherwise: 1 });
    read.only(
      'layer_idx',
      0,
      'a later layer mixes in the values of the first; load the whole stack as rwkv7-lm',
    );
    read.only('elementwise_affine', true, 'the norm has a weight and a bias');
    read.ignore('mode', 'fuse_norm');
    read.done();
    return rwkv7({ ...options, layers });
  },
};

/** The keys of `RWKV6Config` and `RWKV7Config` beyond those of the layer. */
function languageOptions(
  read: ConfigReader,
  config: Config,
): { layers: number; vocabulary: number; hidden: number | undefined; preNorm: boolean } {
  const ratio = read.positive('hidden_ratio');
  const hidden = optional(read, config, 'intermediate_size');
  const features = read.integer('hidden_size', { least: 1 });
  const options = {
    layers: read.integer('num_hidden_layers', { least: 1 }),
    vocabulary: read.integer('vocab_size', { least: 1 }),
    hidden: hidden ?? (ratio === undefined ? undefined : rwkvHidden(features, ratio)),
    preNorm: read.boolean('norm_first', true),
  };
  read.only('hidden_act', 'sqrelu', 'channel mixing squares a ReLU');
  read.only('norm_bias', true, 'the norms have a bias');
  read.only('attn', null, 'hybrids with attention are not known');
  read.only('tie_word_embeddings', false, 'the head is a parameter of its own');
  read.ignore('attn_mode', 'fuse_norm', 'fuse_cross_entropy', 'fuse_linear_cross_entropy', 'use_l2warp');
  read.ignore('initializer_range', 'max_position_embeddings', 'use_cache', 'auto_map', 'model_type');
  read.ignore('architectures', 'torch_dtype', 'dtype', 'transformers_version');
  read.ignore('pad_token_id', 'bos_token_id', 'eos_token_id');
  return options;
}

/** flash-linear-attention's `RWKV6ForCausalLM`: the keys of `rwkv6`, `vocab_size`, `num_hidden_layers`, `hidden_ratio` (3.5) or `intermediate_size`, `norm_first`. */
export const rwkv6LmFormat: ModelFormat = {
  name: 'rwkv6-lm',
  description: 'an RWKV-6 language model on tokens',
  source: 'fla-org/flash-linear-attention fla/models/rwkv6 RWKV6ForCausalLM',
  build(config) {
    const read = new ConfigReader('rwkv6-lm', config);
    const options = { ...rwkv6Options(read), ...languageOptions(read, config) };
    read.done();
    return rwkv6Lm(options);
  },
};

/** flash-linear-attention's `RWKV7ForCausalLM`: the keys of `rwkv7`, `vocab_size`, `num_hidden_layers`, `hidden_ratio` (4) or `intermediate_size`, `norm_first`. */
export const rwkv7LmFormat: ModelFormat = {
  name: 'rwkv7-lm',
  description: 'an RWKV-7 language model on tokens',
  source: 'fla-org/flash-linear-attention fla/models/rwkv7 RWKV7ForCausalLM',
  build(config) {
    const read = new ConfigReader('rwkv7-lm', config);
    const options = { ...rwkv7Options(read, config), ...languageOptions(read, config) };
    read.done();
    return rwkv7Lm(options);
  },
};

/** All formats of RWKV. */
export const rwkvFormats: readonly ModelFormat[] = [
  rwkv4Format,
  rwkv4LmFormat,
  rwkv6Format,
  rwkv6LmFormat,
  rwkv7Format,
  rwkv7LmFormat,
];
