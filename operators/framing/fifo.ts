import { StreamError } from '../../src/errors.ts';
import type { FloatArray } from '../../src/signal/index.ts';

/** A queue of samples that grows to what is asked of it and is then used again. Gives what it was given: float32 or float64. */
export class Fifo {
  #data: FloatArray | undefined;
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  push(block: FloatArray): void {
    const count = this.length;
    const data = (this.#data ??= like(block, 2 * block.length));
    if (data.constructor !== block.constructor) {
      throw new StreamError(
        `a ${block.constructor.name} behind ${data.constructor.name}s; give blocks of one precision`,
      );
    }
    if (this.#end + block.length > data.length) {
      const room = 2 * (count + block.length) > data.length ? like(data, 2 * (count + block.length)) : data;
      if (room === data) data.copyWithin(0, this.#start, this.#end);
      else room.set(data.subarray(this.#start, this.#end));
      this.#data = room;
      this.#start = 0;
      this.#end = count;
    }
    this.#data!.set(block, this.#end);
    this.#end += block.length;
  }

  /** A fresh array of the oldest `count` values, fewer where there are fewer, filled up with zeros to `length`. */
  peek(count: number, length = Math.min(count, this.length)): FloatArray {
    const taken = like(this.#data ?? new Float32Array(0), length);
    if (this.#data) taken.set(this.#data.subarray(this.#start, Math.min(this.#end, this.#start + count)));
    return taken;
  }

  /** Forgets the oldest `count` values. */
  drop(count: number): void {
    this.#start = Math.min(this.#end, this.#start + count);
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }
}

export const like = (array: FloatArray, length: number): FloatArray =>
  array instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);
