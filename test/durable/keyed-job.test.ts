import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { keyedJob, runDurably, type LineJob } from '../../src/durable/index.ts';
import { random } from '../../src/init/index.ts';
import { KeyedStreams, openFileStore, type FileStore } from '../../src/keyed/index.ts';
import { initialise, s5 } from '../../src/layers/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'statewave-keyed-job-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Row {
  readonly sensor: string;
  readonly value: number;
}

const model = s5({ features: 1, states: 4 });
const jobOf = (store?: FileStore): LineJob =>
  keyedJob<string, Row>(
    new KeyedStreams(
      (row: Row) => row.sensor,
      model,
      initialise(model, 1),
      store ? { store, resident: 5 } : {},
    ),
    {
      read(line) {
        const [sensor, value] = line.split(',');
        return sensor === 'sensor' ? undefined : { sensor: sensor!, value: Number(value) };
      },
      write: ({ key, value }) => ((value as number) > 0 ? `${key} ${String(value)}` : undefined),
    },
  );

const source = random(5);
const input = join(folder, 'in.csv');
const rows = Array.from({ length: 3000 }, () => `s${source.integer(20)},${source.normal()}`);
writeFileSync(input, `sensor,value\n${rows.join('\n')}\n`);

describe('keyedJob', () => {
  it.each([false, true])('ends in the same bytes after crashes (store: %s)', async (hasStore) => {
    const undisturbed = join(folder, `undisturbed-${hasStore}`);
    await runDurably(jobOf(), { input, output: undisturbed, checkpoint: join(folder, 'u'), every: 1000 });
    const output = join(folder, `out-${hasStore}`);
    const checkpoint = join(folder, `state-${hasStore}`);
    const path = join(folder, 'quiet.states');
    let crashes = 0;
    while (!existsSync(output)) {
      const store = hasStore ? await openFileStore(path) : undefined;
      const job = jobOf(store);
      let left = 200 + source.integer(900);
      const dying: LineJob = {
        ...job,
        take(line) {
          if (left-- === 0) throw new Error('power cut');
          return job.take(line);
        },
      };
      await runDurably(dying, { input, output, checkpoint, every: 100 }).catch((error: Error) => {
        expect(error.message).toBe('power cut');
        crashes++;
      });
      store?.close();
    }
    expect(crashes).toBeGreaterThan(2);
    expect(readFileSync(output, 'utf8')).toBe(readFileSync(undisturbed, 'utf8'));
  });

  it('goes on in a pipe that brings the same again', () => {
    const program = fileURLToPath(new URL('job.ts', import.meta.url));
    const [output, checkpoint] = [join(folder, 'piped.csv'), join(folder, 'piped.state')];
    const lines = Array.from({ length: 50 }, () => `${source.normal()},${source.normal()}\n`);
    const run = (text: string): { status: number | null; stdout: string; stderr: string } =>
      spawnSync(process.execPath, [program, '-', output, checkpoint, '20'], {
        input: text,
        encoding: 'utf8',
      });
    // A bad line ends the job behind the second checkpoint.
    const broken = run([...lines.slice(0, 45), 'broken\n', ...lines.slice(45)].join(''));
    expect(broken.status).toBe(1);
    expect(run(lines.slice(0, 20).join('')).stderr).toMatch(
      /stdin has \d+ bytes, but \d+ of it had been read/,
    );
    const mended = run(lines.join(''));
    expect(JSON.parse(mended.stdout)).toMatchObject({ lines: 10, complete: true });
    const whole = join(folder, 'whole.csv');
    writeFileSync(join(folder, 'whole.in'), lines.join(''));
    spawnSync(process.execPath, [program, join(folder, 'whole.in'), whole, `${checkpoint}.2`, '20']);
    expect(readFileSync(output, 'utf8')).toBe(readFileSync(whole, 'utf8'));
  });
});
