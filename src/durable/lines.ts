import { createReadStream, statSync } from 'node:fs';
import { StreamError } from '../errors.ts';

/** A line of a file, without its end. */
export interface Line {
  readonly text: string;
  /** Bytes up to behind the line's end: where the next one begins. */
  readonly end: number;
}

/**
 * The lines of a text file from a position on, with the position behind each. The last one counts with or without
 * its end of line; `\r\n` ends a line as `\n` does.
 *
 * @throws StreamError where the file is shorter than the position: it is not the file that was read before.
 */
export async function* linesFrom(path: string, position: number): AsyncGenerator<Line> {
  const { size } = statSync(path);
  if (size < position) {
    throw new StreamError(
      `${path} has ${size} bytes, but ${position} of it had been read: it is another file or was cut; ` +
        'put the old one back, or remove the checkpoint to start from the beginning',
    );
  }
  let rest: Buffer = Buffer.alloc(0);
  let end = position;
  for await (const chunk of createReadStream(path, { start: position })) {
    const bytes = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
    let from = 0;
    for (let to = bytes.indexOf(10); to >= 0; to = bytes.indexOf(10, from)) {
      end += to + 1 - from;
      const isReturn = to > from && bytes[to - 1] === 13;
      yield { text: bytes.toString('utf8', from, isReturn ? to - 1 : to), end };
      from = to + 1;
    }
    rest = bytes.subarray(from);
  }
  if (rest.length > 0) yield { text: rest.toString('utf8'), end: end + rest.length };
}
