import type { OperatorFunction } from 'rxjs';
import { createResampler, type ResampleQuality, type Resampler } from '../src/audio/resample.ts';
import { ArgumentError, StreamError } from '../src/errors.ts';
import type { FloatArray } from '../src/signal/index.ts';
import { channelsOf, formatOf, mark } from './core/format.ts';
import { operate } from './core/operate.ts';

export interface ResampleOptions {
  /** Hz of the blocks that come; what they carry by default. */
  readonly from?: number;
  /** Of the blocks; what they carry, or one, by default. */
  readonly channels?: number;
  /** `good` by default; see `createResampler`. */
  readonly quality?: ResampleQuality;
}

/**
 * Blocks at another sample rate, aligned with those that come in, in float32: ⌈frames · to / from⌉ frames in all, the
 * same bits however they are cut.
 *
 * @param to Hz, a whole number.
 * @throws ArgumentError for a rate that is no whole number; StreamError, as the error of the stream, for blocks of an
 *   unknown or another rate.
 * @example
 * fromWav('song.wav').pipe(resample(16_000), ssm(model, parameters), toWav('out.wav'));
 */
export function resample(
  to: number,
  options: ResampleOptions = {},
): OperatorFunction<FloatArray, FloatArray> {
  const { from, quality } = options;
  if (!Number.isSafeInteger(to) || to < 1)
    throw new ArgumentError(`resample: ${to}; give a rate in Hz, a whole number`);
  return operate<FloatArray, FloatArray>(() => {
    let resampler: Resampler | undefined;
    let [rate, width] = [0, 0];
    const send = (samples: Float32Array, emit: (block: FloatArray) => void): void => {
      if (samples.length > 0) emit(mark(samples, { sampleRate: to, channels: width }));
    };
    return {
      next(block, emit) {
        const channels = channelsOf('resample', block, options.channels);
        const known = formatOf(block)?.sampleRate ?? from;
        if (known === undefined)
          throw new StreamError(
            'resample: the blocks carry no rate; give { from } in Hz, or withFormat() before',
          );
        if (from !== undefined && from !== known)
          throw new StreamError(
            `resample: told of ${from} Hz, but the block has ${known}; leave { from } out`,
          );
        if (resampler === undefined) {
          [rate, width] = [known, channels];
          resampler = createResampler({ from: rate, to, channels, ...(quality && { quality }) });
        } else if (known !== rate || channels !== width) {
          throw new StreamError(
            `resample: a block of ${channels} channels at ${known} Hz behind one of ${width} at ${rate}; one stream has one format`,
          );
        }
        send(resampler.process(block instanceof Float32Array ? block : Float32Array.from(block)), emit);
      },
      end(emit) {
        if (resampler !== undefined) send(resampler.end(), emit);
      },
    };
  });
}
