import { fans, torchDefault, xavierUniform, type Random } from '../init/index.ts';
import { ArgumentError } from '../errors.ts';
import { dense, reshape, slidingAttention, split } from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal, type Trace } from '../signal/index.ts';
import { linear } from './linear.ts';

/** Configuration of `attention`. */
export interface AttentionOptions {
  /** E: `embed_dim`. */
  readonly features: number;
  /** `num_heads`; divides the features. */
  readonly heads: number;
  /** W: frames that each frame attends to, itself included. */
  readonly window: number;
  /** Biases of the projections; as in torch there are some. */
  readonly bias?: boolean;
}

/**
 * Multi-head self-attention over a sliding window, causal: `torch.nn.MultiheadAttention` with a mask that leaves the
 * last W positions. No positions of its own; norm and residual are outside.
 *
 *     q, k, v = in_proj_weight x + in_proj_bias
 *     y[t] = out_proj(softmax(q[t]·k[j] / √(E/heads)) v[j]),   j = t − W + 1 … t, from the stream's first frame on
 *
 * | parameter | shape |
 * | --- | --- |
 * | `in_proj_weight`, `in_proj_bias` | (3E × E), (3E): q, k, v |
 * | `out_proj.weight`, `.bias` | (E × E), (E) |
 *
 * On a stream: causal, no latency, 2 W E numbers of memory, 2 W E multiplications a frame beside the projections'
 * 4 E². It counts frames, so it does not follow another sample rate.
 *
 * Source: Vaswani et al., "Attention Is All You Need" (arXiv 1706.03762), §3.2; the window: Beltagy, Peters, Cohan,
 * "Longformer" (arXiv 2004.05150), §3.1.
 *
 * @throws ArgumentError for features that the heads do not divide, and without a window: attention to the whole past
 *   does not stream in constant memory.
 * @example
 * const model = attention({ features: 64, heads: 4, window: 256 });
 */
export function attention({ features, heads, window, bias = true }: AttentionOptions): Layer {
  const dim = headDim('attention', features, heads);
  requireWindow('attention', window);
  return defineLayer({
    name: 'attention',
    features,
    apply(trace, x) {
      const zeros = (shape: Shape): Float64Array => new Float64Array(sizeOf(shape));
      const inWeight = trace.parameter('in_proj_weight', [3 * features, features], xavier);
      const inBias = bias ? trace.parameter('in_proj_bias', [3 * features], zeros) : undefined;
      const outWeight = trace.parameter('out_proj.weight', [features, features], (shape, random: Random) =>
        torchDefault(zeros(shape), random, features),
      );
      const outBias = bias ? trace.parameter('out_proj.bias', [features], zeros) : undefined;

      const [q, k, v] = split(dense(x, inWeight, inBias), [features, features, features]).map((part) =>
        reshape(part, [heads, dim]),
      ) as [Signal, Signal, Signal];
      // A rotary position would turn q and k here, by the frame's number.
      const y = slidingAttention(q, k, v, { window });
      return dense(reshape(y, [features]), outWeight, outBias);
    },
  });
}

/** Configuration of `groupedQueryAttention`. */
export interface GroupedQueryAttentionOptions {
  readonly heads: number;
  /** Heads of keys and values, each shared by heads / groups of the queries; divides them. */
  readonly groups: number;
  readonly window: number;
}

/**
 * Attention with fewer heads of keys and values, inside another layer's trace, as the language models have it (Ainslie
 * et al., arXiv 2305.13245): `q_proj`, `k_proj`, `v_proj`, `o_proj`, all without bias and without positions.
 */
export function groupedQueryAttention(
  trace: Trace,
  x: Signal,
  { heads, groups, window }: GroupedQueryAttentionOptions,
): Signal {
  const dim = headDim('attention', x.width, heads);
  const project = (name: string, count: number): Signal =>
    reshape(linear(trace, x, { name, outputs: count * dim, bias: false }), [count, dim]);
  const [q, k, v] = [project('q_proj', heads), project('k_proj', groups), project('v_proj', groups)];
  const y = slidingAttention(q, k, v, { window });
  return linear(trace, reshape(y, [heads * dim]), { name: 'o_proj', outputs: x.width, bias: false });
}

const xavier = (shape: Shape, random: Random): Float64Array =>
  xavierUniform(new Float64Array(sizeOf(shape)), random, fans(shape));

/** Numbers in a head. */
export function headDim(name: string, features: number, heads: number): number {
  if (!(Number.isSafeInteger(heads) && heads >= 1 && features % heads === 0))
    throw new ArgumentError(`${name}: heads is ${heads}; give a divisor of the features ${features}`);
  return features / heads;
}

/** The op refuses it as well, but here the name is the one that the caller knows. */
export function requireWindow(name: string, window: number | undefined): asserts window is number {
  if (!(Number.isSafeInteger(window) && window! >= 1)) {
    throw new ArgumentError(
      `${name}: window is ${window}; give the frames to attend to, a whole number of at least 1 ({ window: 256 }). ` +
        'Attention to the whole past needs memory that grows for ever; over a sequence of known length, a window of ' +
        'that length is the same',
    );
  }
}
