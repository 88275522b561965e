import { retention } from '../../layers/retention.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';

/**
 * The keys are the arguments of the official `MultiScaleRetention`: `embed_dim`, `value_dim`, `num_heads`,
 * `recurrent_chunk_size`, `eps` (1e-6), and of our own `form`: `recurrent` (default), `parallel` or `chunkwise`.
 */
export const retnetFormat: ModelFormat = {
  name: 'retnet',
  description: 'multi-scale retention, the layer of RetNet',
  source: 'microsoft/torchscale torchscale/component/multiscale_retention.py MultiScaleRetention',
  build(config) {
    const read = new ConfigReader('retnet', config);
    const features = read.integer('embed_dim', { least: 2 });
    const values = read.integer('value_dim', { least: 1, otherwise: 2 * features });
    const heads = read.integer('num_heads', { least: 1 });
    const chunk = read.integer('recurrent_chunk_size', { least: 1, otherwise: 512 });
    const form = read.choice(
      'form',
      { recurrent: 'recurrent', parallel: 'parallel', chunkwise: { chunk } } as const,
      'recurrent',
    );
    const eps = read.positive('eps') ?? 1e-6;
    read.only('gate_fn', 'swish', 'the gate is SiLU');
    read.done();
    return retention({ features, heads, values, form, eps });
  },
};
