import { defer, type Observable } from 'rxjs';
import { fromAsyncIterable } from './from-async-iterable.ts';
import { dealWith, piecesOf, type BadLineOptions, type TextInput } from './text-input.ts';

/** A row by the names of its columns. */
export type CsvRow = Readonly<Record<string, string>>;

export interface FromCsvOptions<T> extends BadLineOptions {
  /** Names of the columns, for a file whose first row has none. */
  readonly columns?: readonly string[];
  /** `,` by default. */
  readonly delimiter?: string;
  /** Makes a record of a row; what it throws makes the row a bad one. */
  readonly read?: (row: CsvRow, line: number) => T;
}

/**
 * Rows of a CSV (RFC 4180), by the names in its first row, at the pace of whoever takes them. Cells are text: `read`
 * makes numbers of them, and may leave what is none to the policy of `keyed` or `irregular` (`Number('')` is 0, so an
 * empty cell wants a word of its own).
 *
 * @throws FormatError, as the error of the stream, naming input and line, for a row of another number of cells or with
 *   broken quotes, unless `bad` is `skip`.
 * @example
 * fromCsv('pumps.csv', { read: ({ pump, seconds, bar }) => ({ pump, time: Number(seconds), value: Number(bar || NaN) }) });
 */
export const fromCsv = <T = CsvRow>(input: TextInput, options: FromCsvOptions<T> = {}): Observable<T> =>
  defer(() => fromAsyncIterable(rows(input, options)));

/** Characters of a row: a quote that is never closed would swallow the rest of the file. */
const LONGEST = 2 ** 20;

async function* rows<T>(input: TextInput, options: FromCsvOptions<T>): AsyncGenerator<T> {
  const { columns, delimiter = ',', read = (row) => row as T } = options;
  const [{ parse }, { Readable, pipeline }] = await Promise.all([import('csv-parse'), import('node:stream')]);
  const skipped: { line: number; error: Error }[] = [];
  const parser = parse({
    bom: true,
    columns: columns ? [...columns] : true,
    delimiter,
    info: true,
    max_record_size: LONGEST,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error) skipped.push({ line: (error as { lines?: number }).lines ?? 0, error });
      return undefined;
    },
  });
  const source = Readable.from(await piecesOf(input));
  // Its errors come out of the loop.
  pipeline(source, parser, () => {});
  // The parser is ahead of the loop: rows before a bad one come before it.
  const settle = (line: number): void => {
    while (skipped.length > 0 && skipped[0]!.line <= line) dealWith(input, skipped.shift()!, options);
  };
  for await (const { record, info } of parser as AsyncIterable<{ record: CsvRow; info: { lines: number } }>) {
    settle(info.lines);
    let value: T;
    try {
      value = read(record, info.lines);
    } catch (error) {
      dealWith(input, { line: info.lines, error: error as Error }, options);
      continue;
    }
    yield value;
  }
  settle(Infinity);
}
