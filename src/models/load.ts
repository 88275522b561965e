import { loadCheckpoint, takeParameters, type Checkpoint, type Tensor } from '../checkpoint/index.ts';
import { ArgumentError, FormatError } from '../errors.ts';
import { traceModel } from '../signal/index.ts';
import type { Config, ModelFormat } from './format.ts';
import { formatByName } from './formats.ts';
import type { LoadedModel, LoadOptions } from './loaded-model.ts';
import { isNamPath, loadNamModel } from './nam.ts';

export type { LoadedModel, LoadOptions };

/** What the Python libraries write as `format`: the tensors' framework, not an architecture. */
const FRAMEWORKS = new Set(['pt', 'np', 'tf', 'flax', 'jax', 'mlx', 'paddle']);

/**
 * Loads a trained model from a safetensors file or a PyTorch checkpoint. Which architecture it is, the file's metadata
 * say (`format`, and `config` as JSON), or the caller. A path that ends in `.nam` is a capture of Neural Amp Modeler,
 * which says it itself.
 *
 * @throws FormatError for a file that is not what it says it is.
 * @throws ArgumentError where nobody says the format or the configuration, or where they are wrong.
 * @throws ParameterError for missing, superfluous and mis-shaped tensors.
 * @example
 * const { model, parameters, sampleRate } = loadModel('voice.safetensors');
 * const stream = compile(model, parameters, { sampleRate });
 */
export function loadModel(path: string, options: LoadOptions = {}): LoadedModel {
  if (isNamPath(path)) return loadNamModel(path, options);
  return modelOf(loadCheckpoint(path, options.root === undefined ? {} : { root: options.root }), options);
}

/** The same of a checkpoint that has been read already. */
export function modelOf(checkpoint: Checkpoint, options: LoadOptions = {}): LoadedModel {
  const { source, metadata } = checkpoint;
  const stated = metadata.get('format');
  const name = options.format ?? (stated !== undefined && FRAMEWORKS.has(stated) ? undefined : stated);
  if (name === undefined) {
    throw new ArgumentError(
      `${source} does not say which architecture it is${stated === undefined ? '' : ` ("${stated}" names a framework)`}; ` +
        'give the format (--format s4d) and its configuration (--config \'{"d_model": 4}\')',
    );
  }
  const format = formatByName(name);
  const config = options.config ?? parseConfig(metadata.get('config'), source);
  const named = rename(checkpoint, format);
  const shapes = new Map([...named.tensors].map(([key, { shape }]) => [key, shape]));
  const model = format.build(config, shapes);
  const expected = new Map([...traceModel(model).parameters].map(([key, { shape }]) => [key, shape]));
  const parameters = takeParameters(named, expected);
  return { model, parameters, sampleRate: model.sampleRate, format: name, config };
}

/**
 * A configuration from JSON text.
 *
 * @param source where the text stands, for messages.
 * @throws ArgumentError where there is none, FormatError where it is no JSON object.
 */
export function parseConfig(text: string | undefined, source: string): Config {
  if (text === undefined) {
    throw new ArgumentError(
      `${source} has no "config" in its metadata; give the configuration (--config '{"d_model": 4}')`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(
      `${source}: the configuration is no JSON (${(cause as Error).message}); give an object`,
      {
        cause,
      },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError(
      `${source}: the configuration is ${text.slice(0, 60)}; give a JSON object such as {"d_model": 4}`,
    );
  }
  return value as Config;
}

/** The checkpoint under the model's names, buffers left out. */
function rename(checkpoint: Checkpoint, format: ModelFormat): Checkpoint {
  if (format.nameMap === undefined) return checkpoint;
  const tensors = new Map<string, Tensor>();
  for (const [name, tensor] of checkpoint.tensors) {
    const ours = format.nameMap(name);
    if (ours === undefined) continue;
    if (tensors.has(ours)) {
      throw new FormatError(
        `${checkpoint.source}: two tensors are "${ours}", one of them under "${name}"; remove one`,
      );
    }
    tensors.set(ours, tensor);
  }
  return { ...checkpoint, tensors };
}
