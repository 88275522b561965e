import type { FloatArray } from '../signal/index.ts';
import type { StreamBank } from '../stream/index.ts';
import type { Keyed } from './options.ts';

const LARGEST_FLOAT32 = 3.4028234663852886e38;

/** Frames of many streams on their way through the bank in one call, in the order in which they came. */
export class Batch<R> {
  /** The largest magnitude that is a number inside the bank. */
  readonly largest: number;
  readonly #bank: StreamBank;
  readonly #size: number;
  readonly #hasTime: boolean;
  readonly #channels: number;
  readonly #width: number;
  readonly #places: Int32Array;
  readonly #written: Int32Array;
  readonly #records: (R | undefined)[] = [];
  readonly #isNumber: Uint8Array;
  readonly #times: Float64Array;
  readonly #input: FloatArray;
  readonly #dt: FloatArray;
  readonly #output: FloatArray;
  #count = 0;

  /** @param size frames at most. */
  constructor(bank: StreamBank, size: number, hasTime: boolean) {
    const isDouble = bank.identity.precision === 'float64';
    const room = (length: number): FloatArray =>
      isDouble ? new Float64Array(length) : new Float32Array(length);
    this.largest = isDouble ? Number.MAX_VALUE : LARGEST_FLOAT32;
    this.#bank = bank;
    this.#size = size;
    this.#hasTime = hasTime;
    this.#channels = bank.inputChannels;
    this.#width = bank.outputChannels;
    this.#places = new Int32Array(size);
    this.#written = new Int32Array(size);
    this.#isNumber = new Uint8Array(size);
    this.#times = new Float64Array(size);
    this.#input = room(size * this.#channels);
    this.#dt = room(size);
    this.#output = room(size * bank.maxOutput(1) * this.#width);
  }

  get isFull(): boolean {
    return this.#count === this.#size;
  }

  /** @param dt in steps of the model. */
  put(
    place: number,
    time: number,
    dt: number,
    numbers: Float64Array,
    record: R | undefined,
    isNumber: boolean,
  ): void {
    const at = this.#count++;
    this.#places[at] = place;
    this.#times[at] = time;
    this.#records[at] = record;
    this.#isNumber[at] = isNumber ? 1 : 0;
    this.#dt[at] = Math.min(dt, this.largest);
    for (let c = 0; c < numbers.length; c++) this.#input[at * numbers.length + c] = numbers[c]!;
  }

  /** Runs what has gathered. */
  run(keyOf: (place: number) => string, results: Keyed<R>[]): void {
    const count = this.#count;
    if (count === 0) return;
    this.#count = 0;
    const input = this.#input.subarray(0, count * this.#channels);
    const block = this.#hasTime ? { input, dt: this.#dt.subarray(0, count) } : input;
    this.#bank.process(this.#places.subarray(0, count), block, this.#output, this.#written);
    let at = 0;
    for (let i = 0; i < count; i++) {
      const size = this.#written[i]! * this.#width;
      const record = this.#records[i];
      this.#records[i] = undefined;
      if (size === 0) continue;
      const isNumber = size === 1 && this.#isNumber[i] === 1;
      results.push({
        key: keyOf(this.#places[i]!),
        record,
        time: this.#times[i]!,
        value: isNumber ? this.#output[at]! : this.#output.slice(at, at + size),
      });
      at += size;
    }
  }
}
