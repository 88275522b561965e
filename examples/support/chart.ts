import { renameSync, writeFileSync } from 'node:fs';
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

/** A row of a table: what a chart draws. */
export type Row = Readonly<Record<string, number | string | boolean | null>>;

/** Draws a Vega-Lite specification into an SVG file; the file appears whole or not at all. */
export async function draw(file: string, spec: TopLevelSpec): Promise<void> {
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  writeFileSync(`${file}.part`, svg);
  renameSync(`${file}.part`, file);
}

/** At most about `most` of the rows, evenly: more than a picture has columns are lost on it. */
export function thin<T>(rows: readonly T[], most = 2000): T[] {
  const every = Math.max(1, Math.ceil(rows.length / most));
  return rows.filter((_, i) => i % every === 0);
}

/** Colours that stay apart for the colour-blind, on a white or a dark page (Okabe & Ito). */
export const COLOURS = {
  blue: '#0072b2',
  orange: '#d55e00',
  green: '#009e73',
  grey: '#8a8f98',
  yellow: '#e69f00',
} as const;
