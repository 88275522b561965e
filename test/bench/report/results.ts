import { existsSync, readFileSync } from 'node:fs';
import type { Figure } from '../checks/check.ts';
import type { Machine } from '../machine.ts';
import type { Effort } from '../options.ts';
import type { Row, Skip } from '../rows.ts';
import type { ChartData } from '../scaling/chart.ts';
import { fromRoot, writeFormatted } from './write.ts';

const ROWS = 'test/bench/results.json';
const RUN = 'test/bench/run.json';

/** What run.json holds: how and on what the rows of results.json were measured, and everything that is no row. */
export interface Run {
  /** ISO date. */
  readonly date: string;
  readonly machine: Machine;
  readonly effort: Effort;
  /** Load of the machine over the last minute, in processors, when the run began and ended; undefined on Windows. */
  readonly load: readonly [number, number];
  readonly figures: readonly Figure[];
  readonly charts: readonly ChartData[];
  /** What each contest and check is about, by name. */
  readonly about: Readonly<Record<string, string>>;
  readonly skips: readonly Skip[];
}

export async function writeResults(rows: readonly Row[], run: Run): Promise<void> {
  await writeFormatted(ROWS, JSON.stringify(rows));
  await writeFormatted(RUN, JSON.stringify(run));
}

/** @throws Error where nothing has been measured yet. */
export function readResults(): { rows: Row[]; run: Run } {
  const read = <T>(path: string): T => {
    const file = fromRoot(path);
    if (!existsSync(file)) throw new Error(`${path} is not there; run npm run bench first`);
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  };
  return { rows: read<Row[]>(ROWS), run: read<Run>(RUN) };
}
