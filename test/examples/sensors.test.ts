import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { random } from '../../src/init/index.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'statewave-sensors-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('sensors-lines finds what jumps, in a file as in a pipe, and leaves only its output', () => {
  const source = random(1);
  const rows = Array.from({ length: 2000 * 5 }, (_, i) => {
    const [time, sensor] = [Math.floor(i / 5), i % 5];
    const jump = time === 1500 && sensor === 3 ? 6 : 0;
    return `s${sensor},${time},${Math.sin(time / 30 + sensor) + 0.1 * source.normal() + jump}\n`;
  });
  const text = `sensor,time,value\n${rows.join('')}`;
  const input = join(folder, 'in.csv');
  writeFileSync(input, text);
  const run = (from: string, to: string): void => {
    const { status, stderr } = spawnSync(
      join(root, 'node_modules/.bin/node'),
      [join(root, 'examples/sensors-lines.ts'), from, join(folder, to)],
      { input: text, encoding: 'utf8' },
    );
    expect(stderr).toContain('10001 lines, 5 sensors');
    expect(status).toBe(0);
  };
  run(input, 'file.csv');
  run('-', 'pipe.csv');
  const found = readFileSync(join(folder, 'file.csv'), 'utf8');
  const greatest = found
    .trim()
    .split('\n')
    .map((line) => line.split(','))
    .toSorted((a, b) => Number(b[2]) - Number(a[2]))[0]!;
  expect(greatest.slice(0, 2)).toEqual(['s3', '1500']);
  expect(readFileSync(join(folder, 'pipe.csv'), 'utf8')).toBe(found);
  expect(readdirSync(folder).toSorted()).toEqual(['file.csv', 'in.csv', 'pipe.csv']);
}, 30_000);
