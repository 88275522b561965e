import { add, delay, exp, mul, neg, relu, reshape, sigmoid, square, wkv } from '../ops/index.ts';
import { defineLayer, type Layer, type Shape, type Signal, type Trace } from '../signal/index.ts';
import { layerNorm } from './norm.ts';
import { zeros } from './initialisers.ts';
import { each, orthogonalByShape, project, type RwkvPlace } from './rwkv-parts.ts';

/** Configuration of an RWKV-4 block. */
export interface Rwkv4Options extends RwkvPlace {
  /** C: `hidden_size`. */
  readonly features: number;
  /** A: channels of the recurrence, `attention_hidden_size`; C by default. */
  readonly attention?: number | undefined;
  /** F: `intermediate_size`; 4 C by default. */
  readonly hidden?: number | undefined;
  /** Of the layer norms; 1e-5. */
  readonly eps?: number | undefined;
}

/**
 * A block of RWKV-4: time mixing, then channel mixing, each behind a norm and beside a residual. The first block of
 * a stack (`index` 0) normalises its input once more before all else.
 *
 *     x ← x + Wₒ (σ(r) ⊙ wkv(k, v)),   r, k, v = W (μ ⊙ x[t] + (1 − μ) ⊙ x[t−1])  of x = ln1(x)
 *     x ← x + σ(r) ⊙ Wᵥ relu(k)²,      r, k    = W (μ ⊙ x[t] + (1 − μ) ⊙ x[t−1])  of x = ln2(x)
 *
 * | parameter | shape |
 * | --- | --- |
 * | `pre_ln.weight`, `.bias` (index 0 alone), `ln1.*`, `ln2.*` | (C) |
 * | `attention.time_decay`, `attention.time_first` | (A): w = −exp(time_decay), u |
 * | `attention.time_mix_key`, `_value`, `_receptance` | (1 × 1 × C) |
 * | `attention.key.weight`, `.value.`, `.receptance.` | (A × C) |
 * | `attention.output.weight` | (C × A) |
 * | `feed_forward.time_mix_key`, `_receptance` | (1 × 1 × C) |
 * | `feed_forward.key.weight`, `.receptance.`, `.value.` | (F × C), (C × C), (C × F) |
 *
 * On a stream: causal, no latency, 24 A + 8 C bytes of state; counts frames, so one sample rate only.
 *
 * Source: Peng et al., "RWKV: Reinventing RNNs for the Transformer Era" (arXiv 2305.13048), §3; names of
 * transformers `modeling_rwkv.py` `RwkvBlock`; initial values of RWKV-LM `RWKV-v4neo/src/model.py` (transformers
 * sets `time_first` to 1 by a slip).
 *
 * @example
 * const model = rwkv4Block({ features: 64, index: 0, layers: 12 });
 */
export const rwkv4Block = (options: Rwkv4Options): Layer =>
  defineLayer({
    name: 'rwkv4-block',
    features: options.features,
    apply: (trace, x) => rwkv4(trace, x, options),
  });

/** The same inside another model. */
export function rwkv4(trace: Trace, input: Signal, options: Rwkv4Options): Signal {
  const { index = 0, eps = 1e-5 } = options;
  let x = index === 0 ? layerNorm(trace, input, 'pre_ln', eps) : input;
  x = add(x, timeMix(trace.scope('attention'), layerNorm(trace, x, 'ln1', eps), options));
  return add(x, channelMix(trace.scope('feed_forward'), layerNorm(trace, x, 'ln2', eps), options));
}

function timeMix(trace: Trace, x: Signal, options: Rwkv4Options): Signal {
  const { features, attention = features, index = 0, layers = 1 } = options;
  const depth = layers > 1 ? index / (layers - 1) : 0;
  const rest = 1 - index / layers;
  const mix = mixer(trace, x);
  const parameter = (name: string, value: (i: number) => number): Signal =>
    trace.parameter(name, [attention], each(value));
  const of = (name: string, mixed: Signal, init = zeros as ReturnType<typeof orthogonalByShape>): Signal =>
    project(trace, mixed, name, attention, init);

  const key = of(
    'key',
    mix('key', (c) => c ** rest),
  );
  const value = of(
    'value',
    mix('value', (c) => c ** rest + 0.3 * depth),
    orthogonalByShape(),
  );
  const receptance = of(
    'receptance',
    mix('receptance', (c) => c ** (0.5 * rest)),
  );
  const last = Math.max(1, attention - 1);
  const decay = neg(exp(parameter('time_decay', (h) => -5 + 8 * (h / last) ** (0.7 + 1.3 * depth))));
  const bonus = parameter('time_first', (h) => Math.log(0.3) + 0.5 * (((h + 1) % 3) - 1));
  const mean = wkv({ key, value, decay, bonus });
  return project(trace, mul(sigmoid(receptance), mean), 'output', features, zeros);
}

function channelMix(trace: Trace, x: Signal, options: Rwkv4Options): Signal {
  const { features, hidden = 4 * features, index = 0, layers = 1 } = options;
  const rest = 1 - index / layers;
  const mix = mixer(trace, x);
  const power = (c: number): number => c ** rest;
  const key = square(relu(project(trace, mix('key', power), 'key', hidden, orthogonalByShape())));
  const receptance = project(trace, mix('receptance', power), 'receptance', features, zeros);
  return mul(sigmoid(receptance), project(trace, key, 'value', features, zeros));
}

/** μ ⊙ x[t] + (1 − μ) ⊙ x[t−1]; μ begins as a function of the channel's place in 0 … 1. */
function mixer(trace: Trace, x: Signal): (name: string, value: (place: number) => number) => Signal {
  const shape: Shape = [1, 1, x.width];
  const before = delay(x, 1);
  return (name, value) => {
    const declared = trace.parameter(
      `time_mix_${name}`,
      shape,
      each((i, n) => value(i / n)),
    );
    const mu = reshape(declared, [x.width]);
    return add(mul(x, mu), mul(before, add(neg(mu), 1)));
  };
}
