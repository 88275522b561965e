import { rgLru } from '../../layers/rg-lru.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';

/** The keys are those of RecurrentGemma's configuration: `lru_width`, `num_heads`, `w_init_variance_scale` (0.01). */
export const rgLruFormat: ModelFormat = {
  name: 'rg-lru',
  description: 'RG-LRU, the gated recurrence of Griffin and RecurrentGemma',
  source: 'transformers models/recurrent_gemma RecurrentGemmaRglru',
  build(config) {
    const read = new ConfigReader('rg-lru', config);
    const features = read.integer('lru_width', { least: 1 });
    const heads = read.integer('num_heads', { least: 1 });
    const gateVariance = read.positive('w_init_variance_scale') ?? 0.01;
    read.done();
    return rgLru({ features, heads, gateVariance });
  },
};
