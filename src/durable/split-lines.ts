import { FormatError } from '../errors.ts';

/** A line of a text, without its end. */
export interface Line {
  readonly text: string;
  /** Bytes up to behind the line's end: where the next one begins. */
  readonly end: number;
}

export interface SplitOptions {
  /** Bytes in front of the first; 0. */
  readonly position?: number;
  /** Bytes of a line at most; 16 MiB. */
  readonly longest?: number;
  /** Where the bytes come from, for messages. */
  readonly place?: string;
}

const [FEED, RETURN] = [10, 13];

/**
 * The lines in pieces of UTF-8. The last one counts with or without its end of line; `\r\n` ends a line as `\n` does.
 *
 * @throws FormatError for a line that is too long to be one.
 */
export async function* splitLines(
  pieces: AsyncIterable<Uint8Array | string>,
  options: SplitOptions = {},
): AsyncGenerator<Line> {
  const { position = 0, longest = 2 ** 24, place = 'the input' } = options;
  const decoder = new TextDecoder();
  /** Of a line whose end has not come yet. */
  let rest: Uint8Array[] = [];
  let waiting = 0;
  let end = position;
  const line = (last: Uint8Array): string => {
    let bytes = last;
    if (rest.length > 0) {
      bytes = new Uint8Array(waiting + last.length);
      let at = 0;
      for (const piece of [...rest, last]) {
        bytes.set(piece, at);
        at += piece.length;
      }
      rest = [];
      waiting = 0;
    }
    return decoder.decode(bytes.at(-1) === RETURN ? bytes.subarray(0, -1) : bytes);
  };
  for await (const piece of pieces) {
    const bytes = typeof piece === 'string' ? new TextEncoder().encode(piece) : piece;
    let from = 0;
    for (let to = bytes.indexOf(FEED); to >= 0; to = bytes.indexOf(FEED, from)) {
      end += waiting + to + 1 - from;
      yield { text: line(bytes.subarray(from, to)), end };
      from = to + 1;
    }
    if (from < bytes.length) {
      rest.push(bytes.slice(from));
      waiting += bytes.length - from;
    }
    if (waiting > longest) {
      throw new FormatError(
        `${place}: a line at byte ${end} goes on for more than ${longest} bytes; this is no text in lines`,
      );
    }
  }
  if (waiting > 0) {
    end += waiting;
    const text = line(new Uint8Array(0));
    yield { text, end };
  }
}
