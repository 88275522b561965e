/** Compiles everything into `dist`: the WASM kernels first, since the TypeScript imports what they generate. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const node = (...parameters: string[]): void => {
  execFileSync(process.execPath, parameters, { cwd: root, stdio: 'inherit' });
};

node('scripts/build-wasm.ts');
rmSync(join(root, 'dist'), { recursive: true, force: true });
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
node(join(typescript, 'bin/tsc'), '-p', 'tsconfig.build.json');
node('scripts/build-web.ts');
const command = join(root, 'dist/src/cli/main.js');
if (existsSync(command)) chmodSync(command, 0o755);
// The set-up script compares the sources with this.
writeFileSync(join(root, 'dist/built'), '');
