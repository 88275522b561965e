import type { Observable } from 'rxjs';
import { ArgumentError } from '../../src/errors.ts';
import type { FloatArray } from '../../src/signal/index.ts';
import { channelsOf, wholeNumber } from '../core/format.ts';
import { operate } from '../core/operate.ts';
import { Fifo } from './fifo.ts';
import { windowWeights, type Window } from './window.ts';

export interface FrameOptions {
  /**
   * What becomes of samples at the end that no whole frame has taken in: a last frame filled up with zeros
   * (`pad`, the default), a shorter one (`keep`), or nothing (`drop`).
   */
  readonly end?: 'pad' | 'keep' | 'drop';
  /** Weights that each frame is multiplied with; none by default. */
  readonly window?: Window;
  /** Of the blocks; what they carry, or one, by default. */
  readonly channels?: number;
}

/** Numbers give float64 frames; blocks give frames of their own precision. */
export type Framed<T> = T extends number ? Float64Array : T;

/**
 * Overlapping frames of `size` samples, one every `hop`: frame m holds the samples from m · hop on. How the
 * input is cut into blocks makes no difference.
 *
 *     source   -1-2-3-4-5-|                        frame(3, 2)
 *     result   -----a---b-|        a = [1 2 3], b = [3 4 5]
 *
 * Of blocks with several channels a frame is size × channels. Frames carry no format: they overlap.
 *
 * @throws ArgumentError for sizes below 1 and windows of another size.
 * @example
 * fromWav('in.wav').pipe(mono(), frame(512, 128, { window: 'sine' }), map(spectrum));
 */
export function frame(
  size: number,
  hop: number,
  options: FrameOptions = {},
): <T extends number | FloatArray>(source: Observable<T>) => Observable<Framed<T>> {
  wholeNumber('frame', 'size', size);
  wholeNumber('frame', 'hop', hop);
  if (options.channels !== undefined) wholeNumber('frame', 'channels', options.channels);
  const { end = 'pad' } = options;
  if (end !== 'pad' && end !== 'keep' && end !== 'drop') {
    throw new ArgumentError(`frame: end is '${String(end)}'; choose pad, keep or drop`);
  }
  const weights = options.window === undefined ? undefined : windowWeights('frame', options.window, size);
  const operator = operate<number | FloatArray, FloatArray>(() => {
    const held = new Fifo();
    const one = new Float64Array(1);
    let channels = 1;
    // Samples between two frames that belong to none (hop > size), and those at the front that a frame has had.
    let skip = 0;
    let used = 0;
    const take = (samples: number, length = samples): FloatArray => {
      const taken = held.peek(samples * channels, length * channels);
      if (weights) for (let i = 0; i < taken.length; i++) taken[i]! *= weights[Math.floor(i / channels)]!;
      return taken;
    };
    const step = (): void => {
      const now = held.length / channels;
      held.drop(hop * channels);
      skip = Math.max(0, hop - now);
      used = Math.max(0, size - hop);
    };
    return {
      next(value, emit) {
        one[0] = value as number;
        const block = typeof value === 'number' ? one : value;
        if (typeof value !== 'number') channels = channelsOf('frame', block, options.channels);
        const skipped = Math.min(skip, block.length / channels);
        skip -= skipped;
        held.push(block.subarray(skipped * channels));
        while (held.length >= size * channels) {
          emit(take(size));
          step();
        }
      },
      end(emit) {
        const left = held.length / channels;
        if (end !== 'drop' && left > used) emit(take(left, end === 'pad' ? size : left));
      },
    };
  });
  return operator as <T extends number | FloatArray>(source: Observable<T>) => Observable<Framed<T>>;
}
