import type { Effort } from '../options.ts';
import type { Skip } from '../rows.ts';

/** One measured point; the spread is the quartiles. */
export interface Point {
  readonly x: number;
  readonly y: number;
  readonly lower: number;
  readonly upper: number;
}

/** What a chart shows, as run.json holds it. Both axes are logarithmic. */
export interface ChartData {
  /** Name of the file and of `--only`. */
  readonly name: string;
  readonly title: string;
  /** What was measured, in a sentence for the page. */
  readonly about: string;
  readonly x: string;
  readonly y: string;
  readonly series: readonly { readonly label: string; readonly points: readonly Point[] }[];
}

/** A chart to be measured. */
export interface Chart {
  readonly name: string;
  measure(
    effort: Effort,
  ): Promise<{ readonly charts: readonly ChartData[]; readonly skips: readonly Skip[] }>;
}
