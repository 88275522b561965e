import type { Model } from '../signal/index.ts';
import type { Config } from './format.ts';

/** A trained model: the architecture and its weights. */
export interface LoadedModel {
  readonly model: Model;
  /** Values by the model's parameter names, row-major. */
  readonly parameters: ReadonlyMap<string, Float64Array>;
  /** Hz that the weights are for; undefined where nobody said. */
  readonly sampleRate: number | undefined;
  readonly format: string;
  readonly config: Config;
}

export interface LoadOptions {
  /** Instead of the checkpoint's own. */
  readonly format?: string | undefined;
  /** Instead of the checkpoint's own. */
  readonly config?: Config | undefined;
  /** Of a PyTorch checkpoint: the keys that lead to the model's tensors, joined by dots. */
  readonly root?: string | undefined;
}
