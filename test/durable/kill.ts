import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Random } from '../../src/init/index.ts';

const job = fileURLToPath(new URL('job.ts', import.meta.url));

/** Runs the job; after `patience` ms it is killed with SIGKILL. True where it came to its end. */
export const runJob = (args: readonly string[], patience: number): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [job, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.on('data', (text) => void (complaint += String(text)));
    const timer = setTimeout(() => child.kill('SIGKILL'), patience);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      clearTimeout(timer);
      if (signal === 'SIGKILL') resolve(false);
      else if (code === 0) resolve(true);
      else reject(new Error(`the job ended with ${code}: ${complaint}`));
    });
  });

/** Kills and restarts a job at random instants until `kills` have hit it, then lets it end. Returns the kills. */
export async function killAndResume(
  args: readonly string[],
  kills: number,
  random: Random,
  span: number,
): Promise<number> {
  // prettier-ignore
  let hit = 0;
  while (hit < kills) {
    // Half of them in the time that starting takes, so that some hit before anything was read.
    if (await runJob(args, 40 + random.uniform() * span)) break;
    hit += 1;
  }
  while (!existsSync(args[1]!)) await runJob(args, 600_000);
  return hit;
}
