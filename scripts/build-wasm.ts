/**
 * Compiles the WebAssembly kernels (`src/backends/wasm/assembly`) twice, with SIMD and with relaxed SIMD, and writes
 * both as base64 to `src/backends/wasm/generated`, so that they load without a file or a request,
 * in Node, a worker and an AudioWorklet alike. Does nothing where that file was made from the same sources.
 *
 *     node scripts/build-wasm.ts
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const folder = 'src/backends/wasm';

/** Each is a module of its own, so that whoever streams does not load what trains. */
const modules = [
  { entry: 'assembly/index.ts', target: 'generated/kernels.ts' },
  { entry: 'assembly/train/index.ts', target: 'generated/training.ts' },
];
const sourceFolders = ['assembly', 'assembly/train'];

const builds = [
  {
    name: 'simd',
    relaxed: 0,
    text: 'SIMD alone: every operation rounds as IEEE 754 says, on any processor.',
  },
  {
    name: 'relaxedSimd',
    relaxed: 1,
    text: 'Relaxed SIMD: multiplications and additions fuse where the processor can.',
  },
] as const;

/** A digest of everything the result depends on. */
function fingerprint(): string {
  const { version } = createRequire(import.meta.url)('assemblyscript/package.json') as { version: string };
  const hash = createHash('sha256').update(version);
  const sources = sourceFolders.flatMap((of) =>
    readdirSync(join(root, folder, of))
      .filter((name) => name.endsWith('.ts'))
      .map((name) => `${folder}/${of}/${name}`),
  );
  const layouts = [`${folder}/layout.ts`, `${folder}/train/layout.ts`];
  for (const path of [...sources.sort(), ...layouts, 'scripts/build-wasm.ts']) {
    hash.update(path).update(readFileSync(join(root, path)));
  }
  return hash.digest('hex');
}

async function compile(entry: string, relaxed: 0 | 1): Promise<Uint8Array> {
  const { default: asc } = await import('assemblyscript/asc');
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      `${folder}/${entry}`,
      `--baseDir=${root}`,
      '--outFile=kernels.wasm',
      '-O3',
      '--noAssert',
      '--runtime=stub',
      '--importMemory',
      '--noExportMemory',
      '--enable=simd',
      `--use=RELAXED=${relaxed}`,
      ...(relaxed ? ['--enable=relaxed-simd'] : []),
    ],
    {
      writeFile(_name, contents) {
        binary = contents as Uint8Array;
      },
    },
  );
  if (error || binary === undefined) throw new Error(`the kernels do not compile:\n${stderr.toString()}`);
  return binary;
}

const mark = `// sources: ${fingerprint()}`;
for (const { entry, target } of modules) {
  const path = join(root, folder, target);
  let known = '';
  try {
    known = readFileSync(path, 'utf8');
  } catch {
    // Not built yet.
  }
  if (known.startsWith(mark)) continue;
  const lines = [mark, '// Made by scripts/build-wasm.ts; not to be edited.'];
  for (const { name, relaxed, text } of builds) {
    const base64 = Buffer.from(await compile(entry, relaxed)).toString('base64');
    lines.push('', `/** ${text} */`, `export const ${name}: string =`, `  '${base64}';`);
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${lines.join('\n')}\n`);
}
