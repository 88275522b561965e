import type { MonoTypeOperatorFunction } from 'rxjs';
import { operate } from '../../../operators/index.ts';
import type { FloatArray } from '../../signal/index.ts';

/**
 * Makes the output exactly as long as it should be: what a model says beyond the end of its input (its end rule,
 * a stride that goes over it) is left out, and what it leaves out is silence.
 *
 * @param wanted frames of output for the input so far; it is asked again once the input has ended.
 * @param onSilence told of the frames that were added.
 */
export const fit = (
  channels: number,
  wanted: () => number,
  onSilence: (frames: number) => void,
): MonoTypeOperatorFunction<FloatArray> =>
  operate(() => {
    let sent = 0;
    /** Ahead of the input: to be sent if more of it comes. */
    let ahead: FloatArray | undefined;
    const send = (block: FloatArray, emit: (block: FloatArray) => void): void => {
      const frames = block.length / channels;
      const room = wanted() - sent;
      ahead = frames > room ? block.slice(room * channels) : undefined;
      const part = frames > room ? block.subarray(0, room * channels) : block;
      sent += part.length / channels;
      if (part.length > 0) emit(part);
    };
    return {
      next(block, emit) {
        send(ahead === undefined ? block : joined(ahead, block), emit);
      },
      end(emit) {
        if (ahead !== undefined) send(ahead, emit);
        const missing = wanted() - sent;
        if (missing <= 0) return;
        onSilence(missing);
        emit(new Float32Array(missing * channels));
      },
    };
  });

function joined(a: FloatArray, b: FloatArray): FloatArray {
  const both =
    a instanceof Float64Array ? new Float64Array(a.length + b.length) : new Float32Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
