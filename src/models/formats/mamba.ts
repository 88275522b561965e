import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';
import { mambaLm, mambaModel, type MambaModelOptions } from '../mamba.ts';

/** The keys that transformers' `MambaConfig` writes. */
function backboneOptions(read: ConfigReader): MambaModelOptions {
  const features = read.integer('hidden_size', { least: 1 });
  const options = {
    features,
    layers: read.integer('num_hidden_layers', { least: 1 }),
    states: read.integer('state_size', { least: 1, otherwise: 16 }),
    inner: read.integer('intermediate_size', { least: 1, otherwise: 2 * features }),
    dtRank: read.integer('time_step_rank', { least: 1, otherwise: Math.ceil(features / 16) }),
    taps: read.integer('conv_kernel', { least: 1, otherwise: 4 }),
    bias: read.boolean('use_bias', false),
    convBias: read.boolean('use_conv_bias', true),
    eps: read.positive('layer_norm_epsilon') ?? 1e-5,
  };
  read.only('hidden_act', 'silu', 'the mixer gates with SiLU');
  read.ignore(
    'residual_in_fp32',
    'expand',
    'model_type',
    'architectures',
    'torch_dtype',
    'dtype',
    'use_cache',
    'use_mambapy',
  );
  return options;
}

/**
 * transformers' `MambaModel` behind its embedding: vectors in, vectors out.
 *
 * | key | |
 * | --- | --- |
 * | `hidden_size`, `num_hidden_layers` | D, blocks |
 * | `state_size`, `intermediate_size`, `time_step_rank`, `conv_kernel` | N, E, R, taps |
 * | `use_bias`, `use_conv_bias`, `layer_norm_epsilon` | |
 */
export const mambaFormat: ModelFormat = {
  name: 'mamba',
  description: 'a Mamba backbone on vectors',
  source: 'transformers MambaModel',
  build(config) {
    const read = new ConfigReader('mamba', config);
    const options = backboneOptions(read);
    read.ignore('vocab_size', 'tie_word_embeddings');
    read.done();
    return mambaModel(options);
  },
  // The embedding stands before what streams here.
  nameMap: (name) =>
    /^(backbone\.)?embeddings?\.weight$/.test(name) ? undefined : name.replace(/^backbone\./, ''),
};

/** transformers' `MambaForCausalLM`: tokens in, logits out; also `vocab_size`. */
export const mambaLmFormat: ModelFormat = {
  name: 'mamba-lm',
  description: 'a Mamba language model on tokens',
  source: 'transformers MambaForCausalLM',
  build(config, shapes) {
    const read = new ConfigReader('mamba-lm', config);
    const options = backboneOptions(read);
    const vocabulary = read.integer('vocab_size', { least: 1 });
    read.ignore('tie_word_embeddings');
    read.done();
    return mambaLm({ ...options, vocabulary, tied: shapes !== undefined && !shapes.has('lm_head.weight') });
  },
  nameMap: (name) => name.replace(/^backbone\.embedding\./, 'backbone.embeddings.'),
};
