/**
 * Coefficients that stand still, discretised once in float64: a table of J numbers a row, two rows (re, im) each.
 *
 * | row | name | |
 * | --- | --- | --- |
 * | Ā − 1 | `decay` | accurate however close Ā is to 1 |
 * | what float32 cuts off it | `decayLow` | its error is the same at every frame, and would add up |
 * | B̄ | `bBar` | |
 * | c | `c` | |
 * | Ā^(T·Rˡ) − 1 | `powerOf(l)` | what a node of the tree's level l does to a state |
 */
import type { ScanRole } from '../../../ops/diagonal-scan.ts';
import type { FloatArray } from '../../../signal/index.ts';
import { ZERO, type Complex } from '../expression.ts';
import type { Source } from '../source.ts';
import { RADIX, type Layout } from './layout.ts';
import { laneAt, type Lane } from './operands.ts';

const ROWS = ['decay', 'decayLow', 'bBar', 'c'] as const;

export type StillRow = (typeof ROWS)[number] | `power${number}`;

export const powerOf = (level: number): StillRow => `power${level}`;

function rowNumber(row: StillRow): number {
  const fixed = (ROWS as readonly string[]).indexOf(row);
  return fixed >= 0 ? fixed : ROWS.length + Number(row.slice('power'.length));
}

export const stillTableLength = ({ levels, lanes }: Layout): number =>
  2 * (ROWS.length + levels.length) * lanes;

/** Reads a lane's entry of a row. */
export function stillEntry(source: Source, layout: Layout, row: StillRow, lane: Lane): Complex {
  const at = source.let('lane', laneAt(layout, lane));
  const first = layout.constantsLength + 2 * rowNumber(row) * layout.lanes;
  return [
    source.let(row, `constants[${at} + ${first}]`),
    layout.complex ? source.let(row, `constants[${at} + ${first + layout.lanes}]`) : ZERO,
  ];
}

/** Where the values of a constant operand stand for lane (h, n). */
export function elementOf(layout: Layout, role: ScanRole, h: number, n: number): number {
  const { rows, columns } = layout.role[role]!;
  return Math.floor((h * rows) / layout.channels) * columns + (columns === 1 ? 0 : n);
}

/** The operands of lane (h, n) in float64. */
export function laneOperands(
  layout: Layout,
  inputs: readonly FloatArray[],
  h: number,
  n: number,
): Record<ScanRole, number> {
  const value = (role: ScanRole, otherwise: number): number => {
    const i = layout.attributes.roles.indexOf(role);
    return i < 0 ? otherwise : inputs[i]![elementOf(layout, role, h, n)]!;
  };
  return {
    u: 0,
    uIm: 0,
    a: value('a', 0),
    aIm: value('aIm', 0),
    b: value('b', 1),
    bIm: value('bIm', 0),
    c: value('c', 0),
    cIm: value('cIm', 0),
    dt: value('dt', 1),
  };
}

export function stillTable(layout: Layout, inputs: readonly FloatArray[]): Float32Array {
  const { channels, states, lanes, levels, attributes } = layout;
  const table = new Float32Array(stillTableLength(layout));
  const out = new Float64Array(12);
  for (let h = 0; h < channels; h++) {
    for (let n = 0; n < states; n++) {
      const put = (row: StillRow, re: number, im: number): void => {
        const at = 2 * rowNumber(row) * lanes + n * channels + h;
        table[at] = re;
        table[at + lanes] = im;
      };
      const { a, aIm, b, bIm, c, cIm, dt } = laneOperands(layout, inputs, h, n);
      attributes.method.evaluate(dt * a, dt * aIm, out);
      const [fRe, fIm, gRe, gIm] = [out[0]!, out[1]!, out[4]!, out[5]!];
      put('bBar', dt * (gRe * b - gIm * bIm), dt * (gRe * bIm + gIm * b));
      put('c', c, cIm);
      // (1 + d)² − 1 = 2 d + d²: T and R are powers of two.
      let [re, im] = [fRe - 1, fIm];
      put('decay', re, im);
      put('decayLow', re - Math.fround(re), im - Math.fround(im));
      const square = (times: number): void => {
        for (let i = 0; i < times; i++) [re, im] = [re * (2 + re) - im * im, 2 * im * (1 + re)];
      };
      square(Math.log2(layout.chunk));
      for (let level = 0; level < levels.length; level++) {
        if (level > 0) square(Math.log2(RADIX));
        put(powerOf(level), re, im);
      }
    }
  }
  return table;
}
