import { RingBuffer, type RingMemory } from '../live/ring-buffer.ts';
import { DROPPED, SCOPE_SIZE } from './scope.ts';

/** What goes to the page: the sound before and after, and a scope. */
export interface Tap {
  /** To be filled before `publish`. */
  readonly scope: Float32Array;
  /** Frames that there was no room for. */
  readonly dropped: number;
  /** A quantum of both channels; never waits. */
  write(before: Float32Array, after: Float32Array): void;
  /** The scope is up to date. */
  publish(): void;
}

/** Memory that a page and its worklet share, on pages that are cross-origin isolated. */
export interface SharedMemory {
  readonly ring: RingMemory;
  readonly scope: SharedArrayBuffer;
}

/** Over shared memory: nothing is posted, nothing becomes garbage. */
export class SharedTap implements Tap {
  readonly scope: Float32Array;
  readonly #ring: RingBuffer;
  readonly #planes: Float32Array[] = [];
  #dropped = 0;

  constructor({ ring, scope }: SharedMemory) {
    this.#ring = new RingBuffer(ring);
    this.scope = new Float32Array(scope);
  }

  get dropped(): number {
    return this.#dropped;
  }

  write(before: Float32Array, after: Float32Array): void {
    this.#planes[0] = before;
    this.#planes[1] = after;
    const lost = before.length - this.#ring.room;
    if (lost > 0) this.#dropped += lost;
    this.#ring.capture(this.#planes, before.length);
  }

  publish(): void {
    this.scope[DROPPED] = this.#dropped;
  }
}

/** A batch as it is posted. */
export interface Batch {
  readonly type: 'batch';
  /** Frames × 2: before, after. */
  readonly audio: Float32Array;
  readonly scope: Float32Array;
}

/** The part of a MessagePort in use. */
export interface Port {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
}

/** Frames of a batch, and how many batches may be under way: 2.7 s at 48 kHz. */
const BATCH = 2048;
const BATCHES = 64;

/**
 * Over messages whose buffers change hands, for pages that share no memory: the page sends each batch back by
 * `MessageTap.take`, so that there is a fixed number of them. Posting makes some garbage, a batch and not a quantum.
 */
export class MessageTap implements Tap {
  readonly #port: Port;
  readonly #free: Batch[] = [];
  #batch: Batch | undefined;
  #filled = 0;
  #dropped = 0;
  readonly scope = new Float32Array(SCOPE_SIZE);

  constructor(port: Port) {
    this.#port = port;
    for (let i = 0; i < BATCHES; i++) {
      this.#free.push({
        type: 'batch',
        audio: new Float32Array(2 * BATCH),
        // What is not filled is not copied either: most models have little state.
        scope: new Float32Array(SCOPE_SIZE),
      });
    }
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** A batch that the page has read. */
  take(batch: Batch): void {
    this.#free.push(batch);
  }

  write(before: Float32Array, after: Float32Array): void {
    for (let i = 0; i < before.length; i++) {
      this.#batch ??= this.#free.pop();
      if (this.#batch === undefined) {
        this.#dropped += before.length - i;
        return;
      }
      const { audio } = this.#batch;
      audio[2 * this.#filled] = before[i]!;
      audio[2 * this.#filled + 1] = after[i]!;
      if (++this.#filled === BATCH) this.#post(this.#batch);
    }
  }

  publish(): void {
    this.scope[DROPPED] = this.#dropped;
  }

  #post(batch: Batch): void {
    batch.scope.set(this.scope);
    this.#port.postMessage(batch, [batch.audio.buffer as ArrayBuffer, batch.scope.buffer as ArrayBuffer]);
    this.#batch = undefined;
    this.#filled = 0;
  }
}
