import { Unavailable, type Contender } from '../contest.ts';
import { measure } from '../measure.ts';
import type { Effort } from '../options.ts';
import { figure, type Skip } from '../rows.ts';
import type { Chart, ChartData, Point } from './chart.ts';

/** A line of a chart: one contender for each value on the x axis. */
export interface Line {
  readonly label: string;
  open(x: number): Contender | Promise<Contender>;
}

export interface Sweep extends Omit<ChartData, 'series' | 'y'> {
  readonly y?: string;
  readonly at: readonly number[];
  /** What --quick keeps of it. */
  readonly quickly: readonly number[];
  readonly lines: readonly Line[];
}

/** Nanoseconds a sample against one size, everything else fixed; the lines take turns at every x. */
export const sweep = ({ at, quickly, lines, y = 'ns a sample', ...texts }: Sweep): Chart => ({
  name: texts.name,
  async measure(effort) {
    const skips: Skip[] = [];
    const points = new Map<string, Point[]>(lines.map(({ label }) => [label, []]));
    for (const x of effort.name === 'quick' ? quickly : at) {
      const opened: { label: string; contender: Contender }[] = [];
      for (const { label, open } of lines) {
        try {
          opened.push({ label, contender: await open(x) });
        } catch (error) {
          if (!(error instanceof Unavailable)) throw error;
          if (!skips.some(({ peer }) => peer === label))
            skips.push({ name: `chart ${texts.name}`, peer: label, reason: error.message });
        }
      }
      const times = await measure(
        opened.map(({ contender }) => contender),
        shorter(effort),
      );
      opened.forEach(({ label }, i) => points.get(label)!.push(point(x, times[i]!)));
      for (const { contender } of opened) await contender.close?.();
    }
    const series = lines
      .map(({ label }) => ({ label, points: points.get(label)! }))
      .filter((line) => line.points.length > 0);
    return { charts: [{ ...texts, y, series }], skips };
  },
});

/** A chart has many points and is read by eye. */
const shorter = (effort: Effort): Effort => ({
  ...effort,
  rounds: Math.ceil(effort.rounds / 5),
  warmUp: effort.warmUp / 3,
});

export const point = (
  x: number,
  { lower, median, upper }: { readonly lower: number; readonly median: number; readonly upper: number },
): Point => ({ x, y: figure(median), lower: figure(lower), upper: figure(upper) });
