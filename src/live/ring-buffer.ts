/*
 * capacity   frames that fit, a power of two, so that positions may wrap at 2^32      scalar
 * head, tail frames written and read since the start, modulo 2^32                     int32, atomic
 * data       samples, frame k at (k mod capacity) × channels                          capacity × channels, float32
 * owed       frames that were dropped and are still to be made up for with silence    the writer's
 * late       frames that were played as silence and are to be skipped when they come  the reader's
 */
import { ArgumentError } from '../errors.ts';

/** Places of the control words. */
const HEAD = 0;
const TAIL = 1;
const DROPPED = 2;
const MISSING = 3;
const CLOSED = 4;
const CONTROL_WORDS = 8;
/** Positions are compared as differences of int32. */
const MOST_FRAMES = 2 ** 30;

/** What another thread needs to open the ring: post it, or pass it in `processorOptions`. */
export interface RingMemory {
  readonly buffer: SharedArrayBuffer | ArrayBuffer;
  readonly channels: number;
}

/** Frames counted since the start. Exact where somebody looks at least once in 2^32 frames, a day at 48 kHz. */
export interface RingCounts {
  readonly written: number;
  readonly read: number;
  /** Frames that `capture` had no room for. */
  readonly dropped: number;
  /** Frames that `play` wanted before they were there. */
  readonly missing: number;
}

/**
 * Frames on their way from one thread to another: one writer, one reader, no locks, nothing allocated per call. Works
 * on a `SharedArrayBuffer` between threads, and on an `ArrayBuffer` within one; in Node, in browsers and in
 * AudioWorklets, with quanta of any length.
 *
 * Each side has two ways. `write` and `read` are for a side that can wait: they move what fits or is there. `capture`
 * and `play` are for the audio callback, which cannot, and they keep time: frames that were dropped are made up for
 * with as many frames of silence as soon as there is room, and frames that come too late are skipped, so that the
 * latency is the same before and after an accident, and all accidents are counted.
 *
 * @example
 * const ring = new RingBuffer(ringMemory({ frames: 16_384, channels: 1 }));
 * worker.postMessage(ring.memory);              // there: new RingBuffer(memory)
 * ring.capture(inputs[0], quantum);             // in AudioWorkletProcessor.process
 * if (ring.wait(256, 100)) ring.read(block);    // in the worker, block of 256 frames × channels
 */
export class RingBuffer {
  readonly memory: RingMemory;
  readonly channels: number;
  /** Frames that fit. */
  readonly capacity: number;
  readonly #control: Int32Array;
  readonly #data: Float32Array;
  readonly #mask: number;
  #owed = 0;
  #late = 0;
  readonly #seen = new Int32Array(4);
  readonly #totals = [0, 0, 0, 0];

  constructor(memory: RingMemory) {
    const { buffer, channels } = memory;
    this.memory = memory;
    this.channels = channels;
    this.#control = new Int32Array(buffer, 0, CONTROL_WORDS);
    this.#data = new Float32Array(buffer, 4 * CONTROL_WORDS);
    this.capacity = this.#data.length / channels;
    if (!Number.isInteger(Math.log2(this.capacity))) {
      throw new ArgumentError(
        `a ring of ${buffer.byteLength} bytes and ${channels} channels; make its memory with ringMemory()`,
      );
    }
    this.#mask = this.capacity - 1;
  }

  /** Frames that can be read. */
  get available(): number {
    return (Atomics.load(this.#control, HEAD) - Atomics.load(this.#control, TAIL)) | 0;
  }

  /** Frames that can be written. */
  get room(): number {
    return this.capacity - this.available;
  }

  /** No more frames will be written. */
  get closed(): boolean {
    return Atomics.load(this.#control, CLOSED) === 1;
  }

  close(): void {
    Atomics.store(this.#control, CLOSED, 1);
    Atomics.notify(this.#control, HEAD);
  }

  /** Allocates: for displays, not for the audio callback. */
  get counts(): RingCounts {
    const [written, read, dropped, missing] = [HEAD, TAIL, DROPPED, MISSING].map((word) => {
      const now = Atomics.load(this.#control, word);
      this.#totals[word]! += (now - this.#seen[word]!) >>> 0;
      this.#seen[word] = now;
      return this.#totals[word]!;
    });
    return { written: written!, read: read!, dropped: dropped!, missing: missing! };
  }

  /** Takes as many of the block's frames (frames × channels, `frames` of them from `first` on) as fit; returns how many. */
  write(block: ArrayLike<number>, frames = block.length / this.channels, first = 0): number {
    const count = Math.min(frames, this.room);
    const head = Atomics.load(this.#control, HEAD);
    const { channels } = this;
    const data = this.#data;
    for (let i = 0; i < count; i++) {
      const to = ((head + i) & this.#mask) * channels;
      for (let c = 0; c < channels; c++) data[to + c] = block[(first + i) * channels + c]!;
    }
    this.#publish(head, count);
    return count;
  }

  /** Writes as many of `frames` frames of silence as fit. */
  writeSilence(frames: number): number {
    const count = Math.min(frames, this.room);
    const head = Atomics.load(this.#control, HEAD);
    for (let i = 0; i < count; i++) this.#silence(head + i);
    this.#publish(head, count);
    return count;
  }

  /** Fills the block (frames × channels, at most `frames`) with as many frames as are there; returns how many. */
  read(
    block: { readonly length: number; [i: number]: number },
    frames = block.length / this.channels,
  ): number {
    const count = Math.min(frames, this.available);
    const tail = Atomics.load(this.#control, TAIL);
    const { channels } = this;
    const data = this.#data;
    for (let i = 0; i < count; i++) {
      const from = ((tail + i) & this.#mask) * channels;
      for (let c = 0; c < channels; c++) block[i * channels + c] = data[from + c]!;
    }
    this.#consume(tail, count);
    return count;
  }

  /**
   * From the audio callback: `frames` frames, one array a channel as Web Audio gives them; channels that are not there
   * are silent. What does not fit is dropped and counted, and silence of that length goes in later.
   */
  capture(planes: readonly ArrayLike<number>[], frames: number): void {
    if (this.#owed > 0) this.#owed -= this.writeSilence(this.#owed);
    const count = this.#owed > 0 ? 0 : Math.min(frames, this.room);
    const head = Atomics.load(this.#control, HEAD);
    const { channels } = this;
    const data = this.#data;
    for (let c = 0; c < channels; c++) {
      const plane = planes[c];
      for (let i = 0; i < count; i++) {
        data[((head + i) & this.#mask) * channels + c] = plane === undefined ? 0 : plane[i]!;
      }
    }
    this.#publish(head, count);
    this.#owed += frames - count;
    Atomics.add(this.#control, DROPPED, frames - count);
  }

  /**
   * For the audio callback: fills the first `frames` of each plane. One channel goes to all planes. What is not there
   * yet is silent and counted, and skipped when it comes.
   */
  play(planes: readonly Float32Array[], frames: number): void {
    if (this.#late > 0) {
      const skipped = Math.min(this.#late, this.available);
      this.#consume(Atomics.load(this.#control, TAIL), skipped);
      this.#late -= skipped;
    }
    const closed = this.closed;
    const count = Math.min(frames, this.available);
    const tail = Atomics.load(this.#control, TAIL);
    const { channels } = this;
    const data = this.#data;
    for (let p = 0; p < planes.length; p++) {
      const plane = planes[p]!;
      const c = p < channels ? p : channels - 1;
      for (let i = 0; i < count; i++) plane[i] = data[((tail + i) & this.#mask) * channels + c]!;
      for (let i = count; i < frames; i++) plane[i] = 0;
    }
    this.#consume(tail, count);
    // After the last frame there is nothing to miss.
    if (closed) return;
    this.#late += frames - count;
    Atomics.add(this.#control, MISSING, frames - count);
  }

  /**
   * Blocks this thread until `frames` frames can be read or the ring is closed; false where `milliseconds` pass first.
   * Only where threads may block (a worker) and memory is shared.
   */
  wait(frames: number, milliseconds: number): boolean {
    const deadline = performance.now() + milliseconds;
    for (;;) {
      const head = Atomics.load(this.#control, HEAD);
      if (this.available >= frames || this.closed) return true;
      const left = deadline - performance.now();
      if (left <= 0) return false;
      Atomics.wait(this.#control, HEAD, head, left);
    }
  }

  #silence(frame: number): void {
    const to = (frame & this.#mask) * this.channels;
    for (let c = 0; c < this.channels; c++) this.#data[to + c] = 0;
  }

  /** The store makes the samples before it visible to the other side. */
  #publish(head: number, count: number): void {
    if (count === 0) return;
    Atomics.store(this.#control, HEAD, (head + count) | 0);
    Atomics.notify(this.#control, HEAD);
  }

  #consume(tail: number, count: number): void {
    if (count > 0) Atomics.store(this.#control, TAIL, (tail + count) | 0);
  }
}

export interface RingOptions {
  /** Room for at least so many frames; the next power of two is taken. */
  readonly frames: number;
  readonly channels: number;
  /** Between threads, which is the default; false for use within one, where pages are not cross-origin isolated. */
  readonly shared?: boolean;
}

/**
 * Memory of an empty ring.
 *
 * @throws ArgumentError for sizes that are none.
 */
export function ringMemory({ frames, channels, shared = true }: RingOptions): RingMemory {
  if (!(frames >= 1 && frames <= MOST_FRAMES)) {
    throw new ArgumentError(`a ring of ${frames} frames; give 1 to ${MOST_FRAMES}`);
  }
  if (!Number.isInteger(channels) || channels < 1) {
    throw new ArgumentError(`a ring of ${channels} channels; give a whole number from 1`);
  }
  const capacity = 2 ** Math.ceil(Math.log2(frames));
  const bytes = 4 * (CONTROL_WORDS + capacity * channels);
  return { buffer: shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes), channels };
}
