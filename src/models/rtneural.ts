import type { RtneuralFile, RtneuralLayer } from '../checkpoint/rtneural.ts';
import { GraphError } from '../errors.ts';
import { gru } from '../layers/gru.ts';
import { lstm } from '../layers/lstm.ts';
import { add, convolution, dense, div, exp, mul, neg, relu, sigmoid, sqrt, sub, tanh } from '../ops/index.ts';
import { defineLayer, type Layer, type Signal, type Trace } from '../signal/index.ts';

/** A model of RTNeural, ready to run. */
export interface RtneuralModel {
  readonly model: Layer;
  /** `<layer>.<torch's name>`: `0.weight_ih_l0`, `1.bias`. */
  readonly parameters: ReadonlyMap<string, Float64Array>;
  readonly sampleRate: number | undefined;
}

/** How a layer is written down, and its parameters' values by name. */
interface Piece {
  readonly values: Readonly<Record<string, Float64Array | undefined>>;
  readonly apply: (trace: Trace, x: Signal) => Signal;
}

/**
 * The model that an RTNeural file describes: its layers one behind the other, causal, convolutions over zeros before
 * the first frame.
 *
 * On a stream: no latency. It counts frames: at another rate than the file's it is refused.
 *
 * @throws GraphError for a layer that has no counterpart here, by name.
 * @example
 * const { model, parameters } = rtneural(loadRtneural('amp.json'));
 * const stream = compile(model, parameters);
 */
export function rtneural({ source, features, layers, sampleRate }: RtneuralFile): RtneuralModel {
  const pieces = layers.map((layer) => pieceOf(layer, source));
  const parameters = new Map<string, Float64Array>();
  pieces.forEach(({ values }, i) => {
    for (const [name, value] of Object.entries(values)) if (value) parameters.set(`${i}.${name}`, value);
  });
  const model = defineLayer({
    name: 'rtneural',
    features,
    sampleRate,
    apply: (trace, x) => pieces.reduce((signal, { apply }, i) => apply(trace.scope(`${i}`), signal), x),
  });
  return { model, parameters, sampleRate };
}

function pieceOf(layer: RtneuralLayer, source: string): Piece {
  const { inputs, outputs } = layer;
  switch (layer.type) {
    case 'dense': {
      const { weight, bias } = layer;
      return {
        values: { weight, bias },
        apply: (t, x) =>
          dense(x, t.parameter('weight', [outputs, inputs]), bias && t.parameter('bias', [outputs])),
      };
    }
    case 'conv1d': {
      const { weight, bias, taps, dilation, groups } = layer;
      return {
        values: { weight, bias },
        apply: (t, x) =>
          convolution(x, t.parameter('weight', [outputs, inputs / groups, taps]), {
            dilation,
            groups,
            bias: bias && t.parameter('bias', [outputs]),
          }),
      };
    }
    case 'lstm':
    case 'gru': {
      const { weightIh, weightHh, biasIh, biasHh, reset } = layer;
      // Keras has one bias where torch has two that are added.
      const bias = biasIh !== undefined || biasHh !== undefined;
      const none = bias ? new Float64Array(weightHh.length / outputs) : undefined;
      const options = { features: inputs, hidden: outputs, bias };
      const cells = layer.type === 'lstm' ? lstm(options) : gru({ ...options, reset });
      return {
        values: {
          weight_ih_l0: weightIh,
          weight_hh_l0: weightHh,
          bias_ih_l0: biasIh ?? none,
          bias_hh_l0: biasHh ?? none,
        },
        apply: (t, x) => cells.apply(t, x),
      };
    }
    case 'prelu': {
      const { slope } = layer;
      return {
        values: { weight: slope },
        apply: (t, x) => sub(relu(x), mul(relu(neg(x)), t.parameter('weight', [slope.length]))),
      };
    }
    case 'batchnorm': {
      const { weight, bias, mean, variance, epsilon } = layer;
      return {
        values: { weight, bias, running_mean: mean, running_var: variance },
        apply(t, x) {
          const vector = (name: string): Signal => t.parameter(name, [outputs]);
          const y = div(sub(x, vector('running_mean')), sqrt(add(vector('running_var'), epsilon)));
          const scaled = weight ? mul(y, vector('weight')) : y;
          return bias ? add(scaled, vector('bias')) : scaled;
        },
      };
    }
    case 'activation': {
      const apply = activation[layer.name];
      if (apply === undefined) {
        throw new GraphError(
          `${source}: ${layer.place}: activation ${layer.name} is not supported; take it out of the file and apply it behind the model`,
        );
      }
      return { values: {}, apply: (_t, x) => apply(x) };
    }
  }
}

const activation: Readonly<Record<string, ((x: Signal) => Signal) | undefined>> = {
  tanh,
  relu,
  sigmoid,
  // x for x ≥ 0, eˣ − 1 below, without overflow on the side that is not taken.
  elu: (x) => add(relu(x), sub(exp(neg(relu(neg(x)))), 1)),
};
