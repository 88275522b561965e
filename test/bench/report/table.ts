import type { Row, Skip } from '../run-contest.ts';

/** Nanoseconds in three digits: 0.52, 14.9, 2,205. */
export const nanoseconds = (ns: number): string =>
  ns >= 100 ? Math.round(ns).toLocaleString('en-US') : String(Number(ns.toPrecision(3)));

/** How far the quartiles stand from the median, in percent of it. */
export const spreadPercent = (median: number, [lower, upper]: readonly [number, number]): string =>
  `±${((50 * (upper - lower)) / median).toFixed(0)} %`;

/** How many times faster, in three digits. */
export const times = (speedup: number): string => `${Number(speedup.toPrecision(3))} ×`;

export const verdict = ({ target, holds }: Row): string =>
  target === undefined ? '' : `${holds ? 'holds' : 'MISSED'}: ${target}`;

/** The cells of a row, as the terminal and the page show them. */
export const cells = (row: Row): string[] => [
  `${nanoseconds(row.oursNs)} ${spreadPercent(row.oursNs, row.oursSpread)}`,
  row.peer,
  `${nanoseconds(row.peerNs)} ${spreadPercent(row.peerNs, row.peerSpread)}`,
  times(row.speedup),
  realTime(row),
  verdict(row),
];

export const HEADINGS = [
  'ours, ns a sample',
  'peer',
  'peer, ns a sample',
  'ours is faster',
  'real-time factor',
  'target',
];

function realTime({ oursRealTime, peerRealTime }: Row): string {
  if (oursRealTime === undefined) return '';
  const short = (x: number): string => String(Number(x.toPrecision(2)));
  return peerRealTime === undefined ? short(oursRealTime) : `${short(oursRealTime)} : ${short(peerRealTime)}`;
}

/** A contest's rows for the terminal. */
export function printContest(name: string, rows: readonly Row[], skips: readonly Skip[]): void {
  console.log(`\n${name}${rows[0] ? `   (${rows[0].ours})` : ''}`);
  const table = rows.length === 0 ? [] : [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(0, ...table.map((line) => line[column]!.length)));
  for (const line of table)
    console.log(
      `  ${line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd()}`,
    );
  for (const { peer, reason } of skips) console.log(`  left out: ${peer}: ${reason}`);
}
