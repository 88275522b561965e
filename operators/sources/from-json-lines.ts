import { defer, type Observable } from 'rxjs';
import { fromAsyncIterable } from './from-async-iterable.ts';
import { dealWith, nameOf, piecesOf, type BadLineOptions, type TextInput } from './text-input.ts';

export interface FromJsonLinesOptions<T> extends BadLineOptions {
  /** Makes a record of what a line holds; what it throws makes the line a bad one. */
  readonly read?: (value: unknown, line: number) => T;
}

/**
 * One JSON value a line. Lines with nothing but white space count, and are left out. At the pace of whoever takes them,
 * as `fromLines`.
 *
 * @throws FormatError, as the error of the stream, naming input and line, for one that is no JSON, unless `bad` is
 *   `skip`.
 * @example
 * fromJsonLines<Row>('-', { bad: 'skip', onBad: ({ line }) => console.error(`line ${line}`) });
 */
export const fromJsonLines = <T = unknown>(
  input: TextInput,
  options: FromJsonLinesOptions<T> = {},
): Observable<T> => defer(() => fromAsyncIterable(values(input, options)));

async function* values<T>(input: TextInput, options: FromJsonLinesOptions<T>): AsyncGenerator<T> {
  const { read = (value) => value as T } = options;
  const { splitLines } = await import('../../src/durable/split-lines.ts');
  let line = 0;
  for await (const { text } of splitLines(await piecesOf(input), { place: nameOf(input) })) {
    line += 1;
    if (text.trim() === '') continue;
    let value: T;
    try {
      value = read(JSON.parse(text), line);
    } catch (error) {
      dealWith(input, { line, error: error as Error }, options);
      continue;
    }
    yield value;
  }
}
