import { StreamError } from '../errors.ts';
import type { FloatArray } from '../signal/index.ts';
import type { Stream } from '../stream/index.ts';
import type { LineJob } from './job.ts';

export interface StreamJobOptions {
  /** The frame in a line; undefined for a line that has none (a heading, a comment). */
  readonly read: (line: string) => ArrayLike<number> | undefined;
  /** The line of an output frame, without its end. The numbers print shortest so that they read back the same. */
  readonly write?: (frame: FloatArray) => string;
  /** Tells apart jobs of one model that read or write otherwise. */
  readonly name?: string;
}

/**
 * A model on the lines of a file: a frame a line in, a frame a line out.
 *
 * @throws StreamError, when it runs, for a line of another number of values than the model takes, naming the line.
 * @example
 * const job = streamJob(compile(model, parameters), { read: (line) => line.split(',').map(Number) });
 */
export function streamJob(stream: Stream, options: StreamJobOptions): LineJob {
  const { read, write = (frame) => frame.join(','), name = '' } = options;
  const { model, hash, backend, precision } = stream.identity;
  const frame = new Float32Array(stream.inputChannels);
  const text = (frames: FloatArray): string => {
    const width = stream.outputChannels;
    let lines = '';
    for (let at = 0; at < frames.length; at += width) lines += `${write(frames.subarray(at, at + width))}\n`;
    return lines;
  };
  return {
    identity: `${name} ${model} ${hash} ${backend} ${precision}`.trim(),
    take(line) {
      const values = read(line);
      if (values === undefined) return '';
      if (values.length !== frame.length) {
        throw new StreamError(
          `${JSON.stringify(line.slice(0, 60))} has ${values.length} values, ${model} takes ${frame.length} a frame; ` +
            'read the right columns',
        );
      }
      frame.set(values);
      return text(stream.push(frame));
    },
    end: () => text(stream.flush()),
    snapshot: () => stream.snapshot(),
    restore: (state) => stream.restore(state),
  };
}
