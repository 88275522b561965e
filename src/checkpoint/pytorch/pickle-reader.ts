/** A pickle's bytes, taken in order, never beyond their end; and the errors that say where. */
import { FormatError } from '../../errors.ts';

/** Module and name of a GLOBAL; real ones take some 30 bytes. */
const MAX_LINE_BYTES = 256;

export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #source: string;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at = 0;
  /** Where the opcode in work starts. */
  #opAt = 0;

  constructor(bytes: Uint8Array, source: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#source = source;
  }

  fail(what: string): never {
    throw new FormatError(`${this.#source}: data.pkl byte ${this.#opAt}: ${what}`);
  }

  get at(): number {
    return this.#at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The next opcode, from which messages count. */
  opcode(): number {
    this.#opAt = this.#at;
    return this.u8();
  }

  /** Moves on by `count` bytes, which have to be there; gives their place. */
  #take(count: number): number {
    if (count > this.left) {
      this.fail(`${count} bytes are due and ${this.left} are left; the pickle is cut short or damaged`);
    }
    this.#at += count;
    return this.#at - count;
  }

  u8 = (): number => this.#bytes[this.#take(1)];
  u16 = (): number => this.#view.getUint16(this.#take(2), true);
  u32 = (): number => this.#view.getUint32(this.#take(4), true);
  i32 = (): number => this.#view.getInt32(this.#take(4), true);
  f64 = (): number => this.#view.getFloat64(this.#take(8));
  /** As a number; beyond 2^53 inexact, and larger than any pickle. */
  u64 = (): number => Number(this.#view.getBigUint64(this.#take(8), true));

  /** A view. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  text(count: number): string {
    const bytes = this.bytes(count);
    try {
      return this.#decoder.decode(bytes);
    } catch {
      this.fail('a text is no UTF-8; the pickle is damaged');
    }
  }

  /** A text up to a line feed, which is taken too. */
  line(): string {
    const end = this.#bytes.subarray(this.#at, this.#at + MAX_LINE_BYTES).indexOf(0x0a);
    if (end < 0) this.fail(`a name does not end within ${MAX_LINE_BYTES} bytes; the pickle is damaged`);
    const text = this.text(end);
    this.#take(1);
    return text;
  }
}
