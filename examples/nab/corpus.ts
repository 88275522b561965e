import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';

/** One labelled series of the Numenta Anomaly Benchmark. */
export interface Series {
  /** Folder and file, such as `realKnownCause/nyc_taxi.csv`. */
  readonly name: string;
  readonly timestamps: readonly string[];
  readonly values: Float64Array;
  /** First and last timestamp of each labelled window, in order. */
  readonly windows: readonly (readonly [string, string])[];
}

/** One CSV file with the columns `timestamp` and `value`. */
export function readSeries(path: string): Pick<Series, 'timestamps' | 'values'> {
  const rows = parse(readFileSync(path), { columns: true }) as { timestamp: string; value: string }[];
  return {
    timestamps: rows.map((row) => row.timestamp),
    values: Float64Array.from(rows, (row) => Number(row.value)),
  };
}

/** Every series below `<folder>/data`, with its windows from `<folder>/labels/combined_windows.json`. */
export function readCorpus(folder: string): Series[] {
  const labels = JSON.parse(readFileSync(join(folder, 'labels/combined_windows.json'), 'utf8')) as Record<
    string,
    [string, string][]
  >;
  // Labels say microseconds, data files do not.
  const plain = (timestamp: string): string => timestamp.replace(/\.0+$/, '');
  return Object.keys(labels)
    .sort()
    .map((name) => ({
      name,
      ...readSeries(join(folder, 'data', name)),
      windows: labels[name]!.map(([from, to]) => [plain(from), plain(to)] as const),
    }));
}
