import { uniform, type Random } from '../init/index.ts';
import { rwkv7FeedForward } from '../layers/rwkv-feed-forward.ts';
import { orthogonalByShape } from '../layers/rwkv-parts.ts';
import { rwkv7TimeMix, type Rwkv7Options } from '../layers/rwkv7.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal, type Trace } from '../signal/index.ts';
import { rwkvHidden, rwkvLm, rwkvStack, type RwkvStackOptions } from './rwkv-stack.ts';

/** Configuration of the RWKV-7 stack; `hidden` is 4 C, rounded up to a multiple of 32, by default. */
export interface Rwkv7ModelOptions extends Omit<Rwkv7Options, 'index' | 'layers' | 'eps'>, RwkvStackOptions {}

/**
 * A stack of RWKV-7 blocks on vectors: `layers.i.attn.*` (see `rwkv7`), `layers.i.ffn.*`, norms, as
 * flash-linear-attention's `RWKV7Model` behind its embedding. Every block mixes in the values of the first.
 *
 * @example
 * const model = rwkv7Model({ features: 64, headFeatures: 16, layers: 4 });
 */
export const rwkv7Model = (options: Rwkv7ModelOptions): Layer =>
  defineLayer({
    name: 'rwkv7-model',
    features: options.features,
    apply: (trace, x) => stack(trace, x, options),
  });

/**
 * The language model: a token in, the logits of the next out. Names as flash-linear-attention's `RWKV7ForCausalLM`:
 * `model.embeddings.weight`, `model.layers.i.…`, `model.norm.*`, `lm_head.weight`.
 *
 * @example
 * const model = rwkv7Lm({ features: 64, headFeatures: 16, layers: 4, vocabulary: 256 });
 */
export const rwkv7Lm = (options: Rwkv7ModelOptions & { readonly vocabulary: number }): Layer =>
  rwkvLm({
    name: 'rwkv7-lm',
    features: options.features,
    vocabulary: options.vocabulary,
    embedding: small,
    head: orthogonalByShape(0.5),
    stack: (trace, x) => stack(trace, x, options),
  });

function stack(trace: Trace, x: Signal, options: Rwkv7ModelOptions): Signal {
  const hidden = options.hidden ?? rwkvHidden(options.features, 4);
  let first: Signal | undefined;
  return rwkvStack(trace, x, options, {
    mix(at, y, index) {
      const mixed = rwkv7TimeMix(at, y, { ...options, index }, first);
      first = mixed.first;
      return mixed.output;
    },
    feedForward: (at, y, index) => rwkv7FeedForward(at, y, hidden, { index, layers: options.layers }),
  });
}

const small = (shape: Shape, random: Random): Float64Array =>
  uniform(new Float64Array(sizeOf(shape)), random, -1e-4, 1e-4);
