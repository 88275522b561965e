import { ArgumentError } from '../../errors.ts';
import { traceModel, type Model, type Node } from '../../signal/index.ts';
import { snapshotNumbers, type Parameters } from '../../stream/index.ts';
import type { RecurrentLearningAttributes } from './recurrent-learning.ts';

/** Of an op that learns: the section of its state that holds what was learned of an input, by input. */
function sectionsOf({ source, inputs }: Node): { readonly section: string; readonly input: Node }[] {
  if (source.kind !== 'op') return [];
  if (source.op.name === 'recurrent-learning') {
    const { has } = source.attributes as RecurrentLearningAttributes;
    return has.map((section, i) => ({ section, input: inputs[i + 2]! }));
  }
  if (source.op.name === 'recursive-least-squares') return [{ section: 'weights', input: inputs[2]! }];
  return [];
}

/**
 * The parameters as they are by now: what the stream began with plus what its layers learned. They fit the model that
 * learns, to begin another stream there, and its `still` form.
 *
 * @param parameters those that the stream was compiled with.
 * @param snapshot of the stream.
 * @returns every parameter of the model by name.
 * @throws ArgumentError where nothing in the model learns; SnapshotError on a damaged snapshot.
 * @example
 * const weights = learnedParameters(model, parameters, stream.snapshot());
 * const frozen = compile(model.still, weights);
 */
export function learnedParameters(
  model: Model,
  parameters: Parameters,
  snapshot: Uint8Array,
): Map<string, Float64Array> {
  const graph = traceModel(model);
  const given = parameters instanceof Map ? parameters : new Map(Object.entries(parameters));
  const weights = new Map([...given].map(([name, values]) => [name, Float64Array.from(values)]));
  const numbers = snapshotNumbers(Uint8Array.from(snapshot));
  let found = 0;
  for (const node of graph.nodes) {
    for (const { section, input } of sectionsOf(node)) {
      if (input?.source.kind !== 'parameter') continue;
      const learned = numbers.get(`${node.path}:${section}`);
      const values = weights.get(input.source.name);
      if (learned === undefined || values?.length !== learned.length) {
        throw new ArgumentError(
          `the snapshot has nothing learned of "${input.source.name}" (${node.path}); take it from a stream of ${model.name}`,
        );
      }
      for (let i = 0; i < values.length; i++) values[i]! += learned[i]!;
      found++;
    }
  }
  if (found === 0) throw new ArgumentError(`${model.name} has no parameter that is learned on a stream`);
  return weights;
}
