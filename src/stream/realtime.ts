import { StreamError } from '../errors.ts';
import type { FloatArray } from '../signal/index.ts';
import type { SetOptions, SetResult } from './set.ts';
import type { Stream } from './stream.ts';

/** What an edge needs of a stream: a `Stream` has it, and so has one with resamplers around it. */
export interface EdgeStream {
  /** As `Stream` says. */
  readonly latency: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly outputRate: number;
  readonly identity: { readonly model: string };
  maxOutput(frames: number): number;
  process(input: FloatArray, output: FloatArray): number;
  /** As `Stream.set`; absent: nothing can be set. */
  set?(name: string, value: number | ArrayLike<number>, options?: SetOptions): SetResult;
}

/** A stream at a real-time edge: as many frames out as go in, the first `latency` of them zero. */
export interface RealtimeStream<S extends EdgeStream = Stream> {
  readonly stream: S;
  /** Frames by which the output lags the input. */
  readonly latency: number;
  /** Writes exactly as many frames as `input` has, and returns how many that are. */
  process(input: FloatArray, output: FloatArray): number;
  /**
   * `Stream.set`, in frames of the stream.
   *
   * @throws StreamError where the stream has no parameters to be set, else as `Stream.set`.
   */
  set(name: string, value: number | ArrayLike<number>, options?: SetOptions): SetResult;
}

/**
 * For sound cards and render quanta: n frames in, n frames out. Look-ahead turns into delay: `latency` zero
 * frames go out first. Only for models of one input and one output port that run at one rate throughout;
 * `maxFrames` bounds the blocks, so that a running edge allocates nothing.
 *
 * @throws StreamError where the model changes the rate, or a block exceeds `maxFrames`.
 * @example
 * const edge = realtime(compile(model, parameters), 128);
 * edge.process(quantum, quantumOut);
 */
export function realtime<S extends EdgeStream = Stream>(stream: S, maxFrames: number): RealtimeStream<S> {
  const { latency, outputChannels: channels } = stream;
  // Many input frames later the output must have grown by as many, or the rates differ.
  if (stream.outputRate !== 1) {
    throw new StreamError(
      `${stream.identity.model} gives ${stream.outputRate} frames for each it takes; a real-time edge needs 1: resample behind it`,
    );
  }
  // Frames that wait to go out: `latency` zeros at first, and always as many as the model still withholds, turned round.
  const ready = new Float64Array((latency + maxFrames + stream.maxOutput(maxFrames)) * channels);
  const scratch = new Float64Array(stream.maxOutput(maxFrames) * channels);
  let waiting = latency;
  return {
    stream,
    latency,
    set(name, value, options) {
      if (stream.set === undefined) {
        throw new StreamError(
          `"${name}" of ${stream.identity.model} can't be set at this edge; set it on the stream behind it`,
        );
      }
      return stream.set(name, value, options);
    },
    process(input, output) {
      const frames = input.length / stream.inputChannels;
      if (frames > maxFrames) {
        throw new StreamError(
          `a block of ${frames} frames, but this edge was made for at most ${maxFrames}; raise maxFrames`,
        );
      }
      if (output.length < frames * channels) {
        throw new StreamError(
          `output has room for ${output.length / channels} frames, ${frames} come; give it as many as the input`,
        );
      }
      const came = stream.process(input, scratch);
      for (let i = 0; i < came * channels; i++) ready[waiting * channels + i] = scratch[i]!;
      waiting += came;
      for (let i = 0; i < frames * channels; i++) output[i] = ready[i]!;
      ready.copyWithin(0, frames * channels, waiting * channels);
      waiting -= frames;
      return frames;
    },
  };
}
