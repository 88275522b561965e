import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ArgumentError } from '../errors.ts';

/**
 * The file of a model that comes with the package, each with its config, data and figures beside it (`README.md`):
 * `amplifier`, `denoiser`, `digits`, `smnist`.
 *
 * @throws ArgumentError for a name that is none of them.
 * @example
 * const { model, parameters } = loadModel(shippedModel('denoiser'));
 */
export function shippedModel(name: 'amplifier' | 'denoiser' | 'digits' | 'smnist'): string {
  // From the sources, and from what is compiled of them.
  for (const root of ['../..', '../../..']) {
    const path = fileURLToPath(
      new URL(`${root}/fixtures/models/${name}/weights.safetensors`, import.meta.url),
    );
    if (existsSync(path)) return path;
  }
  throw new ArgumentError(`no model "${String(name)}" comes with the package; give a file`);
}
