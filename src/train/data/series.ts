import { resolve } from 'node:path';
import { ArgumentError } from '../../errors.ts';
import { carried } from './carried.ts';
import { clips } from './clips.ts';
import { readColumns, type MissingPolicy } from './csv.ts';
import type { DataSource } from './described.ts';
import { learnNormalisation, normalise, type Normalisation, type NormalisationRule } from './normalise.ts';
import type { OrderOptions } from './order.ts';
import type { Ports } from './ports.ts';
import { memoryRecordings } from './recordings/recordings.ts';

export interface SeriesOptions extends OrderOptions {
  /** CSV files with a row of names; windows never reach from one into another. */
  readonly files: string | readonly string[];
  /** Columns that go in at the port `input`. */
  readonly inputs: readonly string[];
  /** Columns that are to come out (`output`); those of `inputs` by default. */
  readonly outputs?: readonly string[] | undefined;
  /** Rows by which the target is ahead of the input: 1 forecasts the next row; 0 by default. */
  readonly ahead?: number | undefined;
  /** Rows of a window. */
  readonly frames: number;
  /** Every how many rows a window begins, or `random`; windows side by side by default. */
  readonly starts?: 'random' | number | undefined;
  /** Carries the state on from window to window, so many in a row: see `carried`. */
  readonly chunks?: number | undefined;
  /** Shares of each file in order of time, 0.7, 0.15 and 0.15 by default, and which part is wanted. */
  readonly split?: readonly [train: number, validation: number, test: number] | undefined;
  readonly part: 'train' | 'validation' | 'test';
  /** Always learnt from the training part; `standard` by default. */
  readonly normalise?: NormalisationRule | undefined;
  readonly missing?: MissingPolicy | undefined;
  /** Rows a second; 1 by default. */
  readonly sampleRate?: number | undefined;
}

const PARTS = ['train', 'validation', 'test'] as const;

/** A source of series, with what its model needs to know when it runs. */
export interface SeriesSource extends DataSource {
  readonly normalisation: { readonly inputs: Normalisation; readonly outputs: Normalisation };
}

/**
 * Windows of time series in CSV files, normalised, for forecasts or for mapping columns to columns.
 *
 * @throws ArgumentError for missing files and columns, and where a part is shorter than a window; FormatError for cells
 *   that are no numbers.
 * @example
 * const source = await series({ files: 'load.csv', inputs: ['load'], ahead: 24, frames: 168, part: 'train', batch: 32 });
 */
export async function series(options: SeriesOptions): Promise<SeriesSource> {
  const { inputs, outputs = inputs, ahead = 0, frames, part, sampleRate = 1 } = options;
  const files = (typeof options.files === 'string' ? [options.files] : options.files).map((path) =>
    resolve(path),
  );
  if (files.length === 0 || inputs.length === 0) {
    throw new ArgumentError(
      `series: ${files.length} files, ${inputs.length} input columns; give at least one each`,
    );
  }
  if (!PARTS.includes(part)) throw new ArgumentError(`part: '${part}' is none of ${PARTS.join(', ')}`);
  const columns = [...new Set([...inputs, ...outputs])];
  const whole: Float32Array[] = [];
  for (const path of files) whole.push(await readColumns(path, columns, options.missing));

  const partOf = (rows: Float32Array, which: number): Float32Array => {
    const [from, to] = bounds(rows.length / columns.length, options.split)[which]!;
    return rows.slice(from * columns.length, to * columns.length);
  };
  const learnt = learnNormalisation(
    whole.map((rows) => partOf(rows, 0)),
    columns.length,
    options.normalise,
  );
  const wanted = whole.map((rows) => normalise(partOf(rows, PARTS.indexOf(part)), learnt));
  const long = wanted.flatMap((rows, i) => (rows.length / columns.length >= frames + ahead ? [i] : []));
  if (long.length === 0) {
    const most = Math.max(...wanted.map((rows) => rows.length / columns.length));
    throw new ArgumentError(
      `series: the longest ${part} part has ${most} rows, a window of ${frames} with a target ${ahead} rows ahead needs ${frames + ahead}; make frames smaller, or another split`,
    );
  }
  const recordings = memoryRecordings(
    long.map((i) => wanted[i]!),
    { sampleRate, channels: columns.length, names: long.map((i) => files[i]!) },
  );
  const at = (names: readonly string[]): number[] => names.map((name) => columns.indexOf(name));
  const ports: Ports = {
    inputs: { input: at(inputs) },
    targets: { output: { channels: at(outputs), ahead } },
  };
  const source =
    options.chunks === undefined
      ? clips(recordings, { ...options, ports, starts: options.starts ?? frames })
      : carried(recordings, { ...options, ports, chunks: options.chunks });
  const of = (names: readonly string[]): Normalisation => ({
    offset: at(names).map((c) => learnt.offset[c]!),
    scale: at(names).map((c) => learnt.scale[c]!),
  });
  const normalisation = { inputs: of(inputs), outputs: of(outputs) };
  const skipped = files
    .filter((_, i) => !long.includes(i))
    .map((path) => `${path}: its ${part} part is shorter than a window`);
  return {
    ...source,
    normalisation,
    facts: { ...source.facts, sampleRate, normalisation, skipped, inputs, outputs, ahead, part },
  };
}

/** First row and the row behind the last, of each part. */
function bounds(rows: number, split: readonly number[] = [0.7, 0.15, 0.15]): [from: number, to: number][] {
  const total = split.reduce((sum, share) => sum + share, 0);
  if (split.length !== 3 || split.some((share) => !(share >= 0)) || !(total > 0)) {
    throw new ArgumentError(`split: ${split.join(', ')}; give the shares of training, validation and test`);
  }
  const first = Math.round((rows * split[0]!) / total);
  const second = Math.round((rows * (split[0]! + split[1]!)) / total);
  return [
    [0, first],
    [first, second],
    [second, rows],
  ];
}
