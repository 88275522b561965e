import { plainReadOutOp } from '../ops/index.ts';
import { traceModel, type Model } from '../signal/index.ts';
import { checkParameters, environmentAt, evaluateConstants, type Parameters } from '../stream/constants.ts';

/**
 * The parameters of a model with every S4 kernel's C̃ replaced by the C that it stands for, and its `l_kernel` by 0:
 * the same model, which can be trained on. Parameters of other layers are as they were.
 *
 * @throws ParameterError as `compile`.
 * @example
 * const { model, parameters } = loadModel('s4.safetensors');
 * const trainable = plainReadOuts(model, parameters);
 */
export function plainReadOuts(model: Model, parameters: Parameters): Map<string, Float64Array> {
  const graph = traceModel(model);
  const checked = checkParameters(graph, parameters);
  const values = evaluateConstants(graph, checked, environmentAt(graph, undefined));
  const plain = new Map(checked);
  for (const node of graph.nodes) {
    if (node.source.kind !== 'op' || node.source.op !== plainReadOutOp) continue;
    const [stored, length] = node.inputs;
    for (const [name, parameter] of graph.parameters) {
      if (parameter === stored) plain.set(name, Float64Array.from(values.get(node.id)!));
      if (parameter === length) plain.set(name, new Float64Array(1));
    }
  }
  return plain;
}
