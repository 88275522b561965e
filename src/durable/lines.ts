import { createReadStream, statSync } from 'node:fs';
import { StreamError } from '../errors.ts';
import { splitLines, type Line } from './split-lines.ts';

/**
 * The lines of a text file from a position on, with the position behind each.
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
  yield* splitLines(createReadStream(path, { start: position }), { position, place: path });
}
