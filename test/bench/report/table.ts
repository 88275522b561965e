import type { Figure } from '../checks/check.ts';
import type { Row, Skip } from '../rows.ts';

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

/** The rows of a contest or a check for the terminal; each row's own name where there are several. */
export function printRows(name: string, rows: readonly Row[], skips: readonly Skip[]): void {
  const named = rows.some((row) => row.name !== name);
  console.log(`\n${name}${rows[0] ? `   (${rows[0].ours})` : ''}`);
  const headings = [...(named ? ['row'] : []), ...HEADINGS];
  const table = [headings, ...rows.map((row) => [...(named ? [row.name] : []), ...cells(row)])];
  const widths = headings.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  for (const line of rows.length === 0 ? [] : table) {
    console.log(
      `  ${line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd()}`,
    );
  }
  for (const { peer, reason } of skips) console.log(`  left out: ${peer}: ${reason}`);
}

export function printFigures(figures: readonly Figure[]): void {
  for (const { name, value, unit, target, holds } of figures) {
    const verdict = target === undefined ? '' : `   ${holds ? 'holds' : 'MISSED'}: ${target}`;
    console.log(`  ${name}: ${value.toLocaleString('en-US')} ${unit}${verdict}`);
  }
}
