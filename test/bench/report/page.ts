import { readFileSync } from 'node:fs';
import type { Row } from '../rows.ts';
import type { ChartData } from '../scaling/chart.ts';
import { drawChart } from './charts.ts';
import type { Run } from './results.ts';
import { cells, HEADINGS } from './table.ts';
import { fromRoot, writeFormatted, writeWhole } from './write.ts';

const PAGE = 'docs/benchmarks.md';

/** Writes the measured parts of docs/benchmarks.md, between their marks, and the charts beside it. */
export async function writePage(rows: readonly Row[], run: Run): Promise<void> {
  for (const chart of run.charts)
    writeWhole(fromRoot(`docs/benchmarks/${chart.name}.svg`), await drawChart(chart));
  const parts: Record<string, string> = {
    machine: machine(run),
    rows: tables(rows, run),
    figures: figures(run),
    charts: run.charts.map(chartText).join('\n\n'),
    skips: skips(run),
  };
  let page = readFileSync(fromRoot(PAGE), 'utf8');
  for (const [name, text] of Object.entries(parts)) page = replacePart(page, name, text);
  await writeFormatted(PAGE, page);
}

function replacePart(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- bench:${name} -->`, '<!-- /bench -->'];
  const from = page.indexOf(begin);
  const to = page.indexOf(end, from);
  if (from < 0 || to < 0)
    throw new Error(`${PAGE} has no part "${name}"; put ${begin} and ${end} where it belongs`);
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}

function machine({ machine, effort, date, load }: Run): string {
  const { cpu, cores, memoryGiB, simd, node, v8, flags, system, compiler } = machine;
  return [
    `${date.slice(0, 10)}, ${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, ${simd.join(' ')};`,
    `Node ${node} (V8 ${v8}), ${flags.length === 0 ? 'no flags' : flags.join(' ')}; ${compiler ?? 'no g++'}.`,
    `Load when the run began and ended: ${load.map((x) => x.toFixed(1)).join(' and ')} (1 is the run itself).`,
    `Warm-up ${effort.warmUp} ms a contender, then ${effort.rounds} rounds of ${effort.burst} ms each in turns`,
    effort.name === 'quick' ? '(**a quick run: it shows that all runs, not how fast**).' : '.',
  ].join(' ');
}

function tables(rows: readonly Row[], { about }: Run): string {
  const sections: string[] = [];
  for (const [section, text] of Object.entries(about)) {
    // A check's rows carry its name as their beginning.
    const own = rows.filter(({ name }) => name === section || name.startsWith(`${section} `));
    const mine = own.filter(({ name }) => name === section || !Object.hasOwn(about, name));
    if (mine.length === 0) continue;
    const named = mine.some(({ name }) => name !== section);
    const table = mine.map((row) => [...(named ? [row.name] : []), ...cells(row)]);
    sections.push(
      `### ${section}\n\n${text}\n\n${markdownTable([...(named ? ['row'] : []), ...HEADINGS], table)}`,
    );
  }
  return sections.join('\n\n');
}

const figures = ({ figures }: Run): string =>
  markdownTable(
    ['what', 'measured', 'target'],
    figures.map(({ name, value, unit, target, holds }) => [
      name,
      `${value.toLocaleString('en-US')} ${unit}`,
      target === undefined ? '' : `${holds ? 'holds' : 'MISSED'}: ${target}`,
    ]),
  );

const chartText = ({ name, title, about }: ChartData): string =>
  `### ${title}\n\n${about}\n\n![${title}](benchmarks/${name}.svg)`;

const skips = ({ skips }: Run): string =>
  skips.length === 0
    ? 'Nothing was left out.'
    : skips.map(({ name, peer, reason }) => `- ${name}, ${peer}: ${reason}`).join('\n');

/** Columns that are empty throughout are left out. */
function markdownTable(headings: readonly string[], lines: readonly (readonly string[])[]): string {
  const kept = headings.map((_, i) => i).filter((i) => lines.some((line) => line[i] !== ''));
  const row = (line: readonly string[]): string =>
    `| ${kept.map((i) => line[i]!.replaceAll('|', '\\|')).join(' | ')} |`;
  return [row(headings), `| ${kept.map(() => '---').join(' | ')} |`, ...lines.map(row)].join('\n');
}
