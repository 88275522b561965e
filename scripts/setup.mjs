/**
 * Makes a fresh clone ready: installs what is locked, and builds what is not built yet. Plain JavaScript for any
 * Node, since the toolchain's own Node comes with the installation.
 */
import { execSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const run = (command) => execSync(command, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
const time = (path) => (existsSync(join(root, path)) ? statSync(join(root, path)).mtimeMs : 0);

function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : time(path));
  }
  return latest;
}

if (time('node_modules/.package-lock.json') < time('package-lock.json')) {
  // `npm ci` builds as well, through the script `prepare`.
  run('npm ci --no-audit --no-fund');
} else if (time('dist/built') < Math.max(newest('src'), newest('operators'), time('package.json'))) {
  run('npm run --silent build');
}
