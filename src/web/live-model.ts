import { bridge } from '../live/bridge.ts';
import type { FloatArray } from '../signal/index.ts';
import type { Stream } from '../stream/index.ts';

/** What runs between a render quantum of samples and the next: one channel in, one out, as many frames. */
export interface LiveModel {
  /** Frames at the context's rate by which the output lags the input. */
  readonly latency: number;
  /** Streams whose state may be looked at. */
  readonly streams: readonly Stream[];
  /** Numbers that are no sound, such as scores of classes: see `Scope.results`. */
  readonly results?: Float32Array;
  process(input: Float32Array, output: Float32Array): void;
  /** A control that goes there smoothly. Unknown names are ignored. */
  set?(name: string, value: number): void;
}

/** Where a model runs. */
export interface LiveContext {
  /** Hz. */
  readonly sampleRate: number;
  /** Frames of a render quantum; 128 in most browsers today. */
  readonly quantum: number;
}

/** A model of one channel at its own rate, between resamplers where the context has another. */
export function resampled(stream: Stream, { sampleRate, quantum }: LiveContext): LiveModel {
  const edge = bridge(stream, { contextRate: sampleRate, maxFrames: quantum });
  return {
    latency: edge.latency,
    streams: [stream],
    process: (input, output) => void edge.process(input, output),
  };
}

/**
 * A model at the context's rate whose controls are input ports: a number a frame each. What comes in between two
 * quanta is a step, so the model itself smooths its controls: see `smooth`.
 *
 * @param initial value of each port besides `input`.
 */
export function controlled(
  stream: Stream,
  initial: Readonly<Record<string, number>>,
  { quantum }: LiveContext,
): LiveModel {
  const ports = Object.fromEntries(
    Object.entries(initial).map(([name, value]) => [name, new Float32Array(quantum).fill(value)]),
  );
  const block: Record<string, FloatArray> = { input: new Float32Array(quantum), ...ports };
  return {
    latency: stream.latency,
    streams: [stream],
    process(input, output) {
      block['input'] = input;
      stream.process(block, output);
    },
    set(name, value) {
      ports[name]?.fill(value);
    },
  };
}
