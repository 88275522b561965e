import { mamba2Mixer, mamba2Sizes, type Mamba2Options } from '../layers/mamba2.ts';
import { defineLayer, type Layer } from '../signal/index.ts';
import { preNormStack } from './pre-norm-stack.ts';

/** Configuration of the Mamba-2 backbone. */
export interface Mamba2ModelOptions extends Mamba2Options {
  /** Blocks: `n_layer`, `num_hidden_layers`. */
  readonly layers: number;
}

/**
 * A stack of Mamba-2 blocks with pre-norm and residual, and a norm at the end: `layers.i.norm.weight`,
 * `layers.i.mixer.*`, `norm_f.weight`, as transformers' `Mamba2Model` behind the embedding. `eps` is that of all norms.
 *
 * @throws ArgumentError as `mamba2`.
 * @example
 * const model = mamba2Model({ features: 64, states: 32, headWidth: 16, layers: 4 });
 */
export function mamba2Model({ layers, ...mixer }: Mamba2ModelOptions): Layer {
  mamba2Sizes(mixer);
  return defineLayer({
    name: 'mamba2-model',
    features: mixer.features,
    apply: (trace, input) =>
      preNormStack(trace, input, { layers, eps: mixer.eps, mixer: (t, x) => mamba2Mixer(t, x, mixer) }),
  });
}
