import { Observable, Subscriber, type OperatorFunction } from 'rxjs';
import type { Broadcast, BroadcastOptions, BroadcastReport } from './broadcast.ts';

export interface ServeOptions<T> extends BroadcastOptions {
  /** 0 (default): any that is free; `onListening` says which. */
  readonly port?: number;
  /** `127.0.0.1` by default: this machine alone. */
  readonly host?: string;
  /** Of the URL; `/` by default. */
  readonly path?: string;
  /** The text of a value. JSON by default; of texts the text. */
  readonly write?: (value: T) => string;
  /** Called when clients can come. */
  readonly onListening?: (url: string) => void;
}

/** A server that clients come to. */
export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

/** Values of the source to whoever is connected; the report when the source has completed and all is sent. */
export const serve =
  <T>(
    begin: () => Broadcast,
    listen: (broadcast: Broadcast) => Promise<Listening>,
    {
      write = (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
      onListening,
    }: ServeOptions<T>,
  ): OperatorFunction<T, BroadcastReport> =>
  (source) =>
    new Observable((subscriber) => {
      const broadcast = begin();
      const opening = listen(broadcast);
      const run = async (): Promise<void> => {
        const { url } = await opening;
        onListening?.(url);
        // Once clients can come: a source that starts at once would be over before.
        if (!subscriber.closed) source.subscribe(new ServeSink(subscriber, broadcast, opening, write));
      };
      subscriber.add(() => {
        broadcast.close();
        void opening.then((server) => server.close()).catch(() => {});
      });
      run().catch((error: unknown) => subscriber.error(error));
    });

/** Extends Subscriber for the reasons that `operate` gives. */
class ServeSink<T> extends Subscriber<T> {
  readonly #broadcast: Broadcast;
  readonly #opening: Promise<Listening>;
  readonly #write: (value: T) => string;

  constructor(
    subscriber: Subscriber<BroadcastReport>,
    broadcast: Broadcast,
    opening: Promise<Listening>,
    write: (value: T) => string,
  ) {
    super(subscriber);
    this.#broadcast = broadcast;
    this.#opening = opening;
    this.#write = write;
  }

  protected override _next(value: T): void {
    try {
      this.#broadcast.send(this.#write(value));
    } catch (error) {
      this.error(error);
    }
  }

  protected override _complete(): void {
    const end = async (): Promise<BroadcastReport> => {
      await this.#broadcast.end();
      await (await this.#opening).close();
      return this.#broadcast.report;
    };
    end().then(
      (report) => {
        this.destination.next(report);
        super._complete();
      },
      (error: unknown) => this._error(error),
    );
  }
}
