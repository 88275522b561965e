import { mamba3Mixer, mamba3Sizes, type Mamba3Options } from '../layers/mamba3.ts';
import { defineLayer, type Layer } from '../signal/index.ts';
import { preNormStack } from './pre-norm-stack.ts';

/** Configuration of the Mamba-3 backbone. */
export interface Mamba3ModelOptions extends Mamba3Options {
  /** Blocks: `n_layer`. */
  readonly layers: number;
  /** Of the norms before the mixers and at the end; 1e-5. */
  readonly eps?: number | undefined;
}

/**
 * A stack of Mamba-3 blocks with pre-norm and residual, and a norm at the end: `layers.i.norm.weight`,
 * `layers.i.mixer.*`, `norm_f.weight`, as mamba_ssm's `MixerModel` (without MLPs) behind the embedding.
 *
 * @throws ArgumentError as `mamba3`.
 * @example
 * const model = mamba3Model({ features: 64, states: 32, headWidth: 16, layers: 4 });
 */
export function mamba3Model({ layers, eps, ...mixer }: Mamba3ModelOptions): Layer {
  mamba3Sizes(mixer);
  return defineLayer({
    name: 'mamba3-model',
    features: mixer.features,
    sampleRate: mixer.sampleRate,
    apply: (trace, input) =>
      preNormStack(trace, input, { layers, eps, mixer: (t, x) => mamba3Mixer(t, x, mixer) }),
  });
}
