import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDurably, type LineJob } from '../../src/durable/index.ts';
import { SnapshotError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { killAndResume, runJob } from './kill.ts';

const folder = mkdtempSync(join(tmpdir(), 'statewave-durable-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

/** Adds up; each line's answer is the sum so far. */
function summing(identity = 'sum'): LineJob {
  let sum = 0;
  return {
    identity,
    take: (line) => `${(sum += Number(line))}\n`,
    end: () => 'end\n',
    snapshot: () => new TextEncoder().encode(String(sum)),
    restore: (state) => void (sum = Number(new TextDecoder().decode(state))),
  };
}

const files = { input: at('in.txt'), output: at('out.txt'), checkpoint: at('state') };
const numbers = Array.from({ length: 25 }, (_, i) => i + 1);
const expected = numbers.map((n) => `${(n * (n + 1)) / 2}\n`).join('') + 'end\n';

beforeAll(() => writeFileSync(files.input, numbers.join('\r\n')));

/** Stops the job after so many lines, with what it wrote since the last checkpoint left behind. */
async function interrupted(lines: number, every: number): Promise<void> {
  rmSync(files.output, { force: true });
  rmSync(files.checkpoint, { force: true });
  const job = summing();
  let taken = 0;
  const fails: LineJob = {
    ...job,
    take(line) {
      if (taken++ === lines) throw new Error('power cut');
      return job.take(line);
    },
  };
  await expect(runDurably(fails, { ...files, every })).rejects.toThrow('power cut');
}

describe('runDurably', () => {
  it('goes on after the last checkpoint, and writes nothing twice', async () => {
    await interrupted(13, 5);
    expect(existsSync(files.output)).toBe(false);
    const report = await runDurably(summing(), { ...files, every: 5 });
    expect(report).toMatchObject({ lines: 15, complete: true });
    expect(readFileSync(files.output, 'utf8')).toBe(expected);
    expect(existsSync(files.checkpoint)).toBe(false);
  });

  it('starts anew where nothing was saved yet', async () => {
    await interrupted(3, 5);
    expect(await runDurably(summing(), { ...files, every: 5 })).toMatchObject({ lines: 25, resumedAt: 0 });
    expect(readFileSync(files.output, 'utf8')).toBe(expected);
  });

  it('saves and stops when the signal asks for it', async () => {
    await interrupted(3, 100);
    const controller = new AbortController();
    const job = summing();
    const stops: LineJob = {
      ...job,
      take: (line) => (Number(line) === 7 && controller.abort(), job.take(line)),
    };
    const first = await runDurably(stops, { ...files, every: 100, signal: controller.signal });
    expect(first).toMatchObject({ lines: 7, complete: false });
    expect(await runDurably(summing(), { ...files, every: 100 })).toMatchObject({
      lines: 18,
      complete: true,
    });
    expect(readFileSync(files.output, 'utf8')).toBe(expected);
  });

  it("refuses another job's state, a damaged one, and files that are not those of the checkpoint", async () => {
    await interrupted(13, 5);
    await expect(runDurably(summing('other'), { ...files, every: 5 })).rejects.toThrow(
      /state belongs to another job \(sum, this is other\)/,
    );
    const whole = readFileSync(files.checkpoint);
    for (let i = 0; i < whole.length; i += 7) {
      const damaged = Uint8Array.from(whole);
      damaged[i]! ^= 4;
      writeFileSync(files.checkpoint, damaged);
      await expect(runDurably(summing(), { ...files, every: 5 })).rejects.toThrow(SnapshotError);
    }
    writeFileSync(files.checkpoint, whole);
    truncateSync(`${files.output}.part`, 3);
    await expect(runDurably(summing(), { ...files, every: 5 })).rejects.toThrow(
      /has 3 bytes, but \d+ had been written/,
    );
    appendFileSync(`${files.output}.part`, 'x'.repeat(100));
    writeFileSync(at('short.txt'), '1\n2\n');
    await expect(runDurably(summing(), { ...files, input: at('short.txt'), every: 5 })).rejects.toThrow(
      /short.txt has 4 bytes, but \d+ of it had been read/,
    );
  });

  it('ends in the same bytes, killed at random instants, as undisturbed', async () => {
    const source = random(5);
    const input = at('series.csv');
    writeFileSync(
      input,
      Array.from({ length: 20_000 }, () => `${source.normal()},${source.normal()}\n`).join(''),
    );
    const undisturbed = at('undisturbed.csv');
    expect(await runJob([input, undisturbed, at('u.state'), '200'], 600_000)).toBe(true);
    const killed = at('killed.csv');
    expect(await killAndResume([input, killed, at('k.state'), '200'], 6, source, 500)).toBeGreaterThan(2);
    expect(readFileSync(killed).equals(readFileSync(undisturbed))).toBe(true);
  }, 60_000);
});
