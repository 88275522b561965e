import { ParameterError } from '../errors.ts';
import { conv1d, convTranspose1d } from '../layers/conv.ts';
import { glu } from '../layers/linear.ts';
import { lstm } from '../layers/lstm.ts';
import { mambaMixer } from '../layers/mamba.ts';
import { layerNorm } from '../layers/norm.ts';
import { add, relu } from '../ops/index.ts';
import {
  defineLayer,
  formatShape,
  type Layer,
  type Shape,
  type Signal,
  type Trace,
} from '../signal/index.ts';

/** One level of the encoder: two frames become one. */
interface EncoderLevel {
  readonly hidden: number;
  readonly outputs: number;
  readonly taps: number;
}

/** One level of the decoder: one frame becomes two. */
interface DecoderLevel {
  readonly gated: number;
  readonly outputs: number;
  readonly taps: number;
}

type Bottleneck =
  | {
      readonly kind: 'mamba';
      readonly width: number;
      readonly blocks: readonly { inner: number; states: number; dtRank: number; taps: number }[];
    }
  | { readonly kind: 'lstm'; readonly width: number; readonly hidden: number; readonly layers: number };

/** Sizes of every part. Pruned checkpoints have sizes of their own, so they are read off the weights. */
export interface CleanUMambaSizes {
  readonly encoder: readonly EncoderLevel[];
  readonly bottleneck: Bottleneck;
  /** From the deepest level up. */
  readonly decoder: readonly DecoderLevel[];
}

/**
 * CleanUMamba, a speech denoiser on raw waveforms at 16 kHz: a U-Net of strided convolutions with a Mamba (or LSTM)
 * bottleneck (lab-emi/CleanUMamba).
 *
 *     encoder:    Conv1d(4, stride 2) → ReLU → Conv1d 1×1 → a·σ(b)
 *     bottleneck: 1×1 → pre-norm Mamba blocks → LayerNorm → 1×1
 *     decoder:    + skip → Conv1d 1×1 → a·σ(b) → ConvTranspose1d(4, stride 2) → ReLU, except at the last
 *
 * Names and shapes are the checkpoints'. The official code divides a clip by its standard deviation beforehand; that
 * belongs outside (`runningLevel` on a stream).
 *
 * On a stream: 765 frames of look-ahead with eight levels (48 ms), 189 with six. The input is padded at its end with
 * zero frames, as signal, to a length that all levels divide. Counts frames, so 16 kHz only.
 *
 * Source: Groot, Chen, van Gemert, Gao, "CleanUMamba: A Compact Mamba Network for Speech Denoising using Channel
 * Pruning" (arXiv 2410.11062), and the repository's `network.py`.
 *
 * @param sizes see `cleanUMambaSizes`
 * @example
 * const model = cleanUMamba(cleanUMambaSizes(shapes));
 */
export function cleanUMamba(sizes: CleanUMambaSizes): Layer {
  const { encoder, bottleneck, decoder } = sizes;
  const taps = encoder[0]!.taps;
  return defineLayer({
    name: 'cleanumamba',
    features: 1,
    sampleRate: 16_000,
    endPadding: (frames) => validLength(frames, encoder.length, taps) - frames,
    apply(trace, input) {
      const skips: Signal[] = [];
      let x = input;
      encoder.forEach(({ hidden, outputs, taps }, i) => {
        const level = trace.scope(`encoder.${i}`);
        x = relu(conv1d(level, x, { name: '0', outputs: hidden, taps, stride: STRIDE, padding: 'valid' }));
        x = glu(conv1d(level, x, { name: '2', outputs: 2 * outputs, taps: 1 }));
        skips.push(x);
      });
      const deepest = x.width;
      x = conv1d(trace, x, { name: 'tsfm_conv1', outputs: bottleneck.width, taps: 1 });
      x = throughBottleneck(trace, x, bottleneck);
      x = conv1d(trace, x, { name: 'tsfm_conv2', outputs: deepest, taps: 1 });
      decoder.forEach(({ gated, outputs, taps }, i) => {
        const level = trace.scope(`decoder.${i}`);
        x = glu(conv1d(level, add(x, skips.pop()!), { name: '0', outputs: 2 * gated, taps: 1 }));
        x = convTranspose1d(level, x, { name: '2', outputs, taps, stride: STRIDE });
        if (i < decoder.length - 1) x = relu(x);
      });
      return x;
    },
  });
}

const STRIDE = 2;

function throughBottleneck(trace: Trace, input: Signal, bottleneck: Bottleneck): Signal {
  if (bottleneck.kind === 'lstm') {
    const { width, hidden, layers } = bottleneck;
    return lstm({ features: width, hidden, layers }).apply(trace.scope('tsfm_Mamba_layers'), input);
  }
  let x = input;
  bottleneck.blocks.forEach((block, i) => {
    const scope = trace.scope(`tsfm_Mamba_layers.${i}`);
    const mixer = { ...block, features: bottleneck.width };
    x = add(x, mambaMixer(scope.scope('mixer'), layerNorm(scope, x, 'norm'), mixer));
  });
  return layerNorm(trace, x, 'norm_f');
}

/** The shortest length not below `frames` that every level divides without a rest. */
function validLength(frames: number, levels: number, taps: number): number {
  let length = frames;
  for (let i = 0; i < levels; i++) length = length < taps ? 1 : 1 + Math.ceil((length - taps) / STRIDE);
  for (let i = 0; i < levels; i++) length = (length - 1) * STRIDE + taps;
  return length;
}

/**
 * The sizes of a checkpoint's network, from the shapes of its tensors.
 *
 * @throws ParameterError where a tensor that says a size is missing.
 */
export function cleanUMambaSizes(shapes: ReadonlyMap<string, Shape>): CleanUMambaSizes {
  const extent = (name: string, axis: number): number => {
    const shape = shapes.get(name);
    if (shape?.[axis] === undefined) {
      throw new ParameterError(
        `CleanUMamba needs tensor "${name}", which is ${shape ? formatShape(shape) : 'missing'}; is this a CleanUMamba checkpoint?`,
      );
    }
    return shape[axis];
  };
  const count = (pattern: (i: number) => string): number => {
    let i = 0;
    while (shapes.has(pattern(i))) i++;
    return i;
  };
  const levels = (part: string): number[] =>
    Array.from({ length: count((i) => `${part}.${i}.0.weight`) }, (_, i) => i);
  const width = extent('tsfm_conv1.weight', 0);
  const mixer = (i: number): string => `tsfm_Mamba_layers.${i}.mixer`;
  return {
    encoder: levels('encoder').map((i) => ({
      hidden: extent(`encoder.${i}.0.weight`, 0),
      outputs: extent(`encoder.${i}.2.weight`, 0) / 2,
      taps: extent(`encoder.${i}.0.weight`, 2),
    })),
    decoder: levels('decoder').map((i) => ({
      gated: extent(`decoder.${i}.0.weight`, 0) / 2,
      outputs: extent(`decoder.${i}.2.weight`, 1),
      taps: extent(`decoder.${i}.2.weight`, 2),
    })),
    bottleneck: shapes.has('tsfm_Mamba_layers.weight_ih_l0')
      ? {
          kind: 'lstm',
          width,
          hidden: extent('tsfm_Mamba_layers.weight_hh_l0', 1),
          layers: count((i) => `tsfm_Mamba_layers.weight_ih_l${i}`),
        }
      : {
          kind: 'mamba',
          width,
          blocks: Array.from({ length: count((i) => `${mixer(i)}.A_log`) }, (_, i) => ({
            inner: extent(`${mixer(i)}.A_log`, 0),
            states: extent(`${mixer(i)}.A_log`, 1),
            dtRank: extent(`${mixer(i)}.dt_proj.weight`, 1),
            taps: extent(`${mixer(i)}.conv1d.weight`, 2),
          })),
        },
  };
}
