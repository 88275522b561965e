import { heavyTail, mamba3 } from '../../layers/mamba3.ts';
import { softplus } from '../../ops/index.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';
import { mamba3Model } from '../mamba3.ts';
import { withoutLanguage } from './backbone-names.ts';

/**
 * The keys are those of the official `Mamba3`: `d_model`, `d_state` (128), `expand` (2), `headdim` (64), `ngroups` (1),
 * `rope_fraction` (0.5), `is_outproj_norm`, `A_floor`, `dt_min`, `dt_max`; and of our own `n_layer` (a whole backbone
 * of so many blocks; without it the mixer alone), `A_activation` (`heavy_tail`; `softplus` for weights of the code's
 * first release, March 2026) and `sample_rate` (Hz). MIMO is refused.
 */
export const mamba3Format: ModelFormat = {
  name: 'mamba3',
  description: 'the Mamba-3 (SISO) mixer, or a backbone of them',
  source: 'state-spaces/mamba mamba_ssm/modules/mamba3.py Mamba3',
  nameMap: withoutLanguage,
  build(config) {
    const read = new ConfigReader('mamba3', config);
    const features = read.integer('d_model', { least: 1 });
    const layers = read.integer('n_layer', { least: 0, otherwise: 0 });
    const [min, max] = [read.positive('dt_min'), read.positive('dt_max')];
    const options = {
      features,
      states: read.integer('d_state', { least: 2, otherwise: 128 }),
      inner: read.integer('expand', { least: 1, otherwise: 2 }) * features,
      headWidth: read.integer('headdim', { least: 1, otherwise: 64 }),
      groups: read.integer('ngroups', { least: 1, otherwise: 1 }),
      rotary: read.positive('rope_fraction') ?? 0.5,
      norm: read.boolean('is_outproj_norm', false),
      decay: read.choice('A_activation', { heavy_tail: heavyTail, softplus }, 'heavy_tail'),
      decayFloor: read.positive('A_floor') ?? 1e-4,
      dt: { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) },
      sampleRate: read.positive('sample_rate'),
    };
    read.only('is_mimo', false, 'only the SISO form is here');
    read.ignore('mimo_rank', 'dt_init_floor', 'chunk_size', 'dropout', 'layer_idx');
    read.done();
    return layers === 0 ? mamba3(options) : mamba3Model({ ...options, layers });
  },
};
