import { gru } from '../../layers/gru.ts';
import { lstm } from '../../layers/lstm.ts';
import type { RecurrentOptions } from '../../layers/recurrent.ts';
import type { Layer } from '../../signal/index.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';

/**
 * The keys are torch's arguments: `input_size`, `hidden_size`, `num_layers` (1), `bias` (true), and of our own
 * `sample_rate` (Hz) and `initial_state` (parameters `h0_l0` …, false).
 */
const torchRnn = (name: string, build: (options: RecurrentOptions) => Layer): ModelFormat => ({
  name,
  description: `torch's ${name.toUpperCase()}, causal`,
  source: `torch nn.${name.toUpperCase()}`,
  build(config) {
    const read = new ConfigReader(name, config);
    const features = read.integer('input_size', { least: 1 });
    const hidden = read.integer('hidden_size', { least: 1 });
    const layers = read.integer('num_layers', { least: 1, otherwise: 1 });
    const bias = read.boolean('bias', true);
    const initialState = read.boolean('initial_state', false);
    const sampleRate = read.positive('sample_rate');
    read.only('bidirectional', false, 'its second direction needs the whole input; use a causal one');
    read.only('proj_size', 0, 'projected states are not supported; use weights without proj_size');
    read.ignore('batch_first', 'dropout');
    read.done();
    return build({
      features,
      hidden,
      layers,
      bias,
      initialState,
      ...(sampleRate === undefined ? {} : { sampleRate }),
    });
  },
});

export const lstmFormat = torchRnn('lstm', lstm);
export const gruFormat = torchRnn('gru', gru);
