import { StreamError } from '../errors.ts';
import { type FloatArray, type Model, type Node, type Sequence } from '../signal/index.ts';
import type { Parameters } from '../stream/constants.ts';
import { dropSurplus, framesOf, record, type EvaluateOptions, type Sequences, type Tape } from './tape.ts';

export interface Gradients {
  readonly outputs: Readonly<Record<string, Float64Array>>;
  /** ∂L/∂parameter by name. */
  readonly parameters: ReadonlyMap<string, Float64Array>;
  /** ∂L/∂input by port, frames × channels. */
  readonly inputs: Readonly<Record<string, Float64Array>>;
}

/** ∂L/∂output by port, computed from the outputs; frames × channels. */
export type LossGradient = (
  outputs: Readonly<Record<string, Float64Array>>,
) => Readonly<Record<string, FloatArray>>;

/**
 * The gradient of a loss over one sequence, by every op's adjoint in reverse, in float64.
 *
 * @throws StreamError where `lossGradient` returns another number of values than the output has.
 * @example
 * const { parameters } = gradient(model, weights, { input }, ({ output }) => ({ output: output.map((y, i) => y - target[i]!) }));
 */
export function gradient(
  model: Model,
  parameters: Parameters,
  inputs: Sequences,
  lossGradient: LossGradient,
  options: EvaluateOptions = {},
): Gradients {
  return backward(record(model, parameters, inputs, options), inputs, lossGradient);
}

/** The way back over what was recorded of `inputs`. */
export function backward(tape: Tape, inputs: Sequences, lossGradient: LossGradient): Gradients {
  const { graph, sequences, frames, calls } = tape;
  const outputs = Object.fromEntries(
    [...graph.outputs].map(([port, node]) => [port, framesOf(sequences.get(node)!, frames.get(node)!)]),
  );

  const gradients = new Map<Node, Sequence>();
  for (const node of graph.nodes) {
    const { data, origin, width } = sequences.get(node)!;
    gradients.set(node, { data: new Float64Array(data.length), origin, width });
  }
  const seeds = lossGradient(outputs);
  for (const [port, node] of graph.outputs) {
    const seed = seeds[port];
    const expected = outputs[port]!.length;
    if (seed?.length !== expected) {
      throw new StreamError(
        `the gradient of output "${port}" has ${seed?.length ?? 'no'} values, the output ${expected}; give one for each`,
      );
    }
    const { data, origin } = gradients.get(node)!;
    for (let i = 0; i < expected; i++) data[origin + i]! += seed[i]!;
  }

  for (const node of [...graph.nodes].reverse()) {
    const call = calls.get(node);
    if (call === undefined || node.source.kind !== 'op') continue;
    if (node.timing) dropSurplus(node, call.firings, gradients.get(node)!);
    node.source.op.adjoint({
      ...call,
      dOutput: gradients.get(node)!,
      dInputs: node.inputs.map((input) => gradients.get(input)!),
    });
  }
  return {
    outputs,
    parameters: new Map([...graph.parameters].map(([name, node]) => [name, gradients.get(node)!.data])),
    inputs: Object.fromEntries(
      // Without the frames that the end rule appended, which nobody gave.
      [...graph.inputs].map(([port, node]) => {
        const sequence = gradients.get(node)!;
        return [port, framesOf(sequence, inputs[port]!.length / sequence.width)];
      }),
    ),
  };
}
