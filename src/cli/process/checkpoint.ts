import { existsSync, readFileSync } from 'node:fs';
import type { LoadedModel } from '../../models/index.ts';
import type { Config } from '../../models/format.ts';
import type { ModelOptions } from './options.ts';

/**
 * The checkpoint that a command line names.
 *
 * @throws FormatError, ArgumentError, ParameterError where it is not what it should be.
 */
export async function loadCheckpointModel(path: string, options: ModelOptions): Promise<LoadedModel> {
  const { loadModel } = await import('../../models/index.ts');
  return loadModel(path, { format: options.format, config: await givenConfig(options), root: options.root });
}

/** What `--config` says, which is JSON or the name of a file with it; undefined where it is not given. */
export async function givenConfig({ config }: ModelOptions): Promise<Config | undefined> {
  if (config === undefined) return undefined;
  const { parseConfig } = await import('../../models/index.ts');
  return existsSync(config)
    ? parseConfig(readFileSync(config, 'utf8'), `--config ${config}`)
    : parseConfig(config, '--config');
}
