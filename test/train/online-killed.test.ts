import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSnapshot } from '../../src/stream/index.ts';

const script = fileURLToPath(new URL('support/online-run.ts', import.meta.url));
const node = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));
const FRAMES = 10_000;
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'statewave-online-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('a run that was killed and restored ends in the same weights, bit for bit', async () => {
  const killed = join(folder, 'killed');
  const interruptedAt: number[] = [];
  for (let attempt = 0; attempt < 3; attempt++) {
    const child = spawn(node, [script, killed, String(FRAMES)], { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
    const before = interruptedAt.at(-1) ?? 0;
    const frames = (): number =>
      existsSync(killed) ? openSnapshot(new Uint8Array(readFileSync(killed))).header.frames : 0;
    // Somewhere on the way, once it has got on.
    while (frames() < before + 500) await sleep(5);
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    interruptedAt.push(frames());
  }
  expect(interruptedAt.at(-1)).toBeLessThan(FRAMES);
  for (const name of [killed, join(folder, 'whole')]) {
    expect(spawnSync(node, [script, name, String(FRAMES)], { encoding: 'utf8' }).stdout).toBe('done\n');
  }
  expect(Buffer.compare(readFileSync(killed), readFileSync(join(folder, 'whole')))).toBe(0);
});
