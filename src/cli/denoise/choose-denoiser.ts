import { loadCheckpointModel } from '../process/checkpoint.ts';
import type { Choice } from '../process/choice.ts';
import type { ModelOptions, RunOptions } from '../process/options.ts';

/** The command line of `denoise`, as commander parses it. */
export interface DenoiseOptions extends ModelOptions, RunOptions {
  /** The one that comes with the package by default. */
  readonly model?: string;
}

/** The checkpoint's model as raw recordings need it. Errors as `loadCheckpointModel`. */
export async function chooseDenoiser(options: DenoiseOptions): Promise<Choice> {
  const { onRecordings, shippedModel } = await import('../../models/index.ts');
  const loaded = await loadCheckpointModel(options.model ?? shippedModel('denoiser'), options);
  return { model: onRecordings(loaded), parameters: loaded.parameters };
}
