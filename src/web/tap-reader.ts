import { RingBuffer, ringMemory } from '../live/ring-buffer.ts';
import { SCOPE_SIZE } from './scope.ts';
import type { Batch, Port, SharedMemory } from './tap.ts';

/** The page's end of a tap. */
export interface TapReader {
  /** What the worklet's end needs; undefined where buffers are posted. */
  readonly memory: SharedMemory | undefined;
  /** The latest scope; see `scope.ts`. */
  readonly scope: Float32Array;
  /** All frames that have come since the last call, frames × 2 (before, after), in blocks that may be kept. */
  read(consume: (block: Float32Array) => void): void;
}

/** 2.7 s at 48 kHz: a page in the background looks once a second. */
const FRAMES = 2 ** 17;
const BLOCK = 4096;

class SharedReader implements TapReader {
  readonly memory: SharedMemory;
  readonly scope: Float32Array;
  readonly #ring: RingBuffer;

  constructor() {
    const ring = ringMemory({ frames: FRAMES, channels: 2 });
    const scope = new SharedArrayBuffer(4 * SCOPE_SIZE);
    this.memory = { ring, scope };
    this.#ring = new RingBuffer(ring);
    this.scope = new Float32Array(scope);
  }

  read(consume: (block: Float32Array) => void): void {
    while (this.#ring.available > 0) {
      const block = new Float32Array(2 * Math.min(BLOCK, this.#ring.available));
      this.#ring.read(block);
      consume(block);
    }
  }
}

class BatchReader implements TapReader {
  readonly memory = undefined;
  readonly scope = new Float32Array(SCOPE_SIZE);
  readonly #batches: Batch[] = [];
  readonly #port: Port;

  constructor(port: Port) {
    this.#port = port;
  }

  arrive(batch: Batch): void {
    this.#batches.push(batch);
  }

  read(consume: (block: Float32Array) => void): void {
    for (const batch of this.#batches.splice(0)) {
      this.scope.set(batch.scope);
      consume(batch.audio.slice());
      this.#port.postMessage(batch, [batch.audio.buffer as ArrayBuffer, batch.scope.buffer as ArrayBuffer]);
    }
  }
}

/** A port that messages come from. */
export interface ReadablePort extends Port {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

/** Over shared memory, on pages that are cross-origin isolated. */
export const sharedReader = (): TapReader => new SharedReader();

/** Over messages on a worklet's port, which has to be started. */
export function messageReader(port: ReadablePort): TapReader {
  const reader = new BatchReader(port);
  port.addEventListener('message', ({ data }) => {
    if ((data as Partial<Batch>).type === 'batch') reader.arrive(data as Batch);
  });
  return reader;
}
