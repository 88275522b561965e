import { defer, type Observable } from 'rxjs';
import { fromAsyncIterable } from './from-async-iterable.ts';
import { nameOf, piecesOf, type TextInput } from './text-input.ts';

/**
 * The lines of a text, without their ends, at the pace of whoever takes them: the next piece is read only after the one
 * before has been delivered and `hold`s have settled. A pipe into standard input stands still meanwhile.
 *
 * @throws what reading says, as the error of the stream; FormatError for a line of more than 16 MiB.
 * @example
 * fromLines('-').pipe(map(JSON.parse), keyed((r: Row) => r.sensor, model, parameters)).subscribe(console.log);
 */
export const fromLines = (input: TextInput): Observable<string> =>
  defer(() => fromAsyncIterable(texts(input)));

async function* texts(input: TextInput): AsyncGenerator<string> {
  const { splitLines } = await import('../../src/durable/split-lines.ts');
  for await (const { text } of splitLines(await piecesOf(input), { place: nameOf(input) })) yield text;
}
