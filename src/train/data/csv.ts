import { createReadStream, statSync } from 'node:fs';
import { parse } from 'csv-parse';
import { ArgumentError, FormatError } from '../../errors.ts';

/** What becomes of an empty cell, or one that says NaN. */
export type MissingPolicy = 'throw' | 'hold' | 'zero';

/**
 * Columns of a CSV file by their names in its first row; other columns may hold anything.
 *
 * @param missing `hold` repeats the value before (0 before there was one), `zero` takes 0.
 * @returns rows × columns, in the order of `columns`.
 * @throws ArgumentError where the file or a column is missing; FormatError for a cell that is no number, naming row and
 *   column.
 * @example await readColumns('pump.csv', ['pressure', 'flow'])
 */
export async function readColumns(
  path: string,
  columns: readonly string[],
  missing: MissingPolicy = 'throw',
): Promise<Float32Array> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) {
    throw new ArgumentError(`${path}: there is no such file; give the path of a CSV file`);
  }
  const parser = createReadStream(path).pipe(
    parse({ bom: true, skip_empty_lines: true, relax_column_count: false, trim: true }),
  );
  let places: number[] | undefined;
  let out = new Float32Array(1024 * columns.length);
  let filled = 0;
  let row = 1;
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      if (places === undefined) {
        places = columns.map((name) => {
          const place = cells.indexOf(name);
          if (place < 0) {
            throw new ArgumentError(`${path}: no column "${name}"; there are ${cells.join(', ')}`);
          }
          return place;
        });
        continue;
      }
      row++;
      if (filled + columns.length > out.length) {
        const wider = new Float32Array(2 * out.length);
        wider.set(out);
        out = wider;
      }
      for (const [c, place] of places.entries()) {
        const text = cells[place]!;
        let value = text === '' ? NaN : Number(text);
        if (!Number.isFinite(value)) {
          if (missing === 'throw' || !/^(|nan|na|null|none)$/i.test(text)) {
            throw new FormatError(
              `${path}: "${text}" in row ${row}, column "${columns[c]!}", is no number; correct it` +
                (missing === 'throw' ? ", or say what is to stand for gaps (missing: 'hold' or 'zero')" : ''),
            );
          }
          value = missing === 'hold' && filled >= columns.length ? out[filled + c - columns.length]! : 0;
        }
        out[filled + c] = value;
      }
      filled += columns.length;
    }
  } catch (cause) {
    if (cause instanceof ArgumentError || cause instanceof FormatError) throw cause;
    throw new FormatError(`${path}: ${(cause as Error).message}; correct the CSV file`, { cause });
  }
  if (filled === 0)
    throw new FormatError(`${path}: no rows; give a CSV file with a row of names and some of numbers`);
  return out.slice(0, filled);
}
