import { normal, type Random } from '../init/index.ts';
import { rwkv6FeedForward } from '../layers/rwkv-feed-forward.ts';
import { rwkv6, type Rwkv6Options } from '../layers/rwkv6.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal, type Trace } from '../signal/index.ts';
import { rwkvHidden, rwkvLm, rwkvStack, type RwkvStackOptions } from './rwkv-stack.ts';

/** Configuration of the RWKV-6 stack; `hidden` is 3.5 C, rounded up to a multiple of 32, by default. */
export interface Rwkv6ModelOptions extends Omit<Rwkv6Options, 'eps'>, RwkvStackOptions {}

/**
 * A stack of RWKV-6 blocks on vectors: `layers.i.attn.*` (see `rwkv6`), `layers.i.ffn.*`, norms, as
 * flash-linear-attention's `RWKV6Model` behind its embedding.
 *
 * @example
 * const model = rwkv6Model({ features: 64, heads: 4, layers: 4 });
 */
export const rwkv6Model = (options: Rwkv6ModelOptions): Layer =>
  defineLayer({
    name: 'rwkv6-model',
    features: options.features,
    apply: (trace, x) => stack(trace, x, options),
  });

/**
 * The language model: a token in, the logits of the next out. Names as flash-linear-attention's `RWKV6ForCausalLM`:
 * `model.embeddings.weight`, `model.layers.i.…`, `model.norm.*`, `lm_head.weight`.
 *
 * @example
 * const model = rwkv6Lm({ features: 64, heads: 4, layers: 4, vocabulary: 256 });
 */
export const rwkv6Lm = (options: Rwkv6ModelOptions & { readonly vocabulary: number }): Layer =>
  rwkvLm({
    name: 'rwkv6-lm',
    features: options.features,
    vocabulary: options.vocabulary,
    embedding: small,
    head: small,
    stack: (trace, x) => stack(trace, x, options),
  });

function stack(trace: Trace, x: Signal, options: Rwkv6ModelOptions): Signal {
  const mixing = rwkv6(options);
  const hidden = options.hidden ?? rwkvHidden(options.features, 3.5);
  return rwkvStack(trace, x, options, {
    mix: (at, y) => mixing.apply(at, y),
    feedForward: (at, y) => rwkv6FeedForward(at, y, hidden),
  });
}

const small = (shape: Shape, random: Random): Float64Array =>
  normal(new Float64Array(sizeOf(shape)), random, 0, 0.02);
