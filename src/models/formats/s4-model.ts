import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';
import { s4Model } from '../s4-model.ts';

/**
 * | key | |
 * | --- | --- |
 * | `d_input`, `d_output` | numbers of an input frame and of the answer |
 * | `d_model`, `n_layers` | width and number of the blocks |
 * | `d_state` | states a channel, even; 64 |
 * | `prenorm` | the norm before each layer; false |
 * | `norm` | `layer` (default), or `none` |
 * | `average_input` | each layer hears the mean of this frame and the one before; false |
 * | `pool` | `mean` over all frames so far (default), or `none` |
 * | `discretization` | `zoh`, or another by name |
 * | `bandlimit` | of `s4d`, as in `s4.py`; none |
 * | `sample_rate` | Hz that the weights are for |
 * | `dt_min`, `dt_max` | range of the initial time steps |
 */
export const s4ModelFormat: ModelFormat = {
  name: 's4-model',
  description: 'a stack of S4D layers between an encoder and a decoder',
  source: 'state-spaces/s4 example.py S4Model',
  build(config) {
    const read = new ConfigReader('s4-model', config);
    const [min, max] = [read.positive('dt_min'), read.positive('dt_max')];
    const options = {
      inputs: read.integer('d_input', { least: 1 }),
      outputs: read.integer('d_output', { least: 1 }),
      features: read.integer('d_model', { least: 1 }),
      layers: read.integer('n_layers', { least: 1 }),
      states: read.integer('d_state', { least: 2, even: true, otherwise: 64 }),
      preNorm: read.boolean('prenorm', false),
      norm: read.choice('norm', { layer: 'layer', none: 'none' } as const, 'layer'),
      averageInput: read.boolean('average_input', false),
      pool: read.choice('pool', { mean: 'mean', none: 'none' } as const, 'mean'),
      discretization: read.discretization('discretization', 'zoh'),
      bandLimit: read.positive('bandlimit'),
      sampleRate: read.positive('sample_rate'),
      dt: { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) },
    };
    read.ignore('dropout', 'lr');
    read.done();
    return s4Model(options);
  },
};
