import { ArgumentError } from '../../errors.ts';
import { mamba2, type Mamba2Options } from '../../layers/mamba2.ts';
import { ConfigReader } from '../config.ts';
import type { Config, ModelFormat } from '../format.ts';
import { mamba2Model } from '../mamba2.ts';
import { withoutLanguage } from './backbone-names.ts';

/**
 * The keys are those of transformers' `Mamba2Config`: `hidden_size`, `num_hidden_layers`, `state_size` (128), `expand`
 * (2), `head_dim` (64), `n_groups` (8), `conv_kernel` (4), `time_step_limit`, `use_bias`, `use_conv_bias`,
 * `layer_norm_epsilon`, and of our own `norm_groups`: the groups that the gated norm takes apart, `n_groups` unless
 * said otherwise, since that is how the official code trains. transformers 4 and 5 take them all as one, which differs
 * where `n_groups` is above 1: for weights trained there say 1.
 */
export const mamba2Format: ModelFormat = {
  name: 'mamba2',
  description: 'the Mamba-2 backbone, without its embedding and read-out',
  source: 'transformers Mamba2Model; state-spaces/mamba MixerModel',
  nameMap: withoutLanguage,
  build(config) {
    const read = new ConfigReader('mamba2', config);
    const features = read.integer('hidden_size', { least: 1 });
    const inner = read.integer('expand', { least: 1, otherwise: 2 }) * features;
    const headWidth = read.integer('head_dim', { least: 1, otherwise: 64 });
    const heads = read.integer('num_heads', { least: 1, otherwise: inner / headWidth });
    if (heads * headWidth !== inner) {
      throw new ArgumentError(
        `mamba2: config "num_heads" is ${heads}; ${heads} heads of "head_dim" ${headWidth} are not "expand" × ` +
          `"hidden_size" = ${inner}; give numbers that agree`,
      );
    }
    const groups = read.integer('n_groups', { least: 1, otherwise: 8 });
    const options = {
      features,
      inner,
      headWidth,
      groups,
      layers: read.integer('num_hidden_layers', { least: 1, otherwise: 64 }),
      states: read.integer('state_size', { least: 1, otherwise: 128 }),
      taps: read.integer('conv_kernel', { least: 1, otherwise: 4 }),
      bias: read.boolean('use_bias', false),
      convBias: read.boolean('use_conv_bias', true),
      eps: read.positive('layer_norm_epsilon') ?? 1e-5,
      dtLimit: limitOf(read, config, 'time_step_limit'),
      normGroups: read.integer('norm_groups', { least: 1, otherwise: groups }),
      ...rangeOf(read, 'time_step_min', 'time_step_max'),
    };
    read.only('hidden_act', 'silu', 'the activation is SiLU');
    read.only('rms_norm', true, 'the gated norm is part of the layer');
    read.ignore('chunk_size', 'residual_in_fp32', 'time_step_rank', 'time_step_floor', 'initializer_range');
    read.ignore('rescale_prenorm_residual', 'use_cache', 'vocab_size', 'tie_word_embeddings', 'model_type');
    read.ignore('architectures', 'torch_dtype', 'dtype', 'transformers_version');
    read.ignore('pad_token_id', 'bos_token_id', 'eos_token_id');
    read.only('norm_before_gate', false, 'the norm comes behind the gate');
    read.done();
    return mamba2Model(options);
  },
};

/**
 * The keys are those of the official `Mamba2`: `d_model`, `d_state` (128), `d_conv` (4), `expand` (2), `headdim` (64),
 * `ngroups` (1), `bias`, `conv_bias`, `dt_min`, `dt_max`, `dt_limit`, and of our own `norm_groups`.
 */
export const mamba2BlockFormat: ModelFormat = {
  name: 'mamba2-block',
  description: 'one Mamba-2 mixer, without norm and residual',
  source: 'state-spaces/mamba mamba_ssm/modules/mamba2.py Mamba2',
  build(config) {
    const read = new ConfigReader('mamba2-block', config);
    const features = read.integer('d_model', { least: 1 });
    const groups = read.integer('ngroups', { least: 1, otherwise: 1 });
    const options: Mamba2Options = {
      features,
      groups,
      states: read.integer('d_state', { least: 1, otherwise: 128 }),
      taps: read.integer('d_conv', { least: 1, otherwise: 4 }),
      inner: read.integer('expand', { least: 1, otherwise: 2 }) * features,
      headWidth: read.integer('headdim', { least: 1, otherwise: 64 }),
      bias: read.boolean('bias', false),
      convBias: read.boolean('conv_bias', true),
      dtLimit: limitOf(read, config, 'dt_limit'),
      normGroups: read.integer('norm_groups', { least: 1, otherwise: groups }),
      ...rangeOf(read, 'dt_min', 'dt_max'),
    };
    read.only('rmsnorm', true, 'the gated norm is part of the layer');
    read.only('norm_before_gate', false, 'the norm comes behind the gate');
    read.only('D_has_hdim', false, 'D is one number a head');
    read.only('d_ssm', null, 'all of the inner channels go through the scan');
    read.ignore('conv_init', 'A_init_range', 'dt_init_floor', 'chunk_size', 'use_mem_eff_path', 'layer_idx');
    read.done();
    return mamba2(options);
  },
};

const rangeOf = (read: ConfigReader, low: string, high: string): Pick<Mamba2Options, 'dt'> => {
  const [min, max] = [read.positive(low), read.positive(high)];
  return { dt: { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) } };
};

/** [low, high] of dt; JSON has no infinity, so null or the text "inf" stand for it at the upper end. */
function limitOf(read: ConfigReader, config: Config, key: string): readonly [number, number] {
  read.ignore(key);
  const value = config[key] ?? [0, Infinity];
  const [low, high] = Array.isArray(value) && value.length === 2 ? (value as unknown[]) : [];
  const upper = high === null || high === 'inf' || high === 'Infinity' ? Infinity : high;
  if (typeof low !== 'number' || typeof upper !== 'number' || !(low >= 0 && low <= upper)) {
    throw new ArgumentError(
      `config "${key}" is ${JSON.stringify(value)}; give [low, high] with 0 ≤ low ≤ high, null for no upper limit`,
    );
  }
  return [low, upper];
}
