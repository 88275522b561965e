import type { Layer, Model } from '../signal/index.ts';
import { formatByName } from './formats.ts';
import type { LoadedModel } from './loaded-model.ts';

/**
 * A loaded model as raw recordings need it: with what the official code does to a clip before the network sees it,
 * where it does something, in the form that a stream can have. Same parameters.
 *
 * @example
 * const loaded = loadModel('CleanUMamba.safetensors');
 * const stream = compile(onRecordings(loaded), loaded.parameters); // divides by a running level, and multiplies again
 */
export function onRecordings({ model, format }: LoadedModel): Model {
  const { onRecordings: prepare } = formatByName(format);
  // Formats that prepare something build layers.
  return prepare === undefined ? model : prepare(model as Layer);
}
