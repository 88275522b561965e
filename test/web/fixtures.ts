import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as Models from '../../examples/web/models.ts';
import type { Weights } from '../../examples/web/messages.ts';
import { bundle } from '../../scripts/build-web.ts';
import { initialise } from '../../src/layers/index.ts';
import { loadModel, modelFor, saveModel, type Config } from '../../src/models/index.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Entries bundled as for the page, and loaded here: what the page runs, on a desk. */
export async function loadBundled(
  folder: string,
  entries: Record<string, string>,
): Promise<Record<string, unknown>> {
  const chunks = await bundle(entries);
  // As the package itself: modules.
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const { fileName, code } of chunks) writeFileSync(join(folder, fileName), code);
  const loaded = await Promise.all(
    Object.keys(entries).map(async (name) => [
      name,
      await import(pathToFileURL(join(folder, `${name}.js`)).href),
    ]),
  );
  return Object.fromEntries(loaded) as Record<string, unknown>;
}

/** The page's models. */
export async function pageModels(folder: string): Promise<typeof Models> {
  const { models } = await loadBundled(folder, { models: join(root, 'examples/web/models.ts') });
  return models as typeof Models;
}

/** Folders as in `fixtures/models`, with the published architectures and random weights, made once a file of tests. */
export function randomModels(folder: string): string {
  for (const name of ['denoiser', 'digits']) {
    const path = join(folder, name);
    if (existsSync(path)) continue;
    const { model } = JSON.parse(
      readFileSync(join(root, 'fixtures/models', name, 'config.json'), 'utf8'),
    ) as {
      model: { format: string; config: Config };
    };
    mkdirSync(path, { recursive: true });
    const parameters = initialise(modelFor(model.format, model.config), 1);
    saveModel(join(path, 'weights.safetensors'), model.format, model.config, parameters, { dtype: 'F16' });
  }
  return folder;
}

/** The models that the project ships, and random ones of the same size where no weights are there yet. */
export function shippedModels(folder: string): string {
  for (const name of ['denoiser', 'digits']) {
    const trained = join(root, 'fixtures/models', name, 'weights.safetensors');
    if (!existsSync(trained)) continue;
    mkdirSync(join(folder, name), { recursive: true });
    copyFileSync(trained, join(folder, name, 'weights.safetensors'));
  }
  return randomModels(folder);
}

/** Weights of a folder of `randomModels`, as the page hands them to its worklet. */
export const weightsIn = (folder: string, name: string): Weights =>
  loadModel(join(folder, name, 'weights.safetensors'));
