/**
 * The audio callback: gathers render quanta into a ring and plays what comes back from another. Runs in the
 * AudioWorklet's thread, allocates nothing, and takes quanta of any length.
 */
import { RingBuffer } from '../ring-buffer.ts';
import {
  CAPTURE_ENDED,
  PLAYED,
  STOP,
  TAP,
  type Click,
  type ClickHeard,
  type TapOptions,
} from './tap-options.ts';

// The AudioWorkletGlobalScope.
declare const renderQuantumSize: number;
declare class AudioWorkletProcessor {
  readonly port: { postMessage(message: unknown): void };
}
declare function registerProcessor(
  name: string,
  processor: new (options: never) => AudioWorkletProcessor,
): void;

type Planes = readonly Float32Array[];

class Tap extends AudioWorkletProcessor {
  readonly #capture: RingBuffer | undefined;
  readonly #source: RingBuffer | undefined;
  readonly #playback: RingBuffer | undefined;
  readonly #state: Int32Array;
  readonly #click: Click | undefined;
  readonly #scratch: Float32Array[];
  /** Frames still to be captured, and frames since the start. */
  #left: number;
  #frame = 0;
  #loudest = 0;
  #loudestAt = 0;

  constructor({ processorOptions }: { readonly processorOptions: TapOptions }) {
    super();
    const { capture, source, playback, state, limit, click } = processorOptions;
    this.#capture = capture && new RingBuffer(capture);
    this.#source = source && new RingBuffer(source);
    this.#playback = playback && new RingBuffer(playback);
    this.#state = new Int32Array(state);
    this.#click = click;
    this.#left = limit ?? Infinity;
    this.#scratch = Array.from({ length: capture?.channels ?? 0 }, () => new Float32Array(renderQuantumSize));
  }

  process([input]: readonly Planes[], [output]: readonly Planes[]): boolean {
    const frames = output![0]!.length;
    if (this.#capture !== undefined && !this.#capture.closed) this.#gather(this.#capture, input!, frames);
    if (this.#playback !== undefined) {
      this.#playback.play(output!, frames);
      if (this.#click !== undefined) this.#listen(this.#click, output![0]!);
      if (this.#playback.closed && this.#playback.available === 0) Atomics.store(this.#state, PLAYED, 1);
    }
    this.#frame += frames;
    return Atomics.load(this.#state, PLAYED) === 0;
  }

  #gather(capture: RingBuffer, input: Planes, frames: number): void {
    const source = this.#source;
    // Asked for before the frames are counted: what was written before it ended is counted then.
    const ended = source?.closed === true;
    const count = Math.min(frames, this.#left, source?.available ?? Infinity);
    let planes = input;
    if (this.#click !== undefined) {
      this.#clickInto(this.#click, count);
      planes = this.#scratch;
    } else if (source !== undefined) {
      source.play(this.#scratch, count);
      planes = this.#scratch;
    }
    capture.capture(planes, count);
    this.#left -= count;
    const dry = ended && source!.available === 0;
    if (dry || this.#left === 0 || Atomics.load(this.#state, STOP) === 1) {
      capture.close();
      Atomics.store(this.#state, CAPTURE_ENDED, 1);
    }
  }

  /** Silence, but for one sample. */
  #clickInto({ at, amplitude }: Click, count: number): void {
    for (const plane of this.#scratch) {
      plane.fill(0);
      if (at >= this.#frame && at < this.#frame + count) plane[at - this.#frame] = amplitude;
    }
  }

  #listen({ at, until }: Click, plane: Float32Array): void {
    for (let i = 0; i < plane.length; i++) {
      const magnitude = Math.abs(plane[i]!);
      if (magnitude <= this.#loudest) continue;
      this.#loudest = magnitude;
      this.#loudestAt = this.#frame + i;
    }
    if (this.#frame < until && this.#frame + plane.length >= until) {
      const heard: ClickHeard = { delay: this.#loudestAt - at, peak: this.#loudest };
      // eslint-disable-next-line unicorn/require-post-message-target-origin -- a port, not a window
      this.port.postMessage(heard);
    }
  }
}

registerProcessor(TAP, Tap);
