import { Trace, type Graph, type Signal, type TimeSource } from './graph.ts';
import { sizeOf, type Shape } from './shape.ts';
import { GraphError } from '../errors.ts';

/**
 * Anything that can be traced to a graph: an architecture with its configuration, without weights and
 * without state. `compile` makes a stream of it, `initialise` its parameters, `fit` trains it.
 */
export interface Model {
  readonly name: string;
  /** Shape of a frame at each input port. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /** Hz that the parameters were made for; undefined where the model knows no rate. */
  readonly sampleRate?: number | undefined;
  /** Zero frames that the official code appends as signal to an input of `frames` frames. */
  readonly endPadding?: ((frames: number) => number) | undefined;
  build(trace: Trace, inputs: Readonly<Record<string, Signal>>): Readonly<Record<string, Signal>>;
}

/** A model of one input and one output that can stand inside others. */
export interface Layer extends Model {
  /** Writes the layer into a trace that already runs: `layer.apply(trace.scope('layers.0'), x)`. */
  apply(trace: Trace, x: Signal): Signal;
}

export interface LayerDefinition {
  readonly name: string;
  /** Numbers in an input frame. */
  readonly features: number;
  readonly sampleRate?: number | undefined;
  readonly endPadding?: ((frames: number) => number) | undefined;
  apply(trace: Trace, x: Signal): Signal;
}

/**
 * A layer from the function that writes it down.
 *
 * @example
 * const gain = defineLayer({ name: 'gain', features: 1, apply: (t, x) => mul(x, t.parameter('gain', [1])) });
 */
export function defineLayer(definition: LayerDefinition): Layer {
  const { name, features, sampleRate, endPadding } = definition;
  if (!(Number.isSafeInteger(features) && features >= 1)) {
    throw new GraphError(`${name}: features is ${features}; give a whole number of at least 1`);
  }
  return {
    name,
    inputs: { input: [features] },
    sampleRate,
    endPadding,
    apply(trace, x) {
      if (sizeOf(x.shape) !== features) {
        throw new GraphError(
          `${name} takes frames of ${features}, but ${x.node.path} has ${sizeOf(x.shape)}; set features to that`,
        );
      }
      return definition.apply(trace, x);
    },
    build(trace, { input }) {
      return { output: this.apply(trace, input!) };
    },
  };
}

/** Layers one behind the other; parameters are prefixed `0.`, `1.`, … or with the given names. */
export function sequential(layers: readonly [Layer, ...Layer[]], names?: readonly string[]): Layer {
  const first = layers[0];
  return defineLayer({
    name: `sequential(${layers.map((layer) => layer.name).join(', ')})`,
    features: sizeOf(first.inputs['input']!),
    sampleRate: layers.find((layer) => layer.sampleRate !== undefined)?.sampleRate,
    apply: (trace, x) =>
      layers.reduce((signal, layer, i) => layer.apply(trace.scope(names?.[i] ?? `${i}`), signal), x),
  });
}

/** The graph of a model; `time: 'port'` adds a port `dt`, one number a frame, for irregular time. */
export function traceModel(model: Model, time: TimeSource = 'constant'): Graph {
  const trace = new Trace(time);
  const inputs = Object.fromEntries(
    Object.entries(model.inputs).map(([port, shape]) => [port, trace.input(port, shape)]),
  );
  return trace.finish(model.name, model.build(trace, inputs), {
    sampleRate: model.sampleRate,
    endPadding: model.endPadding,
  });
}
