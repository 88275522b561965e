import { saveSafetensors, tensor, type Tensor } from '../checkpoint/index.ts';
import { traceModel } from '../signal/index.ts';
import { checkParameters, type Parameters } from '../stream/constants.ts';
import type { Config } from './format.ts';
import { modelFor } from './formats.ts';

export interface SaveOptions {
  /** `F32` (default) rounds the weights as checkpoints of the field do; `F64` keeps every bit. */
  readonly dtype?: 'F32' | 'F64';
  /** Further texts for the metadata, such as a licence. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes a trained model as a safetensors file that `loadModel` needs nothing else for: its metadata hold
 * `format` and `config`. The file appears whole or not at all.
 *
 * @throws ArgumentError for a format or configuration that could not be loaded again.
 * @throws ParameterError for parameters that are missing, superfluous, of another size or not finite.
 * @example
 * saveModel('model.safetensors', 's4d', { d_model: 4, d_state: 16 }, parameters);
 */
export function saveModel(
  path: string,
  format: string,
  config: Config,
  parameters: Parameters,
  options: SaveOptions = {},
): void {
  const { dtype = 'F32', metadata = {} } = options;
  const graph = traceModel(modelFor(format, config));
  const values = checkParameters(graph, parameters);
  const tensors = new Map<string, Tensor>();
  for (const [name, { shape }] of graph.parameters) {
    const data = values.get(name)!;
    tensors.set(name, tensor(dtype, shape, dtype === 'F32' ? Float32Array.from(data) : data, name));
  }
  saveSafetensors(path, tensors, { ...metadata, format, config: JSON.stringify(config) });
}
