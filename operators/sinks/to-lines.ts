import type { WriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { Observable, Subscriber, type OperatorFunction } from 'rxjs';
import { StreamError } from '../../src/errors.ts';
import { wholeNumber } from '../core/format.ts';
import { hold } from '../core/pace.ts';

export interface ToLinesOptions<T> {
  /** The line of a value, without its end. JSON by default; of texts the text. */
  readonly write?: (value: T) => string;
  /** Bytes that may wait to be written when the source can't be slowed down; 64 MiB. */
  readonly maxPendingBytes?: number;
}

export interface LinesWritten {
  readonly lines: number;
}

/**
 * A line for each value, into a file or, with `-`, to standard output. Emits once how many, and completes.
 *
 *     source   -a-b-c|
 *     result   ---------(n|)
 *
 * A file has its name once it is complete; after an error or an unsubscription nothing is left, and what was there
 * before still is. Sources that can wait (`hold`) do while the disk, or who reads the output, is behind; behind others
 * at most `maxPendingBytes` wait.
 *
 * @throws what writing says, as the error of the stream; StreamError where too much waits.
 * @example
 * fromLines('-').pipe(map(JSON.parse), keyed(id, model, parameters), toLines('-')).subscribe();
 */
export function toLines<T>(
  target: string,
  options: ToLinesOptions<T> = {},
): OperatorFunction<T, LinesWritten> {
  const { maxPendingBytes = 64 * 2 ** 20 } = options;
  const { write = (value: T) => (typeof value === 'string' ? value : JSON.stringify(value)) } = options;
  wholeNumber('toLines', 'maxPendingBytes', maxPendingBytes);
  return (source) =>
    new Observable((subscriber) =>
      source.subscribe(new LinesSink(subscriber, target, write, maxPendingBytes)),
    );
}

/** What has to be there to write: the stream, and how it ends. */
interface Outlet {
  readonly stream: Writable;
  finish(): Promise<void>;
  abandon(): Promise<void>;
}

/** Extends Subscriber for the reasons that `operate` gives. */
class LinesSink<T> extends Subscriber<T> {
  readonly #target: string;
  readonly #write: (value: T) => string;
  readonly #maxPending: number;
  readonly #opening: Promise<Outlet>;
  #stream: Writable | undefined;
  /** Lines that came before the file was open. */
  #early: string[] = [];
  #earlyBytes = 0;
  #lines = 0;
  #drained: Promise<void> | undefined;
  #isDone = false;

  constructor(
    subscriber: Subscriber<LinesWritten>,
    target: string,
    write: (value: T) => string,
    maxPending: number,
  ) {
    super(subscriber);
    this.#target = target;
    this.#write = write;
    this.#maxPending = maxPending;
    this.#opening = (target === '-' ? toStdout() : toFile(target)).then((outlet) => {
      this.#stream = outlet.stream;
      outlet.stream.on('error', (error) => this.error(error));
      for (const line of this.#early) outlet.stream.write(line);
      this.#early = [];
      this.#earlyBytes = 0;
      return outlet;
    });
    this.#opening.catch((error: unknown) => this.error(error));
    this.add(() => void this.#abandon());
  }

  protected override _next(value: T): void {
    let line: string;
    try {
      line = `${this.#write(value)}\n`;
    } catch (error) {
      this.error(error);
      return;
    }
    this.#lines++;
    let hasRoom = false;
    if (this.#stream) hasRoom = this.#stream.write(line);
    else {
      this.#early.push(line);
      this.#earlyBytes += line.length;
    }
    if (hasRoom) return;
    this.#drained ??= this.#drain();
    const pending = this.#stream?.writableLength ?? this.#earlyBytes;
    if (!hold(this.#drained) && pending > this.#maxPending) {
      this.error(
        new StreamError(
          `${this.#target}: ${pending} bytes wait to be written, ${this.#maxPending} may; ` +
            'read from a source that can wait (fromLines, fromCsv, fromAsyncIterable, paced), or raise maxPendingBytes',
        ),
      );
    }
  }

  protected override _error(error: unknown): void {
    void this.#abandon().finally(() => super._error(error));
  }

  protected override _complete(): void {
    this.#opening
      .then((outlet) => outlet.finish())
      .then(
        () => {
          this.#isDone = true;
          this.destination.next({ lines: this.#lines });
          super._complete();
        },
        (error: unknown) => this._error(error),
      );
  }

  /** Settles when what waits has been written, or never will be. */
  async #drain(): Promise<void> {
    const outlet = await this.#opening.catch(() => undefined);
    if (outlet?.stream.writableNeedDrain === true) {
      await new Promise<void>((resolve) => {
        const { stream } = outlet;
        const done = (): void => {
          for (const event of ['drain', 'close', 'error']) stream.off(event, done);
          resolve();
        };
        for (const event of ['drain', 'close', 'error']) stream.on(event, done);
      });
    }
    this.#drained = undefined;
  }

  /** Harmless after `finish`, and twice. */
  async #abandon(): Promise<void> {
    if (this.#isDone) return;
    this.#isDone = true;
    const outlet = await this.#opening.catch(() => undefined);
    await outlet?.abandon();
  }
}

async function toStdout(): Promise<Outlet> {
  const { stdout } = process;
  return {
    stream: stdout,
    // Not ours to close.
    finish: () =>
      new Promise((resolve, reject) => stdout.write('', (error) => (error ? reject(error) : resolve()))),
    abandon: async () => {},
  };
}

async function toFile(path: string): Promise<Outlet> {
  const [{ createWriteStream }, { rename, rm }, { EventEmitter }] = await Promise.all([
    import('node:fs'),
    import('node:fs/promises'),
    import('node:events'),
  ]);
  const part = `${path}.part`;
  const stream: WriteStream = createWriteStream(part, { flush: true });
  await EventEmitter.once(stream, 'open');
  return {
    stream,
    async finish() {
      stream.end();
      await EventEmitter.once(stream, 'close');
      await rename(part, path);
    },
    async abandon() {
      if (!stream.closed) {
        const closed = EventEmitter.once(stream, 'close').catch(() => {});
        stream.destroy();
        await closed;
      }
      await rm(part, { force: true });
    },
  };
}
