import { readFileSync } from 'node:fs';
import { decodeWav } from '../../src/audio/index.ts';
import { ArgumentError } from '../../src/errors.ts';
import type { Model } from '../../src/signal/index.ts';
import { compile, type Parameters } from '../../src/stream/index.ts';

/** Blocks of the size that a live stream would have. */
const BLOCK = 2048;

/** The whole of a recording as a live stream would give it, aligned with it and of its length. */
export function denoised(model: Model, parameters: Parameters, samples: Float32Array): Float32Array {
  const stream = compile(model, parameters);
  const out = new Float32Array(samples.length);
  let at = 0;
  const take = (block: ArrayLike<number>): void => {
    for (let i = 0; i < block.length && at < out.length; i++) out[at++] = block[i]!;
  };
  for (let from = 0; from < samples.length; from += BLOCK)
    take(stream.push(samples.subarray(from, from + BLOCK)));
  take(stream.flush());
  return out;
}

/** One channel of a WAV file at the model's rate. */
export function samplesOf(path: string, { sampleRate }: Model): Float32Array {
  const { samples, info } = decodeWav(readFileSync(path));
  if (info.channels !== 1 || (sampleRate !== undefined && info.sampleRate !== sampleRate)) {
    throw new ArgumentError(
      `${path} has ${info.channels} channels at ${info.sampleRate} Hz; give one channel at ${sampleRate} Hz`,
    );
  }
  return samples as Float32Array;
}
