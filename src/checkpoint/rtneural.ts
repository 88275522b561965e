import { readFileSync, statSync } from 'node:fs';
import { FormatError } from '../errors.ts';
import { fromKerasLayout, isKerasLayout, notAModel } from './rtneural/keras.ts';
import type { RtneuralFile } from './rtneural/layers.ts';
import { fromStateDict, type TorchModule } from './rtneural/torch.ts';

export type { RtneuralFile, RtneuralLayer } from './rtneural/layers.ts';
export type { TorchModule } from './rtneural/torch.ts';

export interface RtneuralOptions {
  /** Where the text stands, for messages. */
  readonly source?: string;
  /** What a torch state_dict does not say, by the module's name; `''` for tensors without one. */
  readonly modules?: Readonly<Record<string, TorchModule>>;
}

/** Models of this kind are some hundred kilobytes; a text is held several times while it is read. */
const LARGEST = 64 * 1024 * 1024;

/**
 * Reads a model of RTNeural (github.com/jatinchowdhury18/RTNeural) from JSON text: its own format, as its Keras and
 * torch exporters write it, or a torch `state_dict` written as JSON. Every size is checked against the weights;
 * they come out in torch's orientation.
 *
 * @throws FormatError naming the file, the layer, what is wrong and the cure.
 * @example
 * const { layers, sampleRate } = readRtneural(text);
 */
export function readRtneural(text: string, options: RtneuralOptions = {}): RtneuralFile {
  const { source = 'the text', modules = {} } = options;
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch (cause) {
    throw new FormatError(`${source}: it is no JSON (${(cause as Error).message}); export the model again`, {
      cause,
    });
  }
  if (isKerasLayout(root)) return fromKerasLayout(source, root);
  if (typeof root !== 'object' || root === null || Array.isArray(root) || Object.keys(root).length === 0)
    return notAModel(source, root);
  return fromStateDict(source, root as Readonly<Record<string, unknown>>, modules);
}

/**
 * The same from a file.
 *
 * @throws FormatError as `readRtneural`, and for a file of more than 64 MiB.
 */
export function loadRtneural(path: string, options: RtneuralOptions = {}): RtneuralFile {
  const { size } = statSync(path);
  if (size > LARGEST)
    throw new FormatError(
      `${path}: it has ${size} bytes, ${LARGEST} at most are read as JSON; use safetensors`,
    );
  return readRtneural(readFileSync(path, 'utf8'), { source: path, ...options });
}
