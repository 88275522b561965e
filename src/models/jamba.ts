import { groupedQueryAttention, requireWindow } from '../layers/attention.ts';
import { linear } from '../layers/linear.ts';
import { mambaMixer } from '../layers/mamba.ts';
import { rmsNorm } from '../layers/norm.ts';
import { add, mul, silu } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal, type Trace } from '../signal/index.ts';

/** Configuration of `jamba`. */
export interface JambaOptions {
  /** `hidden_size`. */
  readonly features: number;
  /** `num_hidden_layers`. */
  readonly layers: number;
  /** Layer i attends where i mod period = offset; the others are Mamba. */
  readonly attention: {
    readonly period: number;
    readonly offset: number;
    readonly heads: number;
    /** Heads of keys and values. */
    readonly groups: number;
    /** Frames that each frame attends to, itself included. */
    readonly window: number;
  };
  readonly mamba?: {
    /** N; 16. */
    readonly states?: number;
    /** Taps of the short convolution; 4. */
    readonly taps?: number;
    /** Inner channels for each feature; 2. */
    readonly expand?: number;
    /** R; the features by 16, rounded up. */
    readonly dtRank?: number;
    readonly bias?: boolean;
    readonly convBias?: boolean;
  };
  /** `intermediate_size`: inner channels of the feed-forward part. */
  readonly feedForward: number;
  /** Of all RMSNorms; 1e-6. */
  readonly eps?: number;
}

/**
 * Jamba, a hybrid: in each layer Mamba or attention, then a gated feed-forward part, each behind an RMSNorm and with
 * a residual. Without experts, from embeddings to the last hidden state, as transformers' `JambaModel`.
 *
 *     x ← x + mixer(input_layernorm(x)),   mixer: attention where i mod period = offset, else Mamba
 *     x ← x + down_proj(SiLU(gate_proj(n)) ⊙ up_proj(n)),   n = pre_ff_layernorm(x)
 *     y = final_layernorm(x)
 *
 * The attention has no positions; Mamba's dt, B and C are normed before use. The official attention sees the whole
 * past: here it sees a window, which is the same for as long as the stream is not longer.
 *
 * | parameter | shape |
 * | --- | --- |
 * | `layers.i.mamba.*` | as `mamba`, with `dt_layernorm.weight` (R), `b_layernorm.weight`, `c_layernorm.weight` (N) |
 * | `layers.i.self_attn.{q,k,v,o}_proj.weight` | (D × D), (groups · D/heads × D) twice, (D × D) |
 * | `layers.i.feed_forward.{gate,up,down}_proj.weight` | (F × D) twice, (D × F) |
 * | `layers.i.input_layernorm.weight`, `.pre_ff_layernorm.weight`, `final_layernorm.weight` | (D) |
 *
 * On a stream: causal, no latency; for each attention 2 W groups D/heads numbers of memory, for each Mamba
 * E (N + taps − 1). It counts frames, so it does not follow another sample rate.
 *
 * Source: Lieber et al., "Jamba: A Hybrid Transformer-Mamba Language Model" (arXiv 2403.19887), §2; transformers
 * `modeling_jamba.py`.
 *
 * @throws ArgumentError without a window.
 * @example
 * const attention = { period: 8, offset: 4, heads: 4, groups: 2, window: 512 };
 * const model = jamba({ features: 64, layers: 8, attention, feedForward: 128 });
 */
export function jamba(options: JambaOptions): Layer {
  const { features, layers, attention, mamba = {}, feedForward, eps = 1e-6 } = options;
  requireWindow('jamba', attention.window);
  const { expand = 2, ...mixer } = mamba;

  const mix = (layer: Trace, x: Signal, i: number): Signal =>
    i % attention.period === attention.offset
      ? groupedQueryAttention(layer.scope('self_attn'), x, attention)
      : mambaMixer(layer.scope('mamba'), x, {
          ...mixer,
          features,
          inner: expand * features,
          innerNorms: eps,
        });

  return defineLayer({
    name: 'jamba',
    features,
    apply(trace, input) {
      let x = input;
      for (let i = 0; i < layers; i++) {
        const layer = trace.scope(`layers.${i}`);
        x = add(x, mix(layer, rmsNorm(layer, x, 'input_layernorm', eps), i));
        const normed = rmsNorm(layer, x, 'pre_ff_layernorm', eps);
        x = add(x, gatedFeedForward(layer.scope('feed_forward'), normed, feedForward));
      }
      return rmsNorm(trace, x, 'final_layernorm', eps);
    },
  });
}

/** down(SiLU(gate(x)) ⊙ up(x)), without biases. */
function gatedFeedForward(trace: Trace, x: Signal, inner: number): Signal {
  const [gate, up] = ['gate_proj', 'up_proj'].map((name) =>
    linear(trace, x, { name, outputs: inner, bias: false }),
  ) as [Signal, Signal];
  return linear(trace, mul(silu(gate), up), { name: 'down_proj', outputs: x.width, bias: false });
}
