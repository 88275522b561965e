/**
 * The scoring rules of the Numenta Anomaly Benchmark (A. Lavin, S. Ahmad, "Evaluating Real-time Anomaly Detection
 * Algorithms", ICMLA 2015, arXiv:1510.03336, §II.C; NAB v1.1).
 *
 * | symbol | meaning |
 * | --- | --- |
 * | σ(r) | 2 / (1 + e^{5 r}) − 1: near 1 at a window's start (r = −1), 0 at its end, −1 far behind it |
 * | r | place relative to the window: −1 … 0 inside, above 0 behind it, in widths of it |
 *
 * An alarm inside a window earns σ at its place, as a share of the best; only the best alarm of a window counts. An
 * alarm outside costs σ at its distance behind the last window, at most 1, weighted. A window without an alarm costs
 * its weight. Nothing counts in the first 15 % (of at most 5,000 rows). One threshold serves the whole corpus: the
 * one with the best sum. 0 is what a detector that never fires gets, 100 a perfect one.
 */

/** What a right alarm earns, and a false one and a window that was missed cost. */
export interface Profile {
  readonly name: string;
  readonly truePositive: number;
  readonly falsePositive: number;
  readonly falseNegative: number;
}

export const PROFILES: readonly Profile[] = [
  { name: 'standard', truePositive: 1, falsePositive: 0.11, falseNegative: 1 },
  { name: 'reward low FP', truePositive: 1, falsePositive: 0.22, falseNegative: 1 },
  { name: 'reward low FN', truePositive: 1, falsePositive: 0.11, falseNegative: 2 },
];

/** One series of the corpus with a detector's scores. */
export interface Scored {
  readonly name: string;
  readonly timestamps: readonly string[];
  /** The higher, the more anomalous; one for each row. */
  readonly scores: ArrayLike<number>;
  /** First and last timestamp of each labelled window, in order. */
  readonly windows: readonly (readonly [string, string])[];
}

/** One row's worth if it is an alarm. */
interface Row {
  readonly score: number;
  /** The window that it stands in. */
  readonly window: string | undefined;
  readonly worth: number;
}

export interface CorpusScore {
  /** 0: never an alarm, 100: perfect. */
  readonly normalised: number;
  /** Rows with a score of at least this are alarms. */
  readonly threshold: number;
  readonly windows: number;
  readonly found: number;
  readonly falseAlarms: number;
}

const sigmoid = (place: number): number => (place >= 3 ? -1 : 2 / (1 + Math.exp(5 * place)) - 1);

/** Rows that do not count, of a series of so many. */
export const probation = (rows: number): number => Math.min(Math.floor(0.15 * rows), 0.15 * 5000);

function rowsOf({ name, timestamps, scores, windows }: Scored, profile: Profile): Row[] {
  const spans = windows.map(([from, to]) => [timestamps.indexOf(from), timestamps.indexOf(to)] as const);
  const missing = spans.findIndex(([from, to]) => from < 0 || to < 0);
  if (missing >= 0) throw new Error(`${name} has no rows at its window ${windows[missing]!.join(' to ')}`);
  const rows: Row[] = [];
  let next = 0;
  let last: readonly [number, number] | undefined;
  for (let i = 0; i < timestamps.length; i++) {
    const span = spans[next];
    const inside = span !== undefined && i >= span[0];
    let worth: number;
    if (inside) {
      const width = span[1] - span[0] + 1;
      worth = (profile.truePositive * sigmoid(-(span[1] - i + 1) / width)) / sigmoid(-1);
    } else {
      worth =
        profile.falsePositive * (last === undefined ? -1 : sigmoid((i - last[1]) / (last[1] - last[0])));
    }
    if (i >= probation(timestamps.length)) {
      rows.push({ score: scores[i]!, window: inside ? `${name} ${next}` : undefined, worth });
    }
    if (inside && i === span[1]) {
      last = span;
      next++;
    }
  }
  return rows;
}

/**
 * A detector's score over the corpus, at its best threshold.
 *
 * @example
 * const { normalised } = scoreCorpus(series, PROFILES[0]!);
 */
export function scoreCorpus(corpus: readonly Scored[], profile: Profile, fixed?: number): CorpusScore {
  const rows = corpus.flatMap((series) => rowsOf(series, profile)).sort((a, b) => b.score - a.score);
  const windows = new Set(rows.map((row) => row.window).filter((window) => window !== undefined));
  const worst = -profile.falseNegative * windows.size;
  const perfect = profile.truePositive * windows.size;
  const best = new Map<string, number>();
  let sum = worst;
  let falseAlarms = 0;
  let result = { sum, threshold: Infinity, found: 0, falseAlarms };
  for (let i = 0; i < rows.length; i++) {
    const { score, window, worth } = rows[i]!;
    if (fixed !== undefined && score < fixed) break;
    if (window === undefined) {
      sum += worth;
      falseAlarms++;
    } else {
      const before = best.get(window) ?? -profile.falseNegative;
      if (worth > before) {
        sum += worth - before;
        best.set(window, worth);
      }
    }
    // Rows of one score are alarms together or not at all.
    if (i + 1 < rows.length && rows[i + 1]!.score === score) continue;
    if (fixed !== undefined || sum > result.sum) {
      result = { sum, threshold: score, found: best.size, falseAlarms };
    }
  }
  return {
    normalised: (100 * (result.sum - worst)) / (perfect - worst),
    threshold: fixed ?? result.threshold,
    windows: windows.size,
    found: result.found,
    falseAlarms: result.falseAlarms,
  };
}
