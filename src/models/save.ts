import { saveSafetensors, tensor, type Checkpoint, type Tensor } from '../checkpoint/index.ts';
import { traceModel, type Model } from '../signal/index.ts';
import { checkParameters, type Parameters } from '../stream/constants.ts';
import type { Config } from './format.ts';
import { modelFor } from './formats.ts';

export interface SaveOptions {
  /** `F32` (default) and `F16` round the weights as checkpoints of the field do; `F64` keeps every bit. */
  readonly dtype?: 'F16' | 'F32' | 'F64';
  /** The model itself, for architectures whose sizes only the weights know (pruned networks). */
  readonly model?: Model;
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
  const { tensors, metadata } = packModel(path, format, config, parameters, options);
  saveSafetensors(path, tensors, metadata);
}

/** What `saveModel` writes, before it is written. Errors as there. */
export function packModel(
  source: string,
  format: string,
  config: Config,
  parameters: Parameters,
  options: SaveOptions = {},
): Checkpoint {
  const { dtype = 'F32', metadata = {}, model } = options;
  const sizes = model && new Map([...traceModel(model).parameters].map(([name, { shape }]) => [name, shape]));
  const graph = traceModel(modelFor(format, config, sizes));
  const values = checkParameters(graph, parameters);
  const tensors = new Map<string, Tensor>();
  for (const [name, { shape }] of graph.parameters) {
    const data = values.get(name)!;
    tensors.set(name, tensor(dtype, shape, dtype === 'F64' ? data : Float32Array.from(data), name));
  }
  const texts = { ...metadata, format, config: JSON.stringify(config) };
  return { source, tensors, metadata: new Map(Object.entries(texts)) };
}
