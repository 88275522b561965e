/**
 * statewave beside its peers, in one process and in turns: `npm run bench -- --help`.
 */
import { loadavg } from 'node:os';
import { checks } from './checks/index.ts';
import type { Figure } from './checks/check.ts';
import { contests } from './contests/index.ts';
import { describeMachine } from './machine.ts';
import { readOptions, USAGE, type BenchOptions } from './options.ts';
import { installPeers } from './peers/install.ts';
import { writePage } from './report/page.ts';
import { readResults, writeResults, type Run } from './report/results.ts';
import { printFigures, printRows } from './report/table.ts';
import type { Row, Skip } from './rows.ts';
import { runContest } from './run-contest.ts';
import { charts } from './scaling/index.ts';
import type { ChartData } from './scaling/chart.ts';

await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<void> {
  let options;
  try {
    options = readOptions(argv);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exitCode = 2;
    return;
  }
  if (options === undefined) {
    console.log(USAGE);
    return;
  }
  if (!options.render) {
    installPeers();
    await measureAll(options);
  }
  if (options.docs && process.exitCode !== 2) {
    const { rows, run } = readResults();
    await writePage(rows, run);
    console.log('\nwrote docs/benchmarks.md and docs/benchmarks/*.svg');
  }
}

async function measureAll({ effort, only }: BenchOptions): Promise<void> {
  const wanted = <T extends { readonly name: string }>(all: readonly T[]): T[] =>
    all.filter(({ name }) => only?.test(name) ?? true);
  if ([contests, checks, charts].every((all) => wanted<{ readonly name: string }>(all).length === 0)) {
    console.error(`--only ${only?.source}: no contest, check or chart has such a name; there are:`);
    for (const { name } of [...contests, ...checks, ...charts]) console.error(`  ${name}`);
    process.exitCode = 2;
    return;
  }
  const rows: Row[] = [];
  const skips: Skip[] = [];
  const figures: Figure[] = [];
  const drawn: ChartData[] = [];
  const about: Record<string, string> = {};
  const [before = 0] = loadavg();

  for (const contest of wanted(contests)) {
    const found = await runContest(contest, effort);
    printRows(contest.name, found.rows, found.skips);
    rows.push(...found.rows);
    skips.push(...found.skips);
    about[contest.name] = contest.about;
  }
  for (const check of wanted(checks)) {
    const found = await check.run(effort);
    printRows(check.name, found.rows ?? [], found.skips ?? []);
    printFigures(found.figures ?? []);
    rows.push(...(found.rows ?? []));
    skips.push(...(found.skips ?? []));
    figures.push(...(found.figures ?? []));
    about[check.name] = check.about;
  }
  for (const chart of wanted(charts)) {
    console.error(`chart ${chart.name} …`);
    const found = await chart.measure(effort);
    drawn.push(...found.charts);
    skips.push(...found.skips);
  }

  const run: Run = {
    date: new Date().toISOString(),
    machine: describeMachine(),
    effort,
    load: [before, loadavg()[0] ?? 0],
    figures,
    charts: drawn,
    about,
    skips,
  };
  await writeResults(rows, run);
  const missed = [...rows, ...figures].filter(({ holds }) => holds === false);
  console.log(`\n${rows.length} rows, ${missed.length} targets missed, ${skips.length} left out`);
  console.log('wrote test/bench/results.json and test/bench/run.json');
}
