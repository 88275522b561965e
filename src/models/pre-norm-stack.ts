import { rmsNorm } from '../layers/norm.ts';
import { add } from '../ops/index.ts';
import type { Signal, Trace } from '../signal/index.ts';

export interface PreNormStackOptions {
  /** Blocks: `n_layer`, `num_hidden_layers`. */
  readonly layers: number;
  /** Of the RMSNorms; 1e-5. */
  readonly eps?: number | undefined;
  /** Written into the scope `layers.i.mixer`. */
  readonly mixer: (trace: Trace, x: Signal) => Signal;
}

/**
 * Blocks x ← x + mixer(RMSNorm(x)) and an RMSNorm at the end: `layers.i.norm.weight`, `layers.i.mixer.*`,
 * `norm_f.weight`, as mamba_ssm's `MixerModel` and transformers' `MambaModel` have them behind the embedding.
 */
export function preNormStack(trace: Trace, input: Signal, options: PreNormStackOptions): Signal {
  const { layers, eps = 1e-5, mixer } = options;
  let x = input;
  for (let i = 0; i < layers; i++) {
    const block = trace.scope(`layers.${i}`);
    x = add(x, mixer(block.scope('mixer'), rmsNorm(block, x, 'norm', eps)));
  }
  return rmsNorm(trace, x, 'norm_f', eps);
}
