import { torchUniform } from '../layers/initialisers.ts';
import { add, convolution, dense, mul, neg, reshape, sigmoid, split, sub } from '../ops/index.ts';
import { defineLayer, sizeOf, type Layer, type Shape, type Signal, type Trace } from '../signal/index.ts';

/** One array of blocks of a capture's WaveNet. */
export interface NamLayerArray {
  /** C: channels between its blocks. */
  readonly channels: number;
  /** K: taps of each dilated convolution. */
  readonly kernelSize: number;
  /** One for each block. */
  readonly dilations: readonly number[];
  readonly activation: (x: Signal) => Signal;
  /** The convolutions have 2C outputs: activation(first half) ⊙ σ(second half). */
  readonly gated: boolean;
  /** Channels, taps and bias of what the array gives to the next one's head, or at the end to the output. */
  readonly head: { readonly channels: number; readonly kernelSize: number; readonly bias: boolean };
}

export interface NamWavenetOptions {
  readonly arrays: readonly [NamLayerArray, ...NamLayerArray[]];
  readonly sampleRate?: number | undefined;
}

/**
 * The WaveNet of Neural Amp Modeler: dilated causal convolutions, the dry input u mixed into each, and a head that
 * sums what all blocks say.
 *
 *     x₀ = rechannel · (u, or what the array before passes on)
 *     z = conv(x) + mixin · u;   z ← φ(z), or φ(first half) ⊙ σ(second half)
 *     head += z;   x ← x + residual · z
 *     the next array starts from x and from head ← head-convolution(head); out = head_scale · head
 *
 * What was before the first frame is silence, as the core runs it over a capture before it plays: not zeros inside,
 * since biases make something of silence, and the jump from zeros would be a loud click. So x is carried as its
 * distance to what silence makes of it, whose padding is zero; the rest is an expression of the parameters alone, and
 * goes into the biases.
 *
 * | parameter | shape |
 * | --- | --- |
 * | `layers.a.rechannel.weight` | (C × inputs) |
 * | `layers.a.blocks.b.conv.weight`, `.bias` | (C or 2C × C × K), (C or 2C) |
 * | `layers.a.blocks.b.mixin.weight` | (C or 2C × 1) |
 * | `layers.a.blocks.b.residual.weight`, `.bias` | (C × C), (C); not behind the very last block, where nothing reads it |
 * | `layers.a.head.weight`, `.bias` | (head channels × C × head taps), (head channels) |
 * | `head_scale` | (1) |
 *
 * On a stream: causal, no latency, Σ C (K − 1) dilation numbers of memory. It counts frames, so it does not follow
 * another sample rate.
 *
 * Source: sdatkinson/NeuralAmpModelerCore `NAM/wavenet.cpp`; van den Oord et al., "WaveNet" (arXiv 1609.03499), §2.
 *
 * @example
 * const { model, parameters } = loadModel('amp.nam');
 */
export function namWavenet({ arrays, sampleRate }: NamWavenetOptions): Layer {
  return defineLayer({
    name: 'nam-wavenet',
    features: 1,
    sampleRate,
    apply(trace, input) {
      let x = input;
      let rest = trace.literal([0]);
      let head: Sounding | undefined;
      for (const [a, array] of arrays.entries()) {
        const inside = trace.scope(`layers.${a}`);
        const { channels } = array;
        const rechannel = weight(inside, 'rechannel', [channels, rest.width]);
        x = dense(x, rechannel);
        rest = dense(rest, rechannel);
        for (const [b, dilation] of array.dilations.entries()) {
          const block = inside.scope(`blocks.${b}`);
          const z = activated(block, { x, rest, input, dilation, array });
          head = head ? { value: add(head.value, z.value), rest: add(head.rest, z.rest) } : z;
          if (isLastBlock(arrays, a, b)) continue;
          const residual = weight(block, 'residual', [channels, channels]);
          x = add(x, dense(z.value, residual, neg(dense(z.rest, residual))));
          rest = add(rest, dense(z.rest, residual, biasOf(block, 'residual', channels, channels)));
        }
        head = headOf(inside, head!, array);
      }
      const scale = trace.parameter('head_scale', [1], () => Float64Array.of(0.02));
      return mul(head!.value, scale);
    },
  });
}

/** A signal, and what silence makes of it: a constant. */
interface Sounding {
  readonly value: Signal;
  readonly rest: Signal;
}

/**
 * What the file's flat list holds, in its order: names as above, and shapes. The residual behind the very last block
 * is in the file as well, under a name that the model does not have.
 */
export function* namWavenetLayout(
  arrays: NamWavenetOptions['arrays'],
): Generator<readonly [name: string, shape: Shape]> {
  let inputs = 1;
  for (const [a, { channels, kernelSize, dilations, gated, head }] of arrays.entries()) {
    const outputs = gated ? 2 * channels : channels;
    yield [`layers.${a}.rechannel.weight`, [channels, inputs]];
    for (let b = 0; b < dilations.length; b++) {
      const block = `layers.${a}.blocks.${b}`;
      yield [`${block}.conv.weight`, [outputs, channels, kernelSize]];
      yield [`${block}.conv.bias`, [outputs]];
      yield [`${block}.mixin.weight`, [outputs, 1]];
      yield [`${block}.residual.weight`, [channels, channels]];
      yield [`${block}.residual.bias`, [channels]];
    }
    yield [`layers.${a}.head.weight`, [head.channels, channels, head.kernelSize]];
    if (head.bias) yield [`layers.${a}.head.bias`, [head.channels]];
    inputs = channels;
  }
  yield ['head_scale', [1]];
}

const isLastBlock = (arrays: NamWavenetOptions['arrays'], a: number, b: number): boolean =>
  a === arrays.length - 1 && b === arrays[a]!.dilations.length - 1;

interface Block {
  /** The distance to `rest` (C). */
  readonly x: Signal;
  readonly rest: Signal;
  readonly input: Signal;
  readonly dilation: number;
  readonly array: NamLayerArray;
}

function activated(trace: Trace, { x, rest, input, dilation, array }: Block): Sounding {
  const { channels, kernelSize, activation, gated } = array;
  const outputs = gated ? 2 * channels : channels;
  const taps = weight(trace, 'conv', [outputs, channels, kernelSize]);
  const still = dense(rest, overTaps(taps), biasOf(trace, 'conv', outputs, channels * kernelSize));
  const mixin = weight(trace, 'mixin', [outputs, input.width]);
  const apply = (z: Signal): Signal => {
    if (!gated) return activation(z);
    const [value, gate] = split(z, [channels, channels]);
    return mul(activation(value!), sigmoid(gate!));
  };
  const z = add(convolution(x, taps, { dilation, bias: still }), dense(input, mixin));
  return { value: apply(z), rest: apply(still) };
}

function headOf(trace: Trace, { value, rest }: Sounding, { channels, head }: NamLayerArray): Sounding {
  const taps = weight(trace, 'head', [head.channels, channels, head.kernelSize]);
  const bias = head.bias ? biasOf(trace, 'head', head.channels, channels * head.kernelSize) : undefined;
  const still = dense(rest, overTaps(taps), bias);
  return { value: convolution(sub(value, rest), taps, { bias: still }), rest: still };
}

/** What a convolution does to a constant: its taps summed, (outputs × inputs). */
const overTaps = (taps: Signal): Signal => {
  const [outputs, inputs, count] = taps.shape as [number, number, number];
  const ones = taps.trace.literal(new Float64Array(count).fill(1), [1, count]);
  return reshape(dense(taps, ones), [outputs, inputs]);
};

/** As torch's `Linear` and `Conv1d` initialise theirs. */
const weight = (trace: Trace, name: string, shape: Shape): Signal =>
  trace.parameter(`${name}.weight`, shape, torchUniform(sizeOf(shape.slice(1))));

const biasOf = (trace: Trace, name: string, outputs: number, fanIn: number): Signal =>
  trace.parameter(`${name}.bias`, [outputs], torchUniform(fanIn));
