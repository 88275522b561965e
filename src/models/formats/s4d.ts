import { s4d } from '../../layers/s4d.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';

/**
 * | key | |
 * | --- | --- |
 * | `d_model` | channels |
 * | `d_state` | states a channel, even; 64 |
 * | `discretization` | `zoh` (the official code's), or another by name |
 * | `sample_rate` | Hz that the weights are for |
 * | `bandlimit` | share of half a turn a frame beyond which modes are silent, as in `s4.py`; none |
 * | `average_input` | the states hear the mean of this frame and the one before; false |
 * | `dt_min`, `dt_max` | range of the initial time steps |
 */
export const s4dFormat: ModelFormat = {
  name: 's4d',
  description: 'S4D, the minimal diagonal state space layer',
  source: 'state-spaces/s4 models/s4/s4d.py S4D',
  build(config) {
    const read = new ConfigReader('s4d', config);
    const features = read.integer('d_model', { least: 1 });
    const states = read.integer('d_state', { least: 2, even: true, otherwise: 64 });
    const discretization = read.discretization('discretization', 'zoh');
    const sampleRate = read.positive('sample_rate');
    const [min, max] = [read.positive('dt_min'), read.positive('dt_max')];
    const bandLimit = read.positive('bandlimit');
    const averageInput = read.boolean('average_input', false);
    read.ignore('dropout', 'transposed', 'lr');
    read.done();
    const dt = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
    return s4d({
      features,
      states,
      discretization,
      dt,
      bandLimit,
      averageInput,
      ...(sampleRate === undefined ? {} : { sampleRate }),
    });
  },
};
