import { SequenceProgram } from '../../backends/wasm/train/program.ts';
import { StreamError } from '../../errors.ts';
import { traceModel, type Model } from '../../signal/index.ts';
import { checkParameters, environmentAt, type Parameters } from '../../stream/constants.ts';
import type { Gradients, LossGradient } from '../gradient.ts';
import type { EvaluateOptions, Sequences } from '../tape.ts';
import { ConstantPart } from './constants.ts';

/**
 * As `gradient`, by the kernels that train on the CPU: float32 for what varies in time, float64 for constants and
 * for sums over time.
 *
 * @throws StreamError where `lossGradient` returns another number of values than the output has.
 */
export function cpuGradient(
  model: Model,
  parameters: Parameters,
  inputs: Sequences,
  lossGradient: LossGradient,
  options: EvaluateOptions & { readonly deterministic?: boolean } = {},
): Gradients {
  const graph = traceModel(model, options.irregular === true ? 'port' : 'constant');
  const constants = new ConstantPart(graph, environmentAt(graph, options.sampleRate), () => true);
  const program = new SequenceProgram(graph, {
    deterministic: options.deterministic,
    isTrained: ({ id }) => constants.trained.has(id),
    inputGradients: true,
  });
  program.load(constants.forward(checkParameters(graph, parameters)));
  const frames: Record<string, number> = {};
  const given = Object.fromEntries(
    [...graph.inputs].map(([port, node]) => {
      const data = inputs[port];
      const width = node.shape.reduce((a, b) => a * b, 1);
      if (data === undefined || data.length % width !== 0) {
        throw new StreamError(
          `input "${port}" of ${graph.name} is missing or no whole frames; give frames × ${width}`,
        );
      }
      frames[port] = data.length / width;
      return [port, { data, frames: frames[port], appended: graph.endPadding(frames[port]) }];
    }),
  );
  const outputs = Object.fromEntries(
    Object.entries(program.forward(given, true)).map(([port, y]) => [port, Float64Array.from(y)]),
  );
  const seeds = lossGradient(outputs);
  for (const [port, y] of Object.entries(outputs)) {
    if (seeds[port]?.length !== y.length) {
      throw new StreamError(
        `the gradient of output "${port}" has ${seeds[port]?.length ?? 'no'} values, the output ${y.length}; give one for each`,
      );
    }
  }
  program.back(seeds);
  const inputGradients = Object.fromEntries(
    [...graph.inputs.keys()].map((port) => [
      port,
      Float64Array.from(program.inputGradient(port, frames[port]!)),
    ]),
  );
  return { outputs, parameters: constants.back(program.finish()), inputs: inputGradients };
}
