import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Our files that are loaded when a module is, from the root; packages are left out. */
async function loadedBy(entry: string): Promise<string[]> {
  const bundle = await rolldown({
    input: `${root}/${entry}`,
    external: /^[^./]/,
    platform: 'node',
    treeshake: false,
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'esm' });
  await bundle.close();
  const chunks = new Map(
    output.filter((file) => file.type === 'chunk').map((chunk) => [chunk.fileName, chunk]),
  );
  const loaded = new Set<string>();
  const visit = (name: string): void => {
    const chunk = chunks.get(name);
    if (chunk === undefined || loaded.has(name)) return;
    loaded.add(name);
    chunk.moduleIds.forEach((id) => loaded.add(relative(root, id)));
    // What is imported dynamically is loaded when it is used.
    chunk.imports.forEach(visit);
  };
  for (const [name, chunk] of chunks) if (chunk.isEntry) visit(name);
  return [...loaded].filter((name) => name.startsWith('src/')).sort();
}

it('whoever only streams loads nothing that trains', async () => {
  const streaming = await loadedBy('src/index.ts');
  expect(streaming).toContain('src/stream/compile.ts');
  // Whole sequences and their gradients are part of what a model can do; nothing else of training is.
  expect(streaming.filter((name) => name.startsWith('src/train/'))).toEqual([
    'src/train/evaluate.ts',
    'src/train/gradient.ts',
    'src/train/tape.ts',
  ]);
  const training = await loadedBy('src/train/index.ts');
  expect(training).toEqual(expect.arrayContaining(['src/train/fit.ts', 'src/train/losses/mse.ts']));
});
