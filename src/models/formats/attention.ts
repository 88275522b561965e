import { attention } from '../../layers/attention.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';

/**
 * | key | |
 * | --- | --- |
 * | `embed_dim` | features |
 * | `num_heads` | heads, a divisor of them |
 * | `window` | frames that each frame attends to, itself included |
 * | `bias` | biases of the projections; true |
 */
export const attentionFormat: ModelFormat = {
  name: 'attention',
  description: 'causal multi-head self-attention over a sliding window',
  source: 'torch.nn.MultiheadAttention',
  build(config) {
    const read = new ConfigReader('attention', config);
    const features = read.integer('embed_dim', { least: 1 });
    const heads = read.integer('num_heads', { least: 1 });
    const window = read.integer('window', { least: 1 });
    const bias = read.boolean('bias', true);
    read.ignore('dropout', 'batch_first');
    for (const key of ['add_bias_kv', 'add_zero_attn'])
      read.only(key, false, 'a stream attends to its own frames alone');
    for (const key of ['kdim', 'vdim']) read.only(key, null, 'keys and values come from the input itself');
    read.done();
    return attention({ features, heads, window, bias });
  },
};
