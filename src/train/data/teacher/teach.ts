import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { ArgumentError } from '../../../errors.ts';
import type { Random } from '../../../init/random.ts';
import type { Model } from '../../../signal/index.ts';
import { compile } from '../../../stream/compile.ts';
import type { Parameters } from '../../../stream/constants.ts';
import type { Stream } from '../../../stream/stream.ts';
import { drawsAt, Purpose } from '../draws.ts';
import { byCodeUnits } from '../files.ts';
import { openCache, writeCache } from '../recordings/cache-file.ts';
import type { Recordings } from '../recordings/recordings.ts';
import { guitarSignal } from './signals.ts';

/** The version of the signals: a change of them counts it up. */
const VERSION = 1;

export interface TeachOptions {
  /** Hz that the teacher runs at. */
  readonly sampleRate: number;
  /** Path of the file that keeps inputs and answers. It is made anew when teacher or options have changed. */
  readonly cache: string;
  /** Pieces, each from a fresh state of the teacher. */
  readonly pieces: number;
  /** Of a piece; 10 by default. */
  readonly seconds?: number | undefined;
  /** Other pieces for validation: another seed. */
  readonly seed?: number | undefined;
  /** What is played to the teacher; `guitarSignal` by default. `name` tells caches apart. */
  readonly signal?:
    | { readonly name: string; make(frames: number, sampleRate: number, draws: Random): Float32Array }
    | undefined;
  /** Told after each piece: the share that is done, 0 … 1. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

/**
 * What a teacher answers to signals, for a student to learn: recordings of two channels, input and output, on disk.
 * `clips` and `carried` make batches of them, with `TEACHER_PORTS`.
 *
 * @param teacher one channel in, one out, a frame for a frame.
 * @throws ArgumentError for a teacher of another form, or a file that cannot be written.
 * @example
 * const { model, parameters } = loadModel('amp.nam');
 * const pieces = await teach(model, parameters, { sampleRate: 48_000, pieces: 60, cache: 'cache/amp.pcm' });
 * const source = carried(pieces, { frames: 4096, batch: 16, ports: TEACHER_PORTS });
 */
export async function teach(
  teacher: Model,
  parameters: Parameters,
  options: TeachOptions,
): Promise<Recordings> {
  const { sampleRate, cache, pieces, seconds = 10, seed = 0 } = options;
  const signal = options.signal ?? { name: `guitar ${VERSION}`, make: guitarSignal };
  if (!Number.isSafeInteger(pieces) || pieces < 1 || !(seconds > 0)) {
    throw new ArgumentError(`teach: ${pieces} pieces of ${seconds} s; give at least one, of some length`);
  }
  const stream = compile(teacher, parameters, { sampleRate });
  if (stream.inputChannels !== 1 || stream.outputChannels !== 1 || stream.outputRate !== 1) {
    throw new ArgumentError(
      `teach: ${teacher.name} takes ${stream.inputChannels} channels and gives ${stream.outputChannels} at ${stream.outputRate} times the rate; a teacher has one of each, frame for frame`,
    );
  }
  const frames = Math.round(seconds * sampleRate);
  const key = keyOf(stream, parameters, [sampleRate, pieces, frames, seed, signal.name]);
  if (existsSync(cache)) {
    const opened = openCache(cache);
    if (opened.key === key) return opened;
    opened.close();
  }
  const writer = writeCache(cache, { key, sampleType: 'float32', sampleRate, channels: 2 });
  try {
    for (let piece = 0; piece < pieces; piece++) {
      const input = signal.make(frames, sampleRate, drawsAt(seed, Purpose.signal, piece));
      const output = answer(stream, input);
      const both = new Float32Array(2 * frames);
      for (let k = 0; k < frames; k++) {
        both[2 * k] = input[k]!;
        both[2 * k + 1] = output[k] ?? 0;
      }
      writer.begin(`${signal.name} ${seed}.${piece}`);
      writer.write(both);
      options.onProgress?.((piece + 1) / pieces);
      // A long lesson leaves room for signals, such as the one that stops it.
      await new Promise((resolve) => setImmediate(resolve));
    }
    writer.finish();
  } catch (error) {
    writer.abort();
    throw error;
  }
  return openCache(cache);
}

/** The whole answer from a fresh state, look-ahead included: a frame for a frame. */
function answer(stream: Stream, input: Float32Array): Float32Array {
  stream.reset();
  const body = stream.push(input);
  const rest = stream.flush();
  const out = new Float32Array(body.length + rest.length);
  out.set(body);
  out.set(rest, body.length);
  return out;
}

function keyOf(stream: Stream, parameters: Parameters, what: unknown): string {
  const { model, hash } = stream.identity;
  const sum = createHash('sha256').update(JSON.stringify([VERSION, model, hash, what]));
  const named = parameters instanceof Map ? [...parameters] : Object.entries(parameters);
  for (const [name, values] of named.sort(([a], [b]) => byCodeUnits(a, b))) {
    sum.update(name).update(new Uint8Array(Float64Array.from(values).buffer));
  }
  return sum.digest('hex');
}
