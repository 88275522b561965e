/*
 * n   frames in, at the context's rate
 * D   latency of all of it, frames at the context's rate:  D = max over n of n − emitted(n)
 * L   latency of the stream, frames at the model's rate
 *
 * emitted(n) = up.emitted(max(0, down.emitted(n) − L))
 */
import { createResampler, type Resampler, type ResampleQuality } from '../audio/resample.ts';
import { StreamError } from '../errors.ts';
import type { FloatArray } from '../signal/index.ts';
import { realtime, type EdgeStream, type RealtimeStream, type Stream } from '../stream/index.ts';

export interface AtRateOptions {
  /** Hz of the frames that come and go; a whole number. */
  readonly contextRate: number;
  /** The most frames of a block. */
  readonly maxFrames: number;
  /** Of both resamplers; `fast` by default: 85 % of the band to −99 dB, at the least latency and work. */
  readonly quality?: ResampleQuality | undefined;
}

/**
 * A stream that runs at its own rate and is fed at another. Output frame t belongs to input frame t, and comes once
 * input frame t + `latency` has gone in.
 */
export class ResampledStream implements EdgeStream {
  readonly stream: Stream;
  /** Frames at the context's rate: of the resamplers and the stream together. */
  readonly latency: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly outputRate = 1;
  readonly #down: Resampler;
  readonly #up: Resampler;
  readonly #ratio: number;
  readonly #middle: Float32Array;
  readonly #result: Float32Array;
  /** Views of `#middle` and `#result` by frames: their sizes vary by one from block to block. */
  readonly #middles: Float32Array[] = [];
  readonly #results: Float32Array[] = [];
  readonly #maxFrames: number;

  /** @internal Use `atRate`. */
  constructor(stream: Stream, modelRate: number, options: AtRateOptions) {
    const { contextRate, maxFrames, quality = 'fast' } = options;
    this.stream = stream;
    this.inputChannels = stream.inputChannels;
    this.outputChannels = stream.outputChannels;
    this.#maxFrames = maxFrames;
    this.#ratio = modelRate / contextRate;
    this.#down = createResampler({ from: contextRate, to: modelRate, channels: this.inputChannels, quality });
    this.#up = createResampler({ from: modelRate, to: contextRate, channels: this.outputChannels, quality });
    this.latency = this.#worstDelay(contextRate, modelRate);
    this.#middle = new Float32Array(this.#middleFrames(maxFrames) * this.inputChannels);
    this.#result = new Float32Array(stream.maxOutput(this.#middleFrames(maxFrames)) * this.outputChannels);
  }

  get identity(): { readonly model: string } {
    return this.stream.identity;
  }

  maxOutput(frames: number): number {
    return Math.ceil(this.stream.maxOutput(this.#middleFrames(frames)) / this.#ratio) + 1;
  }

  /**
   * @param input frames × channels at the context's rate, at most `maxFrames`.
   * @param output room for `maxOutput(frames)`.
   * @returns frames written. Allocates nothing once running.
   * @throws StreamError as `Stream.process`, and for a block beyond `maxFrames`.
   */
  process(input: FloatArray, output: FloatArray): number {
    const frames = input.length / this.inputChannels;
    if (frames > this.#maxFrames) {
      throw new StreamError(
        `a block of ${frames} frames, but this stream was made for at most ${this.#maxFrames}; raise maxFrames`,
      );
    }
    const came = this.#down.processInto(input, this.#middle);
    const middle = viewed(this.#middle, this.#middles, came, this.inputChannels);
    const made = this.stream.process(middle, this.#result);
    return this.#up.processInto(viewed(this.#result, this.#results, made, this.outputChannels), output);
  }

  /** No more input: the frames that are still held back, those of the model's end rule included. */
  flush(): Float32Array {
    const before = this.stream.push(this.#down.end());
    const parts = [before, this.stream.flush()].map((part) => this.#up.process(Float32Array.from(part)));
    return joined([...parts, this.#up.end()]);
  }

  #middleFrames(frames: number): number {
    return Math.ceil(frames * this.#ratio) + 1;
  }

  /** The delay repeats with the ratio of the rates; what comes before the first output is left out. */
  #worstDelay(contextRate: number, modelRate: number): number {
    const { latency } = this.stream;
    const emitted = (n: number): number => this.#up.emitted(Math.max(0, this.#down.emitted(n) - latency));
    let start = 1;
    while (emitted(start) === 0) start *= 2;
    const period = contextRate / gcd(contextRate, modelRate);
    let worst = 0;
    for (let n = start; n < start + period; n++) worst = Math.max(worst, n - emitted(n));
    return worst;
  }
}

/**
 * A stream fed at a context's rate: itself, where it runs at that rate or at none in particular, otherwise between two
 * resamplers. Fresh streams only.
 *
 * @throws StreamError for a stream that has run, or whose own output has another rate than its input.
 */
export function atRate(stream: Stream, options: AtRateOptions): Stream | ResampledStream {
  if (stream.framesSeen > 0) {
    throw new StreamError(
      `this stream of ${stream.identity.model} has run for ${stream.framesSeen} frames; reset() it first`,
    );
  }
  const { sampleRate = options.contextRate } = stream;
  if (stream.outputRate !== 1) {
    throw new StreamError(
      `${stream.identity.model} gives ${stream.outputRate} frames for each it takes; live it has to be 1`,
    );
  }
  return sampleRate === options.contextRate ? stream : new ResampledStream(stream, sampleRate, options);
}

/** A model at the edge of an audio context: as many frames out as in, whatever the quantum. */
export interface Bridge extends RealtimeStream<Stream | ResampledStream> {
  /** Seconds by which the output lags the input. */
  readonly latencySeconds: number;
}

/**
 * Runs a stream inside an audio context of another rate: resample in, the stream as a real-time edge, resample out.
 * The latency is fixed and known before anything runs, blocks may have any size up to `maxFrames`, and nothing is
 * allocated once running. Output frame t + `latency` is frame t of the same chain run offline, bit for bit.
 *
 * @throws StreamError as `atRate`.
 * @example
 * const stream = compile(model, parameters, { sampleRate: 16_000, nonFinite: 'zero' });
 * const edge = bridge(stream, { contextRate: sampleRate, maxFrames: renderQuantumSize });
 * edge.process(quantum, quantumOut);
 */
export function bridge(stream: Stream, options: AtRateOptions): Bridge {
  const edge = realtime(atRate(stream, options), options.maxFrames);
  return { ...edge, latencySeconds: edge.latency / options.contextRate };
}

function viewed(all: Float32Array, views: Float32Array[], frames: number, channels: number): Float32Array {
  return (views[frames] ??= all.subarray(0, frames * channels));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function gcd(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b];
  return a;
}
