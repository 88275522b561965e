import { rwkv6 } from '../../layers/rwkv6.ts';
import { rwkv7 } from '../../layers/rwkv7.ts';
import { ConfigReader } from '../config.ts';
import type { Config, ModelFormat } from '../format.ts';
import { rwkv4Lm, rwkv4Model, type Rwkv4ModelOptions } from '../rwkv4.ts';

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
    const features = read.integer('hidden_size', { least: 1 });
    const options = {
      features,
      heads: read.integer('num_heads', { least: 1, otherwise: 4 }),
      keyFeatures: Math.trunc(features * (read.positive('expand_k') ?? 0.5)),
      valueFeatures: Math.trunc(features * (read.positive('expand_v') ?? 1)),
      mixRank: read.integer('proj_low_rank_dim', { least: 1, otherwise: 32 }),
      decayRank: read.integer('gate_low_rank_dim', { least: 1, otherwise: 64 }),
      eps: read.positive('norm_eps') ?? 1e-5,
    };
    read.only('gate_fn', 'swish', 'the gate is SiLU');
    read.only('elementwise_affine', true, 'the norm has a weight and a bias');
    read.ignore('mode', 'fuse_norm', 'layer_idx');
    read.done();
    return rwkv6(options);
  },
};

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
    const features = read.integer('hidden_size', { least: 1 });
    const heads = optional(read, config, 'num_heads');
    // The official code looks at the heads only where the head's width is null; a config says one or the other.
    const width = optional(read, config, 'head_dim');
    const ranks = {
      decay: optional(read, config, 'decay_low_rank_dim'),
      a: optional(read, config, 'a_low_rank_dim'),
      gate: optional(read, config, 'gate_low_rank_dim'),
    };
    const options = {
      features,
      headFeatures: width ?? (heads === undefined ? 64 : features / heads),
      valueFeatures: optional(read, config, 'value_dim'),
      layers: read.integer('num_hidden_layers', { least: 1, otherwise: 1 }),
      eps: read.positive('norm_eps') ?? 1e-5,
      ranks: Object.fromEntries(Object.entries(ranks).filter(([, rank]) => rank !== undefined)),
    };
    read.only('layer_idx', 0, 'a later layer mixes in the values of the first; build the stack in code');
    read.only('elementwise_affine', true, 'the norm has a weight and a bias');
    read.ignore('mode', 'fuse_norm', 'v_low_rank_dim');
    read.done();
    return rwkv7(options);
  },
};
