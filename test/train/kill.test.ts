import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'statewave-kill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs until it is done, or is killed as soon as it says `kill`. Returns what it said. */
function run(name: string, kill?: string): Promise<string> {
  const child = spawn(
    join(root, 'node_modules/.bin/node'),
    ['test/train/support/killed-run.ts', join(folder, name), join(folder, `${name}.json`)],
    // A process of its own group: the launcher's child is the one that trains.
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'], detached: true },
  );
  let said = '';
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (kill !== undefined && said.includes(kill)) process.kill(-child.pid!, 'SIGKILL');
    });
    child.on('close', () => resolve(said));
  });
}

it('killed with -9 again and again and resumed, a run ends in the weights of an unbroken one', async () => {
  const whole = run('whole');
  const begun: number[] = [];
  // In the middle of an epoch, at its last step (the validation and the checkpoint follow), and right after the start.
  for (const kill of ['step 7\n', 'step 23\n', 'from', 'step 30\n']) {
    const said = await run('killed', kill);
    begun.push(Number(/from (\d+)/.exec(said)?.[1]));
    expect(existsSync(join(folder, 'killed.json'))).toBe(false);
  }
  const rest = await run('killed');
  begun.push(Number(/from (\d+)/.exec(rest)?.[1]));
  // What was done last may be lost, never more than to the last checkpoint before the kill.
  expect(begun[0]).toBe(0);
  expect(begun[1]).toBeGreaterThanOrEqual(6);
  expect(begun[2]).toBeGreaterThanOrEqual(22);
  expect(begun[4]).toBeGreaterThanOrEqual(30);
  expect(rest).toMatch(/step 59\n$/);
  await whole;
  const [a, b] = ['killed', 'whole'].map((name) => readFileSync(join(folder, `${name}.json`), 'utf8'));
  expect(JSON.parse(a!)).toEqual(JSON.parse(b!));
  // A write that was cut off may leave its temporary file, and nothing else.
  expect(readdirSync(folder).filter((name) => !name.endsWith('.tmp'))).toEqual([
    'killed',
    'killed.json',
    'whole',
    'whole.json',
  ]);
});
