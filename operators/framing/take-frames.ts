import type { MonoTypeOperatorFunction } from 'rxjs';
import type { FloatArray } from '../../src/signal/index.ts';
import { channelsOf, formatOf, mark, wholeNumber } from '../core/format.ts';
import { operate } from '../core/operate.ts';

/**
 * The first `frames` frames; what comes behind them is left out, and the source runs on to its end. Cuts what a model
 * with an end rule says beyond the end of a recording.
 *
 *     source    -3---3---1|        takeFrames(5)
 *     result    -3---2----|
 *
 * @param options.channels of the blocks; what they carry, or one, by default.
 * @example
 * fromWav('in.wav').pipe(ssm(denoiser, parameters), takeFrames(frames), toWav('out.wav'));
 */
export function takeFrames<A extends FloatArray>(
  frames: number,
  options: { readonly channels?: number } = {},
): MonoTypeOperatorFunction<A> {
  wholeNumber('takeFrames', 'frames', frames);
  if (options.channels !== undefined) wholeNumber('takeFrames', 'channels', options.channels);
  return operate(() => {
    let left = frames;
    return {
      next(block, emit) {
        const channels = channelsOf('takeFrames', block, options.channels);
        const count = Math.min(left, block.length / channels);
        left -= count;
        if (count * channels === block.length) emit(block);
        else if (count > 0) emit(mark(block.slice(0, count * channels) as A, formatOf(block)));
      },
    };
  });
}
