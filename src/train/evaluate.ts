import type { Model } from '../signal/index.ts';
import type { Parameters } from '../stream/constants.ts';
import { framesOf, record, type EvaluateOptions, type Sequences } from './tape.ts';

/**
 * A model over whole sequences at once, in float64: what offline code does. Also runs models that cannot
 * stream, since they read their input backwards. The end rule applies as in `Stream.end`.
 *
 * @param inputs frames × channels for each input port.
 * @returns frames × channels for each output port.
 * @example
 * const { output } = evaluate(model, parameters, { input: Float64Array.of(1, 0, 0, 0) });
 */
export function evaluate(
  model: Model,
  parameters: Parameters,
  inputs: Sequences,
  options: EvaluateOptions = {},
): Record<string, Float64Array> {
  const tape = record(model, parameters, inputs, options);
  return Object.fromEntries(
    [...tape.graph.outputs].map(([port, node]) => [
      port,
      framesOf(tape.sequences.get(node)!, tape.frames.get(node)!),
    ]),
  );
}
