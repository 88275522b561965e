import type { RtneuralFile, RtneuralLayer } from '../checkpoint/rtneural.ts';
import type { RecurrentWeights } from '../checkpoint/rtneural/layers.ts';
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

/** A layer without its weights: what a model is built from, and what a saved one's configuration says. */
export type RtneuralStructure =
  | { readonly type: 'dense'; readonly inputs: number; readonly outputs: number; readonly bias: boolean }
  | {
      readonly type: 'conv1d';
      readonly inputs: number;
      readonly outputs: number;
      readonly taps: number;
      readonly dilation: number;
      readonly groups: number;
      readonly bias: boolean;
    }
  | { readonly type: 'lstm'; readonly inputs: number; readonly outputs: number; readonly bias: boolean }
  | {
      readonly type: 'gru';
      readonly inputs: number;
      readonly outputs: number;
      readonly bias: boolean;
      readonly reset: 'after' | 'before';
    }
  | { readonly type: 'prelu'; readonly slopes: number }
  | {
      readonly type: 'batchnorm';
      readonly outputs: number;
      readonly epsilon: number;
      readonly scaled: boolean;
      readonly shifted: boolean;
    }
  | { readonly type: 'activation'; readonly name: keyof typeof activation };

/** The layers of a model, one behind the other. */
export interface RtneuralLayers {
  readonly features: number;
  readonly sampleRate: number | undefined;
  readonly layers: readonly RtneuralStructure[];
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
export function rtneural(file: RtneuralFile): RtneuralModel {
  const parameters = new Map<string, Float64Array>();
  file.layers.forEach((layer, i) => {
    for (const [name, value] of Object.entries(valuesOf(layer)))
      if (value) parameters.set(`${i}.${name}`, value);
  });
  return { model: rtneuralModel(rtneuralLayers(file)), parameters, sampleRate: file.sampleRate };
}

/** A file's layers without their weights. Errors as `rtneural`. */
export const rtneuralLayers = ({ source, features, sampleRate, layers }: RtneuralFile): RtneuralLayers => ({
  features,
  sampleRate,
  layers: layers.map((layer) => structureOf(layer, source)),
});

/** The model of layers, without weights; parameters as `rtneural`'s. */
export const rtneuralModel = ({ features, sampleRate, layers }: RtneuralLayers): Layer =>
  defineLayer({
    name: 'rtneural',
    features,
    sampleRate,
    apply: (trace, x) => layers.reduce((signal, layer, i) => write(layer, trace.scope(`${i}`), signal), x),
  });

function structureOf(layer: RtneuralLayer, source: string): RtneuralStructure {
  const { inputs, outputs } = layer;
  switch (layer.type) {
    case 'dense':
      return { type: 'dense', inputs, outputs, bias: layer.bias !== undefined };
    case 'conv1d': {
      const { taps, dilation, groups } = layer;
      return { type: 'conv1d', inputs, outputs, taps, dilation, groups, bias: layer.bias !== undefined };
    }
    case 'lstm':
      return { type: 'lstm', inputs, outputs, bias: hasBias(layer) };
    case 'gru':
      return { type: 'gru', inputs, outputs, bias: hasBias(layer), reset: layer.reset };
    case 'prelu':
      return { type: 'prelu', slopes: layer.slope.length };
    case 'batchnorm': {
      const { epsilon, weight, bias } = layer;
      return {
        type: 'batchnorm',
        outputs,
        epsilon,
        scaled: weight !== undefined,
        shifted: bias !== undefined,
      };
    }
    case 'activation': {
      const { name, place } = layer;
      if (Object.hasOwn(activation, name))
        return { type: 'activation', name: name as keyof typeof activation };
      throw new GraphError(
        `${source}: ${place}: activation ${name} is not supported; take it out of the file and apply it behind the model`,
      );
    }
  }
}

/** A layer's parameters by torch's names. */
function valuesOf(layer: RtneuralLayer): Readonly<Record<string, Float64Array | undefined>> {
  switch (layer.type) {
    case 'dense':
    case 'conv1d':
      return { weight: layer.weight, bias: layer.bias };
    case 'lstm':
    case 'gru': {
      const { weightIh, weightHh, biasIh, biasHh, outputs } = layer;
      // Keras has one bias where torch has two that are added.
      const none = hasBias(layer) ? new Float64Array(weightHh.length / outputs) : undefined;
      return {
        weight_ih_l0: weightIh,
        weight_hh_l0: weightHh,
        bias_ih_l0: biasIh ?? none,
        bias_hh_l0: biasHh ?? none,
      };
    }
    case 'prelu':
      return { weight: layer.slope };
    case 'batchnorm': {
      const { weight, bias, mean, variance } = layer;
      return { weight, bias, running_mean: mean, running_var: variance };
    }
    case 'activation':
      return {};
  }
}

const hasBias = ({ biasIh, biasHh }: RecurrentWeights): boolean =>
  biasIh !== undefined || biasHh !== undefined;

function write(layer: RtneuralStructure, trace: Trace, x: Signal): Signal {
  const vector = (name: string, length: number): Signal => trace.parameter(name, [length]);
  switch (layer.type) {
    case 'dense': {
      const { inputs, outputs, bias } = layer;
      const weight = trace.parameter('weight', [outputs, inputs]);
      return dense(x, weight, bias ? vector('bias', outputs) : undefined);
    }
    case 'conv1d': {
      const { inputs, outputs, taps, dilation, groups, bias } = layer;
      return convolution(x, trace.parameter('weight', [outputs, inputs / groups, taps]), {
        dilation,
        groups,
        bias: bias ? vector('bias', outputs) : undefined,
      });
    }
    case 'lstm':
      return lstm({ features: layer.inputs, hidden: layer.outputs, bias: layer.bias }).apply(trace, x);
    case 'gru': {
      const { inputs: features, outputs: hidden, bias, reset } = layer;
      return gru({ features, hidden, bias, reset }).apply(trace, x);
    }
    case 'prelu':
      return sub(relu(x), mul(relu(neg(x)), vector('weight', layer.slopes)));
    case 'batchnorm': {
      const { outputs, epsilon, scaled, shifted } = layer;
      const deviation = sqrt(add(vector('running_var', outputs), epsilon));
      const y = div(sub(x, vector('running_mean', outputs)), deviation);
      const z = scaled ? mul(y, vector('weight', outputs)) : y;
      return shifted ? add(z, vector('bias', outputs)) : z;
    }
    case 'activation':
      return activation[layer.name](x);
  }
}

/** What RTNeural calls them. */
export const activation = {
  tanh,
  relu,
  sigmoid,
  // x for x ≥ 0, eˣ − 1 below, without overflow on the side that is not taken.
  elu: (x: Signal): Signal => add(relu(x), sub(exp(neg(relu(neg(x)))), 1)),
} satisfies Readonly<Record<string, (x: Signal) => Signal>>;
