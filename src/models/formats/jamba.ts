import { ArgumentError } from '../../errors.ts';
import { ConfigReader } from '../config.ts';
import type { Config, ModelFormat } from '../format.ts';
import { jamba } from '../jamba.ts';

/**
 * transformers' `JambaModel` behind its embedding, without experts: vectors in, vectors out. The keys are those of
 * `JambaConfig`; `sliding_window` has to be given, since attention to the whole past does not stream.
 *
 * | key | |
 * | --- | --- |
 * | `hidden_size`, `num_hidden_layers`, `intermediate_size` | D, layers, F |
 * | `num_attention_heads`, `num_key_value_heads`, `sliding_window` | heads, their groups, W |
 * | `attn_layer_period`, `attn_layer_offset` | 8, 4: which layers attend |
 * | `mamba_d_state`, `mamba_d_conv`, `mamba_expand`, `mamba_dt_rank` | 16, 4, 2, D/16 |
 * | `mamba_conv_bias`, `mamba_proj_bias`, `rms_norm_eps` | true, false, 1e-6 |
 */
export const jambaFormat: ModelFormat = {
  name: 'jamba',
  description: 'a Jamba backbone on vectors: Mamba and attention in turn, without experts',
  source: 'transformers JambaModel',
  build(config) {
    const read = new ConfigReader('jamba', config);
    const features = read.integer('hidden_size', { least: 1 });
    const heads = read.integer('num_attention_heads', { least: 1 });
    const attention = {
      heads,
      groups: read.integer('num_key_value_heads', { least: 1, otherwise: heads }),
      period: read.integer('attn_layer_period', { least: 1, otherwise: 8 }),
      offset: read.integer('attn_layer_offset', { least: 0, otherwise: 4 }),
      window: windowOf(read, config),
    };
    const mamba = {
      states: read.integer('mamba_d_state', { least: 1, otherwise: 16 }),
      taps: read.integer('mamba_d_conv', { least: 1, otherwise: 4 }),
      expand: read.integer('mamba_expand', { least: 1, otherwise: 2 }),
      dtRank:
        config['mamba_dt_rank'] === 'auto'
          ? Math.ceil(features / 16)
          : read.integer('mamba_dt_rank', { least: 1, otherwise: Math.ceil(features / 16) }),
      bias: read.boolean('mamba_proj_bias', false),
      convBias: read.boolean('mamba_conv_bias', true),
    };
    const layers = read.integer('num_hidden_layers', { least: 1 });
    const feedForward = read.integer('intermediate_size', { least: 1 });
    const eps = read.positive('rms_norm_eps') ?? 1e-6;
    read.only('hidden_act', 'silu', 'the feed-forward part gates with SiLU');
    read.only('num_experts', 1, 'mixtures of experts are not supported');
    read.ignore('mamba_dt_rank', 'num_experts_per_tok', 'expert_layer_period', 'expert_layer_offset');
    read.ignore('vocab_size', 'tie_word_embeddings', 'max_position_embeddings', 'attention_dropout');
    read.ignore('use_cache', 'use_mamba_kernels', 'output_router_logits', 'router_aux_loss_coef');
    read.ignore(
      'num_logits_to_keep',
      'initializer_range',
      'model_type',
      'architectures',
      'torch_dtype',
      'dtype',
    );
    read.ignore('pad_token_id', 'bos_token_id', 'eos_token_id', 'transformers_version');
    read.done();
    return jamba({ features, layers, attention, mamba, feedForward, eps });
  },
  // The embedding and the read-out stand before and behind what streams here.
  nameMap: (name) =>
    /^(model\.embed_tokens|embed_tokens|lm_head)\.weight$/.test(name)
      ? undefined
      : name.replace(/^model\./, ''),
};

/** The official configuration mostly has none, and then the cure needs saying. */
function windowOf(read: ConfigReader, config: Config): number {
  if (config['sliding_window'] === undefined || config['sliding_window'] === null) {
    throw new ArgumentError(
      'jamba: config has no "sliding_window": attention to the whole past needs memory that grows for ever; ' +
        'give the frames to attend to (--config \'{"sliding_window": 512, …}\'), for sequences of known length that length',
    );
  }
  return read.integer('sliding_window', { least: 1 });
}
