import { uniform, type Random } from '../init/index.ts';
import { layerNorm } from '../layers/norm.ts';
import { orthogonalByShape, project } from '../layers/rwkv-parts.ts';
import { rwkv4, type Rwkv4Options } from '../layers/rwkv4.ts';
import { embedding } from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal, type Trace } from '../signal/index.ts';

/** Configuration of the RWKV-4 stack. */
export interface Rwkv4ModelOptions extends Omit<Rwkv4Options, 'index' | 'layers'> {
  /** L: blocks, `num_hidden_layers`. */
  readonly layers: number;
}

/**
 * A stack of RWKV-4 blocks and a norm at the end, on vectors: `blocks.i.*` and `ln_out.*`, as transformers'
 * `RwkvModel` behind its embedding (`inputs_embeds`).
 *
 * transformers halves what runs between the blocks after every `rescale_every` of them, for the range of float16;
 * the norms undo it, and nothing is halved here.
 *
 * @example
 * const model = rwkv4Model({ features: 64, layers: 4 });
 */
export const rwkv4Model = (options: Rwkv4ModelOptions): Layer =>
  defineLayer({
    name: 'rwkv4-model',
    features: options.features,
    apply: (trace, x) => stack(trace, x, options),
  });

/** Configuration of the RWKV-4 language model. */
export interface Rwkv4LmOptions extends Rwkv4ModelOptions {
  readonly vocabulary: number;
}

/**
 * A language model: one token in, the logits of the next out, frame by frame. Names as transformers'
 * `RwkvForCausalLM`: `rwkv.embeddings.weight` (tokens × C), `rwkv.blocks.i.*`, `rwkv.ln_out.*`, `head.weight`
 * (tokens × C).
 *
 * @example
 * const stream = compile(rwkv4Lm({ features: 32, layers: 2, vocabulary: 97 }), parameters);
 * for (const token of generate(stream, { prompt: [1, 2, 3], tokens: 20 })) console.log(token);
 */
export function rwkv4Lm(options: Rwkv4LmOptions): Layer {
  const { features, vocabulary } = options;
  return defineLayer({
    name: 'rwkv4-lm',
    features: 1,
    apply(trace, tokens) {
      const inside = trace.scope('rwkv');
      const weight = inside.parameter('embeddings.weight', [vocabulary, features], small);
      const x = stack(inside, embedding(tokens, weight), options);
      return project(trace, x, 'head', vocabulary, orthogonalByShape(0.5));
    },
  });
}

function stack(trace: Trace, input: Signal, options: Rwkv4ModelOptions): Signal {
  let x = input;
  for (let index = 0; index < options.layers; index++)
    x = rwkv4(trace.scope(`blocks.${index}`), x, { ...options, index });
  // transformers gives `layer_norm_epsilon` to the blocks alone.
  return layerNorm(trace, x, 'ln_out');
}

/** RWKV-LM: so small that the first norm makes any direction of it in few steps. */
const small = (shape: Shape, random: Random): Float64Array =>
  uniform(new Float64Array(sizeOf(shape)), random, -1e-4, 1e-4);
