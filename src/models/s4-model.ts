import { layerNorm } from '../layers/norm.ts';
import { linear } from '../layers/linear.ts';
import { s4d, type S4dOptions } from '../layers/s4d.ts';
import { add, runningMean } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal } from '../signal/index.ts';

/** Configuration of `s4Model`. */
export interface S4ModelOptions extends Omit<S4dOptions, 'features' | 'sampleRate'> {
  /** `d_input`: numbers of an input frame. */
  readonly inputs: number;
  /** `d_output` */
  readonly outputs: number;
  /** `d_model` */
  readonly features: number;
  /** `n_layers` */
  readonly layers: number;
  /** `prenorm`: the norm stands before each layer; behind the sum (default) as in `example.py`. */
  readonly preNorm?: boolean;
  /** `layer` (default), or `none`, where the level itself matters to the answer: an amplifier's drive. */
  readonly norm?: 'layer' | 'none';
  /**
   * `mean` (default): the decoder sees the mean over all frames so far, so that the last frame has the answer of
   * `example.py` and every frame the answer until then; `none`: one output a frame.
   */
  readonly pool?: 'mean' | 'none';
  readonly sampleRate?: number | undefined;
}

/**
 * The stack of S4D layers of state-spaces/s4 `example.py` (`S4Model`): encoder, residual blocks with a LayerNorm,
 * mean over time, decoder.
 *
 * | parameter | shape |
 * | --- | --- |
 * | `encoder.weight`, `.bias` | (H × inputs), (H) |
 * | `s4_layers.i.*` | those of `s4d` |
 * | `norms.i.weight`, `.bias` | (H), where there are norms |
 * | `decoder.weight`, `.bias` | (outputs × H), (outputs) |
 *
 * On a stream: causal, no latency, follows another sample rate and, with `pool: 'none'`, irregular time.
 *
 * @example
 * const model = s4Model({ inputs: 1, outputs: 10, features: 64, layers: 4 });
 */
export function s4Model(options: S4ModelOptions): Layer {
  const { inputs, outputs, features, layers, sampleRate, ...rest } = options;
  const { preNorm = false, norm = 'layer', pool = 'mean', ...kernel } = rest;
  const layer = s4d({ ...kernel, features });
  return defineLayer({
    name: 's4-model',
    features: inputs,
    sampleRate,
    apply(trace, input) {
      let x = linear(trace, input, { name: 'encoder', outputs: features });
      for (let i = 0; i < layers; i++) {
        const block = trace.scope(`s4_layers.${i}`);
        const normed = (y: Signal): Signal => (norm === 'none' ? y : layerNorm(trace, y, `norms.${i}`));
        x = preNorm ? add(x, layer.apply(block, normed(x))) : normed(add(x, layer.apply(block, x)));
      }
      return linear(trace, pool === 'mean' ? runningMean(x) : x, { name: 'decoder', outputs });
    },
  });
}
