/** Runs in the model's thread. */
import type { LiveModel } from '../../live/node/index.ts';
import type { LoadedModel } from '../../models/index.ts';
import { chooseModel } from '../process/choose-model.ts';
import type { ProcessOptions } from '../process/filter-options.ts';
import type { MicOptions } from './options.ts';

/** The model that the command line asks for, as raw recordings need it. Errors as `chooseModel`. */
export async function chooseLiveModel(options: MicOptions): Promise<LiveModel> {
  const choice = await chooseModel(options as unknown as ProcessOptions);
  if (options.model === undefined) return choice;
  const { onRecordings } = await import('../../models/index.ts');
  return { model: onRecordings(choice as unknown as LoadedModel), parameters: choice.parameters };
}
