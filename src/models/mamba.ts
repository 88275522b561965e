import { torchDefault, type Random } from '../init/index.ts';
import { mambaMixer, type MambaOptions } from '../layers/mamba.ts';
import { rmsNorm } from '../layers/norm.ts';
import { add, dense, embedding } from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal, type Trace } from '../signal/index.ts';

/** Configuration of the Mamba backbone. */
export interface MambaModelOptions extends MambaOptions {
  /** Blocks: `n_layer`, `num_hidden_layers`. */
  readonly layers: number;
  /** Of the RMSNorms; 1e-5. */
  readonly eps?: number;
}

/**
 * A stack of Mamba blocks with pre-norm and residual, and a norm at the end: `layers.i.norm.weight`,
 * `layers.i.mixer.*`, `norm_f.weight`, as transformers' `MambaModel` has them behind the embedding.
 *
 * @example
 * const model = mambaModel({ features: 64, layers: 4 });
 */
export function mambaModel(options: MambaModelOptions): Layer {
  return defineLayer({
    name: 'mamba-model',
    features: options.features,
    apply: (trace, x) => backbone(trace, x, options),
  });
}

/** Configuration of the Mamba language model. */
export interface MambaLmOptions extends MambaModelOptions {
  readonly vocabulary: number;
  /** The read-out is the embedding itself; else `lm_head.weight` is a parameter of its own. */
  readonly tied?: boolean;
}

/**
 * A language model: one token in, the logits of the next out, frame by frame. Names as transformers'
 * `MambaForCausalLM`: `backbone.embeddings.weight`, `backbone.layers.i.…`, `lm_head.weight`.
 *
 * @example
 * const model = mambaLm({ features: 32, layers: 2, vocabulary: 97 });
 */
export function mambaLm(options: MambaLmOptions): Layer {
  const { features, vocabulary, tied = false } = options;
  const table: Shape = [vocabulary, features];
  const uniform = (shape: Shape, random: Random): Float64Array =>
    torchDefault(new Float64Array(sizeOf(shape)), random, features);
  return defineLayer({
    name: 'mamba-lm',
    features: 1,
    apply(trace, tokens) {
      const inside = trace.scope('backbone');
      const weight = inside.parameter('embeddings.weight', table, uniform);
      const hidden = backbone(inside, embedding(tokens, weight), options);
      return dense(hidden, tied ? weight : trace.parameter('lm_head.weight', table, uniform));
    },
  });
}

function backbone(trace: Trace, input: Signal, { layers, eps = 1e-5, ...mixer }: MambaModelOptions): Signal {
  let x = input;
  for (let i = 0; i < layers; i++) {
    const block = trace.scope(`layers.${i}`);
    x = add(x, mambaMixer(block.scope('mixer'), rmsNorm(block, x, 'norm', eps), mixer));
  }
  return rmsNorm(trace, x, 'norm_f', eps);
}
