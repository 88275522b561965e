import { random, type Random } from '../init/index.ts';
import { traceModel, type Initialiser, type Model } from '../signal/index.ts';
import { ParameterError } from '../errors.ts';

/**
 * Fresh parameters of a model, as its layers' papers initialise them. The same seed gives the same numbers
 * everywhere.
 *
 * @throws ParameterError where a layer only runs on imported parameters.
 * @example
 * const parameters = initialise(s4d({ features: 1, states: 16 }), 42);
 */
export function initialise(model: Model, seed: number): Map<string, Float64Array> {
  const source = random(seed);
  const graph = traceModel(model);
  const values = new Map<string, Float64Array>();
  for (const [name, { shape, source: origin }] of graph.parameters) {
    const make =
      origin.kind === 'parameter' ? (origin.initialise as Initialiser<Random> | undefined) : undefined;
    if (make === undefined)
      throw new ParameterError(`${graph.name} has no initialisation for "${name}"; import its parameters`);
    values.set(name, Float64Array.from(make(shape, source)));
  }
  return values;
}
