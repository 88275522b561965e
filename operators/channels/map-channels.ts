import { map, type MonoTypeOperatorFunction } from 'rxjs';
import { ArgumentError } from '../../src/errors.ts';
import type { FloatArray } from '../../src/signal/index.ts';
import { channelsOf, formatOf, mark, wholeNumber } from '../core/format.ts';

/**
 * Every frame through a matrix (channels out × channels in): picks, swaps, copies, mixes channels.
 *
 * @throws ArgumentError for a matrix that is empty, ragged or not finite.
 * @example
 * stereo.pipe(mapChannels([[0, 1], [1, 0]]));   // left and right swapped
 * mono.pipe(mapChannels([[1], [1]]));           // one channel on both sides
 */
export function mapChannels<A extends FloatArray>(
  matrix: readonly (readonly number[])[],
): MonoTypeOperatorFunction<A> {
  const outputs = matrix.length;
  const inputs = matrix[0]?.length ?? 0;
  const bad = matrix.findIndex(
    (row) => row.length !== inputs || row.some((weight) => !Number.isFinite(weight)),
  );
  if (inputs === 0 || bad >= 0) {
    throw new ArgumentError(
      `mapChannels: row ${Math.max(0, bad)} is [${matrix[Math.max(0, bad)]?.join(', ') ?? ''}]; ` +
        'give a row of finite weights for each channel out, all of one length of at least 1',
    );
  }
  const weights = Float64Array.from(matrix.flat());
  return map((block) => {
    const frames = block.length / channelsOf('mapChannels', block, inputs);
    const mixed = (
      block instanceof Float64Array ? new Float64Array(frames * outputs) : new Float32Array(frames * outputs)
    ) as A;
    for (let k = 0, to = 0; k < frames; k++) {
      for (let row = 0; row < outputs; row++, to++) {
        let sum = 0;
        for (let j = 0; j < inputs; j++) sum += weights[row * inputs + j]! * block[k * inputs + j]!;
        mixed[to] = sum;
      }
    }
    const format = formatOf(block);
    return mark(mixed, format && { sampleRate: format.sampleRate, channels: outputs });
  });
}

/**
 * The mean of all channels.
 *
 * @param channels of the blocks; what they carry, or one, by default.
 * @example
 * fromWav('stereo.wav').pipe(mono(), ssm(model, parameters));
 */
export function mono<A extends FloatArray>(channels?: number): MonoTypeOperatorFunction<A> {
  if (channels !== undefined) wholeNumber('mono', 'channels', channels);
  return map((block) => {
    const width = channelsOf('mono', block, channels);
    const frames = block.length / width;
    const mixed = (block instanceof Float64Array ? new Float64Array(frames) : new Float32Array(frames)) as A;
    for (let k = 0, i = 0; k < frames; k++) {
      let sum = 0;
      for (let channel = 0; channel < width; channel++, i++) sum += block[i]!;
      mixed[k] = sum / width;
    }
    const format = formatOf(block);
    return mark(mixed, format && { sampleRate: format.sampleRate, channels: 1 });
  });
}
