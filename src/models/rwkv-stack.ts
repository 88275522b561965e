/** How flash-linear-attention stacks its blocks, and what stands around them in a language model. */
import { layerNorm } from '../layers/norm.ts';
import { project } from '../layers/rwkv-parts.ts';
import type { Random } from '../init/index.ts';
import { add, embedding } from '../ops/index.ts';
import { defineLayer, type Initialiser, type Layer, type Signal, type Trace } from '../signal/index.ts';

/** Options of every such stack. */
export interface RwkvStackOptions {
  /** C: `hidden_size`. */
  readonly features: number;
  /** L: blocks, `num_hidden_layers`. */
  readonly layers: number;
  /** F: `intermediate_size`. */
  readonly hidden?: number | undefined;
  /** A norm more before the first block: `norm_first`; true. */
  readonly preNorm?: boolean;
  /** Of all layer norms: `norm_eps`; 1e-5. */
  readonly eps?: number;
}

/** The two halves of the block of an index. */
export interface RwkvBlock {
  mix(trace: Trace, x: Signal, index: number): Signal;
  feedForward(trace: Trace, x: Signal, index: number): Signal;
}

/**
 * x ← x + attn(attn_norm(x)), x ← x + ffn(ffn_norm(x)) for each block, and a norm at the end: `layers.i.attn_norm.*`,
 * `.attn.*`, `.ffn_norm.*`, `.ffn.*`, `layers.0.pre_norm.*`, `norm.*`.
 */
export function rwkvStack(trace: Trace, input: Signal, options: RwkvStackOptions, block: RwkvBlock): Signal {
  const { layers, preNorm = true, eps = 1e-5 } = options;
  let x = input;
  for (let index = 0; index < layers; index++) {
    const at = trace.scope(`layers.${index}`);
    if (index === 0 && preNorm) x = layerNorm(at, x, 'pre_norm', eps);
    x = add(x, block.mix(at.scope('attn'), layerNorm(at, x, 'attn_norm', eps), index));
    x = add(x, block.feedForward(at.scope('ffn'), layerNorm(at, x, 'ffn_norm', eps), index));
  }
  return layerNorm(trace, x, 'norm', eps);
}

/** F where nobody says it: C times a ratio, rounded up to a multiple of 32. */
export const rwkvHidden = (features: number, ratio: number): number =>
  32 * Math.ceil(Math.trunc(features * ratio) / 32);

export interface RwkvLmParts {
  readonly name: string;
  readonly features: number;
  readonly vocabulary: number;
  readonly embedding: Initialiser<Random>;
  readonly head: Initialiser<Random>;
  stack(trace: Trace, x: Signal): Signal;
}

/** A token in, the logits of the next out: `model.embeddings.weight`, `model.…`, `lm_head.weight` (tokens × C). */
export const rwkvLm = (parts: RwkvLmParts): Layer =>
  defineLayer({
    name: parts.name,
    features: 1,
    apply(trace, tokens) {
      const { features, vocabulary } = parts;
      const inside = trace.scope('model');
      const table = inside.parameter('embeddings.weight', [vocabulary, features], parts.embedding);
      const x = parts.stack(inside, embedding(tokens, table));
      return project(trace, x, 'lm_head', vocabulary, parts.head);
    },
  });
