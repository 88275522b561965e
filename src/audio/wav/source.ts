import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { ArgumentError, StreamError } from '../../errors.ts';

/** Where a WAV file can come from: a path, bytes in memory, or a stream of bytes such as `process.stdin`. */
export type WavSource = string | URL | Uint8Array | AsyncIterable<Uint8Array>;

const WINDOW = 65_536;

/**
 * Bytes on demand, through one window that is used again and again: memory follows what was asked for and
 * has really arrived, never what a header claims.
 */
export abstract class ByteSource {
  /** Length of the whole, in bytes, where it is known. */
  readonly size: number | undefined;
  #window = new Uint8Array(WINDOW);
  #start = 0;
  #end = 0;

  constructor(size: number | undefined) {
    this.size = size;
  }

  /** Copies what comes next to `target`; the bytes copied, 0 at the end. */
  protected abstract into(target: Uint8Array): Promise<number>;
  /** Moves on by `n` bytes without reading, where the source can; `false` where it cannot. */
  protected seek(_n: number): boolean {
    return false;
  }
  /** Another view of the same bytes from `position` on, where the source allows it. */
  at(_position: number): ByteSource | undefined {
    return undefined;
  }
  abstract close(): Promise<void>;

  /** `n` bytes, fewer only at the end. The view is valid until the next call. */
  async read(n: number): Promise<Uint8Array> {
    if (this.#start === this.#end) this.#start = this.#end = 0;
    while (this.#end - this.#start < n) {
      if (this.#end === this.#window.length) this.#makeRoom();
      const got = await this.into(this.#window.subarray(this.#end));
      if (got === 0) break;
      this.#end += got;
    }
    const from = this.#start;
    this.#start = Math.min(this.#end, from + n);
    return this.#window.subarray(from, this.#start);
  }

  /** Gives the last `n` bytes of the read before this call back. */
  unread(n: number): void {
    this.#start -= n;
  }

  /** Leaves out `n` bytes, or what is left of them. */
  async skip(n: number): Promise<void> {
    const held = Math.min(n, this.#end - this.#start);
    this.#start += held;
    let left = n - held;
    if (left > 0 && this.seek(left)) return;
    while (left > 0) {
      const got = (await this.read(Math.min(left, WINDOW))).length;
      if (got === 0) return;
      left -= got;
    }
  }

  #makeRoom(): void {
    const held = this.#window.subarray(this.#start, this.#end);
    // Half a window free is room enough; otherwise double, so that moving costs O(1) a byte.
    if (held.length * 2 > this.#window.length) {
      const wider = new Uint8Array(this.#window.length * 2);
      wider.set(held);
      this.#window = wider;
    } else {
      this.#window.copyWithin(0, this.#start, this.#end);
    }
    this.#end = held.length;
    this.#start = 0;
  }
}

class MemorySource extends ByteSource {
  readonly #bytes: Uint8Array;
  #position: number;

  constructor(bytes: Uint8Array, position = 0) {
    super(bytes.length);
    this.#bytes = bytes;
    this.#position = position;
  }
  protected into(target: Uint8Array): Promise<number> {
    const part = this.#bytes.subarray(this.#position, this.#position + target.length);
    target.set(part);
    this.#position += part.length;
    return Promise.resolve(part.length);
  }
  protected override seek(n: number): boolean {
    this.#position += n;
    return true;
  }
  override at(position: number): ByteSource {
    return new MemorySource(this.#bytes, position);
  }
  override close(): Promise<void> {
    return Promise.resolve();
  }
}

class FileSource extends ByteSource {
  readonly #handle: FileHandle;
  readonly #path: string;
  readonly #owner: boolean;
  #position: number;

  constructor(handle: FileHandle, path: string, size: number | undefined, position = 0, owner = true) {
    super(size);
    this.#handle = handle;
    this.#path = path;
    this.#position = position;
    this.#owner = owner;
  }
  protected async into(target: Uint8Array): Promise<number> {
    // A pipe or a device has no positions.
    const position = this.size === undefined ? null : this.#position;
    try {
      const { bytesRead } = await this.#handle.read(target, 0, target.length, position);
      this.#position += bytesRead;
      return bytesRead;
    } catch (cause) {
      throw new StreamError(`Reading ${this.#path} failed at byte ${this.#position}: ${String(cause)}`, {
        cause,
      });
    }
  }
  protected override seek(n: number): boolean {
    if (this.size === undefined) return false;
    this.#position += n;
    return true;
  }
  override at(position: number): ByteSource | undefined {
    if (this.size === undefined) return undefined;
    return new FileSource(this.#handle, this.#path, this.size, position, false);
  }
  override async close(): Promise<void> {
    if (this.#owner) await this.#handle.close();
  }
}

class IterableSource extends ByteSource {
  readonly #iterator: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array(0);
  #done = false;

  constructor(iterable: AsyncIterable<Uint8Array>) {
    super(undefined);
    this.#iterator = iterable[Symbol.asyncIterator]();
  }
  protected async into(target: Uint8Array): Promise<number> {
    while (this.#chunk.length === 0) {
      if (this.#done) return 0;
      const next = await this.#iterator.next();
      if (next.done === true) {
        this.#done = true;
        return 0;
      }
      if (!(next.value instanceof Uint8Array)) {
        throw new ArgumentError(
          `A stream of bytes gave a ${typeof next.value}; every chunk has to be a Uint8Array (leave setEncoding out).`,
        );
      }
      this.#chunk = next.value;
    }
    const part = this.#chunk.subarray(0, target.length);
    target.set(part);
    this.#chunk = this.#chunk.subarray(part.length);
    return part.length;
  }
  override async close(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await this.#iterator.return?.();
  }
}

/** Opens a source. A path that cannot be opened is an `ArgumentError` that names it. */
export async function openSource(source: WavSource): Promise<ByteSource> {
  if (source instanceof Uint8Array) return new MemorySource(source);
  if (typeof source === 'string' || source instanceof URL) {
    let handle: FileHandle | undefined;
    try {
      handle = await open(source, 'r');
      const stat = await handle.stat();
      if (stat.isDirectory()) throw new Error('it is a folder');
      return new FileSource(handle, String(source), stat.isFile() ? stat.size : undefined);
    } catch (cause) {
      await handle?.close();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ArgumentError(
        `Cannot open ${String(source)}: ${why}. Give the path of a readable WAV file.`,
        {
          cause,
        },
      );
    }
  }
  if (typeof (source as Partial<AsyncIterable<Uint8Array>> | null)?.[Symbol.asyncIterator] === 'function') {
    return new IterableSource(source);
  }
  throw new ArgumentError(
    `A WAV cannot be read from ${String(source)}; give a path, a Uint8Array or an async iterable of Uint8Array.`,
  );
}
