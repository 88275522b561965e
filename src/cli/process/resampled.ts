import type { OperatorFunction } from 'rxjs';
import { operate } from '../../../operators/index.ts';
import { createResampler } from '../../audio/index.ts';
import type { FloatArray } from '../../signal/index.ts';

/** Blocks (frames × channels) at another rate, aligned with those that come in; in float32. */
export const resampled = (
  from: number,
  to: number,
  channels: number,
): OperatorFunction<FloatArray, FloatArray> =>
  operate<FloatArray, FloatArray>(() => {
    const resampler = createResampler({ from, to, channels, quality: 'best' });
    const send = (block: Float32Array, emit: (block: FloatArray) => void): void => {
      if (block.length > 0) emit(block);
    };
    return {
      next: (block, emit) =>
        send(resampler.process(block instanceof Float32Array ? block : Float32Array.from(block)), emit),
      end: (emit) => send(resampler.end(), emit),
    };
  });
