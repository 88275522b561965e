import { randomBytes } from 'node:crypto';
import { close, closeSync, fdatasync, openSync, renameSync, unlinkSync, write, writeSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ArgumentError, StreamError } from '../../errors.ts';
import type { Sink } from './sink.ts';

const writeAsync = promisify(write);
const closeAsync = promisify(close);
const syncAsync = promisify(fdatasync);

const BUFFER = 65_536;

/**
 * A file that has its name only once it is complete. Bytes are gathered to writes of 64 KiB, one at a time,
 * each at its own position, so that `closeNow` can repeat the one that is under way: both put the same
 * bytes in the same place.
 */
export class FileSink implements Sink {
  readonly #path: string;
  readonly #temporary: string;
  readonly #fd: number;
  #buffer = new Uint8Array(BUFFER);
  #filled = 0;
  /** Two buffers take turns. */
  #spare: Uint8Array<ArrayBuffer> | undefined;
  /** Where the buffer belongs in the file. */
  #position: number;
  #underWay: { bytes: Uint8Array; position: number } | undefined;
  #flushing: Promise<void> | undefined;
  #failure: unknown;
  #done = false;

  constructor(target: string | URL, header: Uint8Array) {
    this.#path = target instanceof URL ? fileURLToPath(target) : target;
    const name = `.${basename(this.#path).slice(0, 60)}.${randomBytes(4).toString('hex')}.part`;
    this.#temporary = join(dirname(this.#path), name);
    try {
      this.#fd = openSync(this.#temporary, 'wx');
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ArgumentError(
        `Cannot write ${this.#path}: ${why}. Its folder has to exist and be writable.`,
        {
          cause,
        },
      );
    }
    this.#buffer.set(header);
    this.#filled = header.length;
    this.#position = 0;
  }

  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#check();
    // Taken in at once, in the order of the calls, whether or not the caller waits.
    this.#append(bytes);
    while (this.#filled >= BUFFER) await this.#flush();
  }

  async close(header: () => Uint8Array, padding: boolean): Promise<void> {
    if (this.#done) return;
    try {
      this.#check();
      if (padding) this.#append(new Uint8Array(1));
      while (this.#filled > 0 || this.#flushing !== undefined) await this.#flush();
      if (this.#done) return;
      this.#flushing = this.#writeAll(header(), 0).then(() => syncAsync(this.#fd));
      await this.#flushing;
      // closeNow may have come in between.
      if (this.#done) return;
      this.#done = true;
      await closeAsync(this.#fd);
      await rename(this.#temporary, this.#path);
    } catch (error) {
      await this.abort();
      throw error;
    }
  }

  closeNow(header: () => Uint8Array, padding: boolean): void {
    if (this.#done) return;
    this.#check();
    this.#done = true;
    if (padding) this.#append(new Uint8Array(1));
    const under = this.#underWay;
    if (under !== undefined) {
      // It may yet reach the disk behind what is written here, and must not bring the first header back.
      if (under.position === 0) under.bytes.set(header());
      writeAllSync(this.#fd, under.bytes, under.position);
    }
    writeAllSync(this.#fd, this.#buffer.subarray(0, this.#filled), this.#position);
    writeAllSync(this.#fd, header(), 0);
    // A write under way still needs the descriptor; it is closed after it.
    if (this.#flushing === undefined) closeSync(this.#fd);
    else void this.#flushing.finally(() => closeSync(this.#fd)).catch(() => {});
    renameSync(this.#temporary, this.#path);
  }

  async abort(): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    await this.#flushing?.catch(() => {});
    await closeAsync(this.#fd);
    unlinkSync(this.#temporary);
  }

  #append(bytes: Uint8Array): void {
    const length = this.#filled + bytes.length;
    if (length > this.#buffer.length) {
      const wider = new Uint8Array(Math.max(length, 2 * this.#buffer.length));
      wider.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = wider;
    }
    this.#buffer.set(bytes, this.#filled);
    this.#filled = length;
  }

  /** Waits for the write under way, or starts one with all that is gathered. */
  #flush(): Promise<void> {
    this.#flushing ??= this.#start().finally(() => {
      this.#flushing = undefined;
    });
    return this.#flushing;
  }

  async #start(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#filled);
    const position = this.#position;
    this.#underWay = { bytes, position };
    this.#buffer = this.#spare ?? new Uint8Array(BUFFER);
    this.#spare = undefined;
    this.#filled = 0;
    this.#position += bytes.length;
    try {
      await this.#writeAll(bytes, position);
    } catch (error) {
      this.#failure ??= error;
      throw error;
    } finally {
      this.#underWay = undefined;
      if (bytes.buffer.byteLength === BUFFER) this.#spare = new Uint8Array(bytes.buffer as ArrayBuffer);
    }
  }
  async #writeAll(bytes: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      try {
        const { bytesWritten } = await writeAsync(this.#fd, bytes, at, bytes.length - at, position + at);
        at += bytesWritten;
      } catch (cause) {
        throw new StreamError(`Writing ${this.#path} failed at byte ${position + at}: ${String(cause)}`, {
          cause,
        });
      }
    }
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#done) throw new StreamError(`${this.#path} is not being written any more.`);
  }
}

function writeAllSync(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}
