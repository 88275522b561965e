import { createReadStream, statSync } from 'node:fs';
import { StreamError } from '../errors.ts';
import { splitLines, type Line } from './split-lines.ts';

/**
 * The lines of a text file from a position on, with the position behind each. `-` is standard input: what comes up to
 * the position is read and left out, so it has to be the same again.
 *
 * @throws StreamError where there is less than the position: it is not the input that was read before.
 */
export async function* linesFrom(path: string, position: number): AsyncGenerator<Line> {
  if (path === '-') {
    let end = 0;
    for await (const line of splitLines(process.stdin, { place: 'stdin' })) {
      ({ end } = line);
      if (end > position) yield line;
    }
    if (end < position) throw shorter('stdin', end, position);
    return;
  }
  const { size } = statSync(path);
  if (size < position) throw shorter(path, size, position);
  yield* splitLines(createReadStream(path, { start: position }), { position, place: path });
}

const shorter = (path: string, size: number, position: number): StreamError =>
  new StreamError(
    `${path} has ${size} bytes, but ${position} of it had been read: it is another file or was cut; ` +
      'put the old one back, or remove the checkpoint to start from the beginning',
  );
