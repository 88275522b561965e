import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingShared, shared } from '../support/shared.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const node = join(root, 'node_modules/.bin/node');
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'statewave-examples-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs an example and gives what it says; its picture must be there. */
function run(name: string, before: readonly string[] = [], env: Record<string, string> = {}): string {
  const picture = join(folder, `${name}.svg`);
  const { status, stdout, stderr } = spawnSync(node, [`examples/${name}.ts`, ...before, picture], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  expect(stderr.replaceAll(/^WARN.*\n/gm, '')).toBe('');
  expect(status).toBe(0);
  expect(readFileSync(picture, 'utf8')).toMatch(/^<svg/);
  return stdout;
}

const numbers = (text: string, pattern: RegExp): number[] => pattern.exec(text)!.slice(1).map(Number);

describe('the examples', () => {
  it('adaptive-plant follows a pole that moves', () => {
    const [off] = numbers(run('adaptive-plant'), /followed to ([\d.]+)/);
    expect(off).toBeLessThan(0.05);
  });

  it('ecg finds the beats of a minute', () => {
    const wav = join(root, 'fixtures/ecg/mit-bih-208.wav');
    const [beats] = numbers(run('ecg', [wav]), /(\d+) beats in 60 s/);
    expect(beats).toBeGreaterThan(100);
    expect(beats).toBeLessThan(115);
  });

  it('kalman is better than the readings, and better afterwards', () => {
    const [read, filtered, smoothed] = numbers(
      run('kalman'),
      /([\d.]+) m read, ([\d.]+) m filtered, ([\d.]+) m smoothed/,
    );
    expect(filtered).toBeLessThan(0.7 * read!);
    expect(smoothed).toBeLessThan(0.8 * filtered!);
  });

  it('identify finds the resonance', () => {
    const text = run('identify');
    const [frequency] = numbers(text, /: (1[\d.]+) Hz/);
    expect(Math.abs(frequency! - 12)).toBeLessThan(0.05);
    const [off] = numbers(text, /right to ([\d.]+) %/);
    expect(off).toBeLessThan(4);
  });

  it('say so where their data are missing, and end well', () => {
    for (const name of ['anomaly', 'forecast']) {
      const { status, stdout } = spawnSync(node, [`examples/${name}.ts`, join(folder, 'nowhere')], {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, NAB: join(folder, 'nowhere') },
      });
      // Someone may have it beside the project.
      if (!stdout.includes('picture')) expect(stdout).toMatch(/git clone .*NAB/);
      expect(status).toBe(0);
    }
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  });

  it.skipIf(missingShared('data', 'nab'))(
    'forecast’s interval holds as often as it says (needs ../shared)',
    () => {
      const text = run('forecast', [shared('data', 'nab')]);
      const [inside] = numbers(text, /([\d.]+) % inside/);
      expect(Math.abs(inside! - 90)).toBeLessThan(0.5);
      const [error, naive, weekly] = numbers(
        text,
        /mean error (\d+) passengers; the last value would be off by (\d+), that of a week ago by (\d+)/,
      );
      expect(error).toBeLessThan(0.5 * Math.min(naive!, weekly!));
    },
  );
});
