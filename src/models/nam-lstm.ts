import { torchUniform, zeros } from '../layers/initialisers.ts';
import { dense, lstmCell, slice } from '../ops/index.ts';
import { defineLayer, type Layer, type Shape } from '../signal/index.ts';

export interface NamLstmOptions {
  /** H: units of each layer, `hidden_size`. */
  readonly hidden: number;
  /** `num_layers`. */
  readonly layers: number;
  readonly sampleRate?: number | undefined;
}

/**
 * The LSTM of Neural Amp Modeler: layers of H units, gates in torch's order i, f, g, o, and a linear read-out. The
 * state that the file was trained to begin with is part of the parameters.
 *
 * | parameter | shape |
 * | --- | --- |
 * | `layers.i.weight` | (4H × inputs + H): input columns, then those of the state |
 * | `layers.i.bias` | (4H) |
 * | `layers.i.h0`, `layers.i.c0` | (H) each |
 * | `head.weight`, `.bias` | (1 × H), (1) |
 *
 * On a stream: causal, no latency, 2H numbers of state a layer. It counts frames, so it does not follow another
 * sample rate.
 *
 * Source: sdatkinson/NeuralAmpModelerCore `NAM/lstm.cpp`.
 *
 * @example
 * const { model, parameters } = loadModel('amp.nam');
 */
export function namLstm({ hidden, layers, sampleRate }: NamLstmOptions): Layer {
  return defineLayer({
    name: 'nam-lstm',
    features: 1,
    sampleRate,
    apply(trace, input) {
      let x = input;
      for (let i = 0; i < layers; i++) {
        const inside = trace.scope(`layers.${i}`);
        const inputs = x.width;
        const weight = inside.parameter('weight', [4 * hidden, inputs + hidden], torchUniform(hidden));
        const bias = inside.parameter('bias', [4 * hidden], torchUniform(hidden));
        const initial = {
          h: inside.parameter('h0', [hidden], zeros),
          c: inside.parameter('c0', [hidden], zeros),
        };
        x = lstmCell(dense(x, slice(weight, 0, inputs), bias), {
          weight: slice(weight, inputs, hidden),
          initial,
        });
      }
      return dense(
        x,
        trace.parameter('head.weight', [1, hidden], torchUniform(hidden)),
        trace.parameter('head.bias', [1], torchUniform(hidden)),
      );
    },
  });
}

/** What the file's flat list holds, in its order: names as above, and shapes. */
export function* namLstmLayout({
  hidden,
  layers,
}: NamLstmOptions): Generator<readonly [name: string, shape: Shape]> {
  for (let i = 0; i < layers; i++) {
    yield [`layers.${i}.weight`, [4 * hidden, (i === 0 ? 1 : hidden) + hidden]];
    yield [`layers.${i}.bias`, [4 * hidden]];
    yield [`layers.${i}.h0`, [hidden]];
    yield [`layers.${i}.c0`, [hidden]];
  }
  yield ['head.weight', [1, hidden]];
  yield ['head.bias', [1]];
}
