import { ArgumentError } from '../errors.ts';
import { glu, linear } from '../layers/linear.ts';
import { layerNorm, rmsNorm } from '../layers/norm.ts';
import { add, div, dropout as dropoutOf, gelu, runningMean } from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Signal, type Trace } from '../signal/index.ts';
import { runningLevelOf } from './running-level.ts';

/** Configuration of `stack`. */
export interface StackOptions {
  /** Numbers of an input frame. */
  readonly inputs: number;
  /** Numbers of an output frame. */
  readonly outputs: number;
  /** H: width of the blocks. */
  readonly features: number;
  /** What looks back in time, one a block, each H → H. */
  readonly layers: readonly Layer[];
  /** `layer` (default), `rms` or `none`. */
  readonly norm?: 'layer' | 'rms' | 'none' | undefined;
  /** The norm before each layer (default), and one at the end; else behind each sum. */
  readonly preNorm?: boolean | undefined;
  /** Behind each layer: `none` (default), `gelu`, or `glu`: GELU, a linear layer to 2H and a gated linear unit. */
  readonly activation?: 'none' | 'gelu' | 'glu' | undefined;
  /** Rate behind each activation, in training alone; 0. */
  readonly dropout?: number | undefined;
  /** One draw a channel for the whole sequence, as the official S4 and S5; true. */
  readonly tieDropout?: boolean | undefined;
  /** `mean`: the decoder sees the mean over all frames so far, for answers about a sequence; `none` (default). */
  readonly pool?: 'none' | 'mean' | undefined;
  /**
   * The input is divided by its own running level first, for signals whose level says nothing: recordings of strangers.
   * False. Needs `sampleRate`.
   */
  readonly level?: boolean | undefined;
  /** Hz that the parameters are for. */
  readonly sampleRate?: number | undefined;
}

/** So little is believed at the start that a faint voice outweighs it within a syllable. */
const LEVEL = { seconds: 60, prior: { rms: 0.02, seconds: 0.05 } };

/**
 * Residual blocks around any layers, between an encoder and a decoder: what a user trains who has a task and no paper.
 *
 *     u ← u / level(u)   of `level`;   x ← encoder(u);
 *     x ← x + dropout(activation(layerᵢ(norm(x)))) …;   y = decoder(norm(x))
 *
 * | parameter | shape |
 * | --- | --- |
 * | `encoder.weight`, `.bias` | (H × inputs), (H) |
 * | `layers.i.norm.weight`, `.bias` | (H); `rms` has no bias |
 * | `layers.i.layer.*` | those of the layer |
 * | `layers.i.gate.weight`, `.bias` | (2H × H), (2H), of `glu` |
 * | `norm.weight`, `.bias` | (H), of `preNorm` |
 * | `decoder.weight`, `.bias` | (outputs × H), (outputs) |
 *
 * On a stream: what its layers are.
 *
 * @throws ArgumentError without layers, or for one that is not H wide.
 * @example
 * const model = stack({ inputs: 1, outputs: 10, features: 32, layers: [s5({ features: 32 })], activation: 'glu', pool: 'mean' });
 */
export function stack(options: StackOptions): Layer {
  const { inputs, outputs, features, layers, norm = 'layer', preNorm = true } = options;
  const { activation = 'none', dropout = 0, tieDropout = true, pool = 'none', level = false } = options;
  if (layers.length === 0) throw new ArgumentError('stack: there are no layers; give one at least');
  layers.forEach((layer, i) => {
    const width = sizeOf(layer.inputs['input']!);
    if (width !== features) {
      throw new ArgumentError(
        `stack: layer ${i} (${layer.name}) takes ${width} numbers, the blocks have ${features}; make both the same`,
      );
    }
  });
  const normed = (trace: Trace, x: Signal): Signal => {
    if (norm === 'none') return x;
    return norm === 'rms' ? rmsNorm(trace, x, 'norm') : layerNorm(trace, x, 'norm');
  };
  const activated = (trace: Trace, x: Signal): Signal => {
    if (activation === 'none') return x;
    const y = gelu(x);
    return activation === 'gelu' ? y : glu(linear(trace, y, { name: 'gate', outputs: 2 * features }));
  };
  const sampleRate = options.sampleRate ?? layers.find((layer) => layer.sampleRate !== undefined)?.sampleRate;
  if (level && sampleRate === undefined)
    throw new ArgumentError('stack: a running level needs seconds; give sampleRate');
  return defineLayer({
    name: 'stack',
    features: inputs,
    sampleRate,
    apply(trace, u) {
      const heard = level ? div(u, runningLevelOf(u, sampleRate!, LEVEL)) : u;
      let x = linear(trace, heard, { name: 'encoder', outputs: features });
      layers.forEach((layer, i) => {
        const block = trace.scope(`layers.${i}`);
        const y = layer.apply(block.scope('layer'), preNorm ? normed(block, x) : x);
        x = add(x, dropoutOf(activated(block, y), { rate: dropout, tied: tieDropout }));
        if (!preNorm) x = normed(block, x);
      });
      if (preNorm) x = normed(trace, x);
      return linear(trace, pool === 'mean' ? runningMean(x) : x, { name: 'decoder', outputs });
    },
  });
}
