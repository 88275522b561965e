import { execSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('..', import.meta.url));
const time = (file: string): number => (existsSync(folder + file) ? statSync(folder + file).mtimeMs : 0);

/**
 * Installs the peers where they are missing or older than the lock file. Without a network the bench goes on with what
 * is there: rows of peers that do not load say so.
 */
export function installPeers(): void {
  if (time('node_modules/.package-lock.json') >= time('package-lock.json')) return;
  console.error('installing the peers into test/bench/node_modules …');
  try {
    execSync('npm ci --no-audit --no-fund --loglevel=error', {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      // onnxruntime-node would download its CUDA libraries otherwise.
      env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    });
  } catch {
    console.error('the peers could not be installed; their rows are left out');
  }
}
