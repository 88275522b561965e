/**
 * Bundles the web page (`examples/web`) with the library, and the trained models beside it, into a folder that any
 * server can serve.
 *
 *     node scripts/build-web.ts [folder, dist/web by default]
 */
import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown, type OutputChunk, type Plugin } from 'rolldown';
import { loadModel, saveModel } from '../src/models/index.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'examples/web');

/** The library's own names, which the examples use as anybody would. */
export const alias = {
  'statewave/operators': join(root, 'operators/index.ts'),
  'statewave/audio': join(root, 'src/audio/index.ts'),
  'statewave/checkpoint': join(root, 'src/checkpoint/index.ts'),
  'statewave/models': join(root, 'src/models/index.ts'),
  'statewave/web': join(root, 'src/web/index.ts'),
  statewave: join(root, 'src/index.ts'),
};

/** One browser bundle; entries share what they have in common. */
export async function bundle(
  input: Record<string, string>,
  { external = [], plugins = [] }: { external?: (string | RegExp)[]; plugins?: Plugin[] } = {},
): Promise<OutputChunk[]> {
  const build = await rolldown({
    input,
    cwd: root,
    platform: 'browser',
    // What reads files is left out with all that nobody asks for; see below.
    external: [/^node:/, 'csv-parse', 'mqtt', 'ws', 'node-web-audio-api', ...external],
    plugins,
    resolve: { alias },
    transform: { target: 'es2023' },
    treeshake: { moduleSideEffects: false },
    logLevel: 'warn',
  });
  const { output } = await build.generate({
    format: 'esm',
    minify: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'shared-[hash].js',
  });
  await build.close();
  const chunks = output.filter((part) => part.type === 'chunk');
  for (const { fileName, imports } of chunks) {
    const found = imports.find((name) => name.startsWith('node:'));
    if (found !== undefined) throw new Error(`${fileName} imports ${found}, which no browser has`);
  }
  return chunks;
}

export interface WebOptions {
  /** Of `weights.safetensors`, a folder a model; `fixtures/models` by default. */
  readonly models?: string;
}

/** The models that the page offers and that need weights. */
const MODELS = ['denoiser', 'digits'];

/** Writes the page into `folder`, which is emptied first. Models without weights are left out; the page says so. */
export async function buildWeb(folder: string, options: WebOptions = {}): Promise<void> {
  const { models = join(root, 'fixtures/models') } = options;
  const chunks = await bundle({ page: join(page, 'page.ts'), worklet: join(page, 'worklet.ts') });
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'models'), { recursive: true });
  for (const { fileName, code } of chunks) writeFileSync(join(folder, fileName), code);
  for (const name of readdirSync(page)) {
    if (/\.(html|css|svg)$/.test(name)) copyFileSync(join(page, name), join(folder, name));
  }
  for (const name of MODELS) {
    const weights = join(models, name, 'weights.safetensors');
    if (!existsSync(weights)) continue;
    // Half the bytes on the way; the page computes with the same numbers, rounded to 11 bits.
    const { format, config, parameters } = loadModel(weights);
    saveModel(join(folder, 'models', `${name}.safetensors`), format, config, parameters, { dtype: 'F16' });
  }
}

if (import.meta.main) {
  const folder = process.argv[2] ?? join(root, 'dist/web');
  await buildWeb(folder);
}
