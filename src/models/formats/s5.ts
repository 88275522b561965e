import { s5 } from '../../layers/s5.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';

const readOuts = {
  trunc_standard_normal: 'truncated',
  lecun_normal: 'lecun',
  complex_normal: 'complex',
} as const;

/**
 * The keys are those of the official `S5SSM`, and of our own `sample_rate` (Hz).
 *
 * | key | |
 * | --- | --- |
 * | `H` | channels |
 * | `P` | states that are stored: half of the system's with `conj_sym` |
 * | `discretization`, or short `disc` | `zoh` (default), `bilinear`, or another by name |
 * | `conj_sym` (true), `bidirectional`, `clip_eigs` (false) | |
 * | `C_init` | `trunc_standard_normal` (default), `lecun_normal`, `complex_normal` |
 * | `blocks` (1), `dt_min`, `dt_max` | of fresh parameters |
 */
export const s5Format: ModelFormat = {
  name: 's5',
  description: 'S5, one diagonal state space system for all channels',
  source: 'lindermanlab/S5 s5/ssm.py S5SSM',
  build(config) {
    const read = new ConfigReader('s5', config);
    const features = read.integer('H', { least: 1 });
    const stored = read.integer('P', { least: 1 });
    const blocks = read.integer('blocks', { least: 1, otherwise: 1 });
    const discretization = read.discretization(
      Object.hasOwn(config, 'disc') ? 'disc' : 'discretization',
      'zoh',
    );
    const conjugates = read.boolean('conj_sym', true);
    const bidirectional = read.boolean('bidirectional', false);
    const clipEigenvalues = read.boolean('clip_eigs', false);
    const readOut = read.choice('C_init', readOuts, 'trunc_standard_normal');
    const [min, max] = [read.positive('dt_min'), read.positive('dt_max')];
    const sampleRate = read.positive('sample_rate');
    read.only('step_rescale', 1, 'a stream takes its sampleRate instead, and the model a sample_rate');
    read.done();
    return s5({
      features,
      states: conjugates ? 2 * stored : stored,
      blocks,
      discretization,
      conjugates,
      bidirectional,
      clipEigenvalues,
      readOut,
      dt: { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) },
      ...(sampleRate === undefined ? {} : { sampleRate }),
    });
  },
};
