import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Inside the package, where `statewave` is the package itself. */
const inside = join(root, 'out/docs-test');
const node = join(root, 'node_modules/.bin/node');

const pages = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? pages(path) : path.endsWith('.md') ? [path] : [];
  });

/** Blocks of TypeScript that begin with an import stand by themselves; the others are fragments. */
const examples = [join(root, 'README.md'), ...pages(join(root, 'docs'))].flatMap((page) =>
  [...readFileSync(page, 'utf8').matchAll(/```ts\n([^]*?)```/g)]
    .map(([, code]) => code!)
    .filter((code) => code.startsWith('import'))
    .map((code, i) => ({ name: `${relative(root, page)} ${i + 1}`, code })),
);

/** Names of files that an example expects a reader to have. */
const NEEDS_A_FILE = /(\w+\.(nam|safetensors|pt)|'(in|mic|voice-in)\.wav')/;

describe('the documentation', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'statewave-docs-'));
    symlinkSync(join(root, 'fixtures'), join(folder, 'fixtures'));
    mkdirSync(inside, { recursive: true });
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    rmSync(inside, { recursive: true, force: true });
  });

  it('has examples', () => {
    expect(examples.length).toBeGreaterThan(15);
  });

  it.each(examples.filter(({ code }) => !NEEDS_A_FILE.test(code)))('$name runs', ({ name, code }) => {
    const file = join(inside, `${name.replaceAll(/\W+/g, '-')}.ts`);
    writeFileSync(file, code);
    const { status, stderr } = spawnSync(node, [file], { cwd: folder, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
