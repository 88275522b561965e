import type { MonoTypeOperatorFunction } from 'rxjs';
import type { FloatArray } from '../../src/signal/index.ts';
import { channelsOf, formatOf, mark, wholeNumber, type BlockFormat } from '../core/format.ts';
import { operate } from '../core/operate.ts';
import { Fifo } from './fifo.ts';

/**
 * Cuts a stream of blocks anew: `frames` frames each, the last one shorter where they do not divide.
 *
 *     source    -3---3---1|        chunk(2)
 *     result    -2---22--(1|)
 *
 * @param options.channels of the blocks; what they carry, or one, by default.
 * @example
 * microphone.pipe(chunk(128));
 */
export function chunk<A extends FloatArray>(
  frames: number,
  options: { readonly channels?: number } = {},
): MonoTypeOperatorFunction<A> {
  wholeNumber('chunk', 'frames', frames);
  if (options.channels !== undefined) wholeNumber('chunk', 'channels', options.channels);
  return operate(() => {
    const held = new Fifo();
    let format: BlockFormat | undefined;
    let size = frames;
    const take = (count: number): A => {
      const block = mark(held.peek(count), format) as A;
      held.drop(count);
      return block;
    };
    return {
      next(block, emit) {
        size = frames * channelsOf('chunk', block, options.channels);
        format = formatOf(block);
        held.push(block);
        while (held.length >= size) emit(take(size));
      },
      end(emit) {
        if (held.length > 0) emit(take(size));
      },
    };
  });
}
