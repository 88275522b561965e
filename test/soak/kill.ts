/**
 * A thousand kills (SIGKILL) of a job on a file at random instants, several runs long; every run must end in the bytes
 * of one that nobody disturbed.
 *
 *     node test/soak/kill.ts [kills]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { random } from '../../src/init/index.ts';
import { killAndResume, runJob } from '../durable/kill.ts';

const kills = Number(process.argv[2] ?? 1000);
const folder = mkdtempSync(join(tmpdir(), 'statewave-kill-'));
const source = random(1);
const input = join(folder, 'series.csv');
writeFileSync(
  input,
  Array.from({ length: 60_000 }, () => `${source.normal()},${source.normal()}\n`).join(''),
);
const undisturbed = join(folder, 'undisturbed.csv');
await runJob([input, undisturbed, join(folder, 'u.state'), '100'], 600_000);
const expected = readFileSync(undisturbed);

let [done, runs, wrong] = [0, 0, 0];
while (done < kills) {
  const output = join(folder, `${runs}.csv`);
  const checkpoint = join(folder, `${runs}.state`);
  done += await killAndResume([input, output, checkpoint, '100'], Math.min(40, kills - done), source, 600);
  runs += 1;
  if (!readFileSync(output).equals(expected)) wrong += 1;
  rmSync(output);
}
rmSync(folder, { recursive: true });
console.log(`${done} kills in ${runs} runs of 60,000 lines: ${wrong} runs with another output`);
if (wrong > 0) process.exitCode = 1;
