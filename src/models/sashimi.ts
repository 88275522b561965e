import { ArgumentError } from '../errors.ts';
import { torchUniform } from '../layers/initialisers.ts';

import { linear } from '../layers/linear.ts';
import { layerNorm } from '../layers/norm.ts';
import { s4dBlock } from '../layers/s4-block.ts';
import {
  add,
  atStart,
  channelsToFrames,
  convolution,
  delay,
  dense,
  gelu,
  mul,
  permute,
  reshape,
  neg,
} from '../ops/index.ts';
import { defineLayer, type Layer, type Signal, type Trace } from '../signal/index.ts';

/** Configuration of `sashimi`; the defaults are those of `sashimi.py`. */
export interface SashimiOptions {
  /** H: `d_model`, channels of a frame outside and at the topmost level. */
  readonly features: number;
  /** `pool`: frames that each level makes one of, from the top down. */
  readonly pool?: readonly number[];
  /** `n_layers`: pairs of a state space block and a feed-forward block at each level. */
  readonly layers?: number;
  /** `expand`: a level below has so many times the channels. */
  readonly expand?: number;
  /** `d_state` of every state space layer. */
  readonly states?: number;
  /** `ff`: hidden channels of a feed-forward block, as a multiple; 0 leaves these blocks out. */
  readonly feedForward?: number;
  /** `unet`: blocks on the way down too, each with a skip to its counterpart on the way up. */
  readonly unet?: boolean;
  /** The state space layer, `s4dBlock` (default) or `s4`: one that rests for as long as its input is zero. */
  readonly block?: (options: { readonly features: number; readonly states: number }) => Layer;
}

/**
 * SaShiMi: a stack of S4 blocks at several rates, for autoregressive models of raw waveforms. Each level below pools
 * `pool` frames into one of `expand` times the channels; on the way up a frame is spread over the next group.
 *
 *     residual:  x + layer(LayerNorm(x)),  layer an S4 block or  W₂ GELU(W₁ x + b₁) + b₂
 *     down:      z[g] = W (x[pg], …, x[pg + p − 1]) + b
 *     up:        (y[pg], …, y[pg + p − 1]) = V z[g − 1] + c,  and 0 in the first group
 *
 * | parameter | shape |
 * | --- | --- |
 * | `d_layers.i.linear.weight`, `.bias` | (expand·H × H·p), (expand·H): a pool, H the channels above it |
 * | `u_layers.i.0.linear.weight`, `.bias` | (H·p × expand·H), (H·p): the way up, the lowest level first |
 * | `c_layers.j.*`, `u_layers.i.j.*` (and `d_layers.j.*` with `unet`) | residual blocks: |
 * | — `norm.weight`, `norm.bias` | (H) |
 * | — `layer.*` | those of `s4dBlock` or `s4`; or |
 * | — `layer.ff.0.0.weight`, `.bias`, `layer.ff.2.weight`, `.bias` | (ff·H × H), (ff·H), (H × ff·H), (H) |
 * | `norm.weight`, `norm.bias` | (H) |
 *
 * Names are those of `sashimi.py`; a weight there that belongs to a `Conv1d` has a trailing axis of 1 more.
 *
 * On a stream: causal, no latency, one frame out for each frame in, at any length (the official code takes multiples
 * of the product of the pools). Pools count frames, so another rate and irregular time are refused by name.
 *
 * Source: Goel, Gu, Donahue, Ré, "It's Raw! Audio Generation with State-Space Models" (arXiv 2202.09729), §4.2;
 * state-spaces/s4 `models/sashimi/sashimi.py`.
 *
 * @throws ArgumentError for a pool, an expansion or a number of layers that is no whole number.
 * @example
 * const model = sashimi({ features: 64, pool: [4, 4], layers: 8 });
 */
export function sashimi(options: SashimiOptions): Layer {
  const { features, pool = [4, 4], layers = 8, expand = 2, states = 64, feedForward = 2 } = options;
  const { unet = false, block = s4dBlock } = options;
  pool.forEach((factor, i) => whole(`pool[${i}]`, factor, 1));
  whole('layers', layers, 0);
  whole('expand', expand, 1);
  whole('feedForward', feedForward, 0);

  /** The blocks of one level, in order. */
  const blocks = (level: Level): Block[] =>
    Array.from({ length: layers }, () => {
      const sequence: Block = (trace, x) => {
        const layer = block({ features: level.channels, states });
        return residual(trace, x, (inside, u) => layer.apply(inside, awake(u, level)));
      };
      const channels: Block = (trace, x) => residual(trace, x, (t, u) => feedForwardOf(t, u, feedForward));
      return feedForward > 0 ? [sequence, channels] : [sequence];
    }).flat();

  const levels = Array.from({ length: pool.length + 1 }, (_, depth): Level => {
    return { channels: features * expand ** depth, depth };
  });
  const lowest = levels.at(-1)!;

  return defineLayer({
    name: 'sashimi',
    features,
    apply(trace, input) {
      let x = input;
      const skips = [input];
      pool.forEach((factor, depth) => {
        const down: Block = (t, u) => poolDown(t, u, levels[depth]!, factor, expand);
        for (const step of [...(unet ? blocks(levels[depth]!) : []), down]) {
          x = step(trace.scope(`d_layers.${skips.length - 1}`), x);
          skips.push(x);
        }
      });
      blocks(lowest).forEach((step, j) => (x = step(trace.scope(`c_layers.${j}`), x)));
      x = add(x, skips.pop()!);
      for (let depth = pool.length - 1, i = 0; depth >= 0; depth--, i++) {
        const scope = trace.scope(`u_layers.${i}`);
        const level = levels[depth]!;
        const joined = add(poolUp(scope.scope('0'), x, level, pool[depth]!), skips.pop()!);
        x = joined;
        blocks(level).forEach((step, j) => {
          x = step(scope.scope(`${j + 1}`), x);
          if (unet) x = add(x, skips.pop()!);
        });
        if (!unet) x = add(x, joined);
      }
      return layerNorm(trace, x, 'norm');
    },
  });
}

type Block = (trace: Trace, x: Signal) => Signal;

/*
 * A group's result is used from the frame behind the group on. A low-rate `delay` would say that too, but it would
 * wait for the group that it delays: a look-ahead of p − 1 frames that no number needs. So the lower levels run one
 * frame behind instead: their frame k is the official frame k − 1, complete when the frame arrives that k begins with.
 * Their frame 0 stands for nothing: no state space layer hears it, and nothing of it comes up.
 */
interface Level {
  readonly channels: number;
  /** 0 at the top; below, frames are one late. */
  readonly depth: number;
}

/** Zero at the frame that stands for nothing. */
const awake = (x: Signal, { depth }: Level): Signal => (depth === 0 ? x : mul(x, add(neg(atStart(x)), 1)));

/** 'h (l p) → (h p) l' and a linear layer: a convolution whose taps are the group. */
function poolDown(trace: Trace, x: Signal, level: Level, factor: number, expand: number): Signal {
  const inputs = level.channels;
  const outputs = inputs * expand;
  const init = torchUniform(inputs * factor);
  const weight = trace.parameter('linear.weight', [outputs, inputs * factor], init);
  return convolution(level.depth === 0 ? delay(x, 1) : x, reshape(weight, [outputs, inputs, factor]), {
    bias: trace.parameter('linear.bias', [outputs], init),
    stride: factor,
    padding: { left: factor - 1, right: 0 },
  });
}

/** A linear layer and '(h p) l → h (l p)', in frames of `level`. */
function poolUp(trace: Trace, x: Signal, level: Level, factor: number): Signal {
  const [inputs] = x.shape as [number];
  const outputs = level.channels;
  const wide = outputs * factor;
  const init = torchUniform(inputs);
  const weight = trace.parameter('linear.weight', [wide, inputs], init);
  const bias = trace.parameter('linear.bias', [wide], init);
  // The oldest frame's channels first.
  const y = dense(
    x,
    reshape(permute(reshape(weight, [outputs, factor, inputs]), [1, 0, 2]), [wide, inputs]),
    reshape(permute(reshape(bias, [outputs, factor]), [1, 0]), [wide]),
  );
  const spread = channelsToFrames(awake(y, { channels: wide, depth: level.depth + 1 }), factor);
  return level.depth === 0 ? spread : delay(spread, 1);
}

const residual = (trace: Trace, x: Signal, layer: Block): Signal =>
  add(x, layer(trace.scope('layer'), layerNorm(trace, x, 'norm')));

function feedForwardOf(trace: Trace, x: Signal, times: number): Signal {
  const [width] = x.shape as [number];
  const hidden = gelu(linear(trace, x, { name: 'ff.0.0', outputs: width * times }));
  return linear(trace, hidden, { name: 'ff.2', outputs: width });
}

function whole(name: string, value: number, least: number): void {
  if (!(Number.isSafeInteger(value) && value >= least))
    throw new ArgumentError(`sashimi: ${name} is ${value}; give a whole number of at least ${least}`);
}
