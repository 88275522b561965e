import type { FloatArray } from '../signal/index.ts';
import type { EdgeStream } from '../stream/index.ts';
import type { AtRateOptions } from './bridge.ts';
import { atRate } from './bridge.ts';
import type { Stream } from '../stream/index.ts';

/** A stream that can be ended. */
export interface EndingStream extends EdgeStream {
  flush(): FloatArray;
}

/**
 * A stream on frames of `channels` channels at a context's rate: one state a channel where the model takes one, the
 * model itself where it takes all. Output frames hold the first channel's outputs first. Fresh streams only; allocates
 * nothing once running.
 *
 * @param channels of the input: 1 or a multiple of the stream's own.
 * @throws StreamError as `atRate`.
 */
export function voices(stream: Stream, channels: number, options: AtRateOptions): EndingStream {
  const count = channels / stream.inputChannels;
  if (count === 1) return atRate(stream, options);
  return new Voices(
    Array.from({ length: count }, () => atRate(stream.fork(), options)),
    options.maxFrames,
  );
}

class Voices implements EndingStream {
  readonly latency: number;
  readonly inputChannels: number;
  readonly outputChannels: number;
  readonly outputRate = 1;
  readonly identity: { readonly model: string };
  readonly #voices: readonly EndingStream[];
  readonly #from: Float32Array;
  readonly #to: Float32Array;
  readonly #views: Float32Array[] = [];

  constructor(all: readonly EndingStream[], maxFrames: number) {
    const [first] = all as [EndingStream];
    this.#voices = all;
    this.latency = first.latency;
    this.identity = first.identity;
    this.inputChannels = all.length * first.inputChannels;
    this.outputChannels = all.length * first.outputChannels;
    this.#from = new Float32Array(maxFrames * first.inputChannels);
    this.#to = new Float32Array(first.maxOutput(maxFrames) * first.outputChannels);
  }

  maxOutput(frames: number): number {
    return this.#voices[0]!.maxOutput(frames);
  }

  process(input: FloatArray, output: FloatArray): number {
    const frames = input.length / this.inputChannels;
    const width = this.inputChannels / this.#voices.length;
    const block = (this.#views[frames] ??= this.#from.subarray(0, frames * width));
    let made = 0;
    for (let v = 0; v < this.#voices.length; v++) {
      for (let i = 0; i < frames; i++) {
        for (let c = 0; c < width; c++) block[i * width + c] = input[i * this.inputChannels + v * width + c]!;
      }
      // All voices have taken as many frames, so all give as many.
      made = this.#voices[v]!.process(block, this.#to);
      this.#join(v, this.#to, made, output);
    }
    return made;
  }

  flush(): FloatArray {
    const parts = this.#voices.map((voice) => voice.flush());
    const all = new Float32Array(parts[0]!.length * parts.length);
    const frames = all.length / this.outputChannels;
    parts.forEach((part, v) => this.#join(v, part, frames, all));
    return all;
  }

  #join(voice: number, part: FloatArray, frames: number, output: FloatArray): void {
    const width = this.outputChannels / this.#voices.length;
    for (let i = 0; i < frames; i++) {
      for (let c = 0; c < width; c++)
        output[i * this.outputChannels + voice * width + c] = part[i * width + c]!;
    }
  }
}
