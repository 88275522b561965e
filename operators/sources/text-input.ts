import { FormatError } from '../../src/errors.ts';

/** The path of a file, or `-` for standard input; or pieces of UTF-8, such as a request. */
export type TextInput = string | URL | AsyncIterable<Uint8Array | string>;

/** A line, or a row, that could not be read. */
export interface BadLine {
  /** Counted from 1; of a row over several lines the last. */
  readonly line: number;
  readonly error: Error;
}

export interface BadLineOptions {
  /** What happens to a line that can't be read: it ends the stream with a FormatError (default), or is left out. */
  readonly bad?: 'error' | 'skip';
  /** Told of every line that is left out. */
  readonly onBad?: (bad: BadLine) => void;
}

export const nameOf = (input: TextInput): string =>
  input === '-' ? 'stdin' : typeof input === 'string' || input instanceof URL ? String(input) : 'the input';

/** Loaded when used: the other operators run in browsers too. */
export async function piecesOf(input: TextInput): Promise<AsyncIterable<Uint8Array | string>> {
  if (input === '-') return process.stdin;
  if (typeof input !== 'string' && !(input instanceof URL)) return input;
  const { createReadStream } = await import('node:fs');
  return createReadStream(input);
}

/** Deals with a line as the policy says. @throws FormatError where that is to end. */
export function dealWith(
  input: TextInput,
  bad: BadLine,
  { bad: policy = 'error', onBad }: BadLineOptions,
): void {
  if (policy === 'skip') {
    onBad?.(bad);
    return;
  }
  throw new FormatError(
    `${nameOf(input)}, line ${bad.line}: ${bad.error.message}; mend it, or leave such lines out (bad: 'skip')`,
    { cause: bad.error },
  );
}
