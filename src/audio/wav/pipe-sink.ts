import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { StreamError } from '../../errors.ts';
import type { Sink } from './sink.ts';

/** Bytes to a stream, at the pace of whoever reads it. */
export class PipeSink implements Sink {
  readonly #stream: Writable;
  #header: Uint8Array | undefined;
  #failure: StreamError | undefined;
  #wake: (() => void)[] = [];

  constructor(stream: Writable, header: Uint8Array) {
    this.#stream = stream;
    this.#header = header;
    const failed = (cause?: Error): void => {
      this.#failure ??= new StreamError(
        `The stream that the WAV is written to ${cause === undefined ? 'was closed' : `failed: ${cause.message}`}.`,
        { cause },
      );
      this.#release();
    };
    stream.on('error', failed);
    stream.on('close', () => failed());
    stream.on('drain', () => this.#release());
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    let room = this.#sendHeader();
    if (bytes.length > 0) room = this.#stream.write(bytes);
    if (!room) await new Promise<void>((resolve) => this.#wake.push(resolve));
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#sendHeader();
    if (isStandard(this.#stream)) {
      // Node never closes these; an empty write tells when all before it has been handed over.
      await new Promise<void>((resolve, reject) => {
        this.#stream.write('', (error) => (error == null ? resolve() : reject(error)));
      });
    } else {
      const done = finished(this.#stream, { readable: false });
      this.#stream.end();
      await done.catch((cause: unknown) => {
        throw this.#failure ?? new StreamError(`Ending the WAV stream failed: ${String(cause)}`, { cause });
      });
    }
  }

  closeNow(): void {
    if (this.#failure !== undefined) return;
    this.#sendHeader();
    if (!isStandard(this.#stream)) this.#stream.end();
  }

  abort(): Promise<void> {
    if (!isStandard(this.#stream)) this.#stream.destroy();
    return Promise.resolve();
  }

  #sendHeader(): boolean {
    const header = this.#header;
    this.#header = undefined;
    return header === undefined ? !this.#stream.writableNeedDrain : this.#stream.write(header);
  }

  #release(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

const isStandard = (stream: Writable): boolean =>
  stream === (process.stdout as Writable) || stream === (process.stderr as Writable);
