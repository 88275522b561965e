import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';
import { spectralMamba } from '../spectral-mamba.ts';

/**
 * | key | |
 * | --- | --- |
 * | `sample_rate` | Hz; 16,000 |
 * | `window`, `hop` | samples of a spectrum, and from one to the next; 256, half a window |
 * | `d_model`, `n_layer`, `d_inner`, `d_state` | of the blocks; 16 states |
 * | `cutoff` | Hz of a high-pass in front; none |
 * | `keep` | share of the noisy spectrum that stays; 0 |
 * | `taps` | spectra that are filtered into one; 1 |
 */
export const spectralMambaFormat: ModelFormat = {
  name: 'spectral-mamba',
  description: 'a speech denoiser of Mamba blocks on short-time spectra',
  source: 'statewave',
  build(config) {
    const read = new ConfigReader('spectral-mamba', config);
    const window = read.integer('window', { least: 4, otherwise: 256, even: true });
    const options = {
      sampleRate: read.positive('sample_rate') ?? 16_000,
      window,
      hop: read.integer('hop', { least: 1, otherwise: window / 2 }),
      features: read.integer('d_model', { least: 1 }),
      layers: read.integer('n_layer', { least: 1 }),
      inner: read.integer('d_inner', { least: 1 }),
      states: read.integer('d_state', { least: 1, otherwise: 16 }),
      cutoff: read.positive('cutoff'),
      keep: read.positive('keep'),
      taps: read.integer('taps', { least: 1, otherwise: 1 }),
    };
    read.done();
    return spectralMamba(options);
  },
};
