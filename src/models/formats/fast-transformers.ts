/** Attention layers of idiap/fast-transformers; the keys are the arguments of the official classes. */
import { linearTransformer, type LinearTransformerOptions } from '../../layers/linear-transformer.ts';
import { performer } from '../../layers/performer.ts';
import { ConfigReader } from '../config.ts';
import type { ModelFormat } from '../format.ts';

/** `d_model`, `n_heads`, `d_keys`, `d_values`, `eps` (1e-6). */
function common(read: ConfigReader): LinearTransformerOptions & { readonly keys: number } {
  const features = read.integer('d_model', { least: 1 });
  const heads = read.integer('n_heads', { least: 1 });
  const width = Math.floor(features / heads);
  const keys = read.integer('d_keys', { least: 1, otherwise: width });
  const values = read.integer('d_values', { least: 1, otherwise: width });
  return { features, heads, keys, values, eps: read.positive('eps') ?? 1e-6 };
}

export const linearTransformerFormat: ModelFormat = {
  name: 'linear-transformer',
  description: 'attention of the Linear Transformer (elu + 1, normalised)',
  source: 'idiap/fast-transformers AttentionLayer(CausalLinearAttention())',
  build(config) {
    const read = new ConfigReader('linear-transformer', config);
    const options = common(read);
    read.done();
    return linearTransformer(options);
  },
};

/** Beyond the common keys: `n_dims` (d_keys), `softmax_temp` (1/√d_keys). */
export const performerFormat: ModelFormat = {
  name: 'performer',
  description: 'attention of the Performer (FAVOR+, positive random features)',
  source: 'idiap/fast-transformers AttentionLayer(CausalLinearAttention(Favor))',
  build(config) {
    const read = new ConfigReader('performer', config);
    const options = common(read);
    const randomFeatures = read.integer('n_dims', { least: 2, even: true, otherwise: options.keys });
    const temperature = read.positive('softmax_temp') ?? options.keys ** -0.5;
    read.ignore('orthogonal', 'stabilize', 'query_dimensions');
    read.done();
    return performer({ ...options, randomFeatures, temperature });
  },
};
