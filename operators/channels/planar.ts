import { map, type OperatorFunction } from 'rxjs';
import { StreamError } from '../../src/errors.ts';
import type { FloatArray } from '../../src/signal/index.ts';
import { channelsOf, wholeNumber } from '../core/format.ts';

const like = <A extends FloatArray>(array: A, length: number): A =>
  (array instanceof Float64Array ? new Float64Array(length) : new Float32Array(length)) as A;

/** A block (frames × channels) as one array a channel. */
export function deinterleaved<A extends FloatArray>(block: A, channels: number): A[] {
  const frames = block.length / channels;
  return Array.from({ length: channels }, (_, channel) => {
    const plane = like(block, frames);
    for (let k = 0, i = channel; k < frames; k++, i += channels) plane[k] = block[i]!;
    return plane;
  });
}

/** Planes (frames × width each) as one block (frames × (planes · width)). */
export function interleaved<A extends FloatArray>(planes: readonly A[], width = 1): A {
  const first = planes[0];
  if (first === undefined) throw new StreamError('interleave: no channels; give at least one array');
  const ragged = planes.findIndex((plane) => plane.length !== first.length);
  if (ragged >= 0) {
    throw new StreamError(
      `interleave: channel ${ragged} has ${planes[ragged]!.length} values, channel 0 has ${first.length}; ` +
        'give all channels as many frames',
    );
  }
  const block = like(first, planes.length * first.length);
  const stride = planes.length * width;
  planes.forEach((plane, channel) => {
    for (let from = 0, to = channel * width; from < plane.length; from += width, to += stride) {
      for (let i = 0; i < width; i++) block[to + i] = plane[from + i]!;
    }
  });
  return block;
}

/**
 * Blocks (frames × channels) to one array a channel, as Web Audio wants them. Fresh arrays.
 *
 * @param channels of the blocks; what they carry, or one, by default.
 * @example
 * blocks.pipe(deinterleave(2)).subscribe(([left, right]) => …);
 */
export function deinterleave<A extends FloatArray>(channels?: number): OperatorFunction<A, A[]> {
  if (channels !== undefined) wholeNumber('deinterleave', 'channels', channels);
  return map((block) => deinterleaved(block, channelsOf('deinterleave', block, channels)));
}

/**
 * One array a channel, all of one length, to blocks (frames × channels): the reverse of `deinterleave`.
 *
 * @example
 * quanta.pipe(interleave(), withFormat({ sampleRate: context.sampleRate, channels: 2 }));
 */
export const interleave = <A extends FloatArray>(): OperatorFunction<readonly A[], A> =>
  map((planes) => interleaved(planes));
