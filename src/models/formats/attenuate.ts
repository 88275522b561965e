import { attenuate } from '../attenuate.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';

/**
 * | key | |
 * | --- | --- |
 * | `in_channels` | channels of the waveform; 1 |
 * | `channels`, `resample_factors` | of each level; those of the published weights |
 * | `num_coeffs`, `repeat` | their product is the number of modes of every SSM; 16 and 16 |
 * | `pre_conv` | a depthwise convolution before every SSM; true |
 */
export const attenuateFormat: ModelFormat = {
  name: 'attenuate',
  description: 'aTENNuate, a speech denoiser on raw waveforms at 16 kHz',
  source: 'Brainchip-Inc/aTENNuate attenuate/model.py',
  build(config) {
    const read = new ConfigReader('attenuate', config);
    const repeat = read.integer('repeat', { least: 1, otherwise: 16 });
    const options = {
      inChannels: read.integer('in_channels', { least: 1, otherwise: 1 }),
      channels: read.integers('channels', [16, 32, 64, 96, 128, 256]),
      resampleFactors: read.integers('resample_factors', [4, 4, 2, 2, 2, 2]),
      modes: read.integer('num_coeffs', { least: 1, otherwise: 16 }) * repeat,
      repeat,
      preConv: read.boolean('pre_conv', true),
    };
    read.done();
    return attenuate(options);
  },
};
