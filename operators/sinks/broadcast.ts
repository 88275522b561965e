import { ArgumentError } from '../../src/errors.ts';
import { wholeNumber } from '../core/format.ts';
import { hold } from '../core/pace.ts';

/**
 * What happens when a client is behind by a whole queue: it misses what is oldest or what is newest, all wait for it
 * (where the source can; behind others it is closed), or it is closed.
 */
export type SlowPolicy = 'drop-oldest' | 'drop-newest' | 'pause' | 'close';

export interface BroadcastOptions {
  /** Messages that wait for a client at most; 1,000. */
  readonly queue?: number;
  /** `drop-oldest` by default. */
  readonly slow?: SlowPolicy;
  /** Milliseconds without progress after which a client that all wait for is closed; 30,000. */
  readonly patience?: number;
  /** Told of each client that has gone. */
  readonly onGone?: (client: ClientReport) => void;
}

/** Every message that was there for a client is one of these. */
export interface ClientReport {
  /** Handed to the system. */
  readonly sent: number;
  /** Left out because it was behind. */
  readonly dropped: number;
  /** Still waiting when it went. */
  readonly unsent: number;
}

/** All clients together. */
export interface BroadcastReport extends ClientReport {
  readonly messages: number;
  readonly clients: number;
}

/** The wire to a client. */
export interface Wire {
  /** `done` once the system has taken it. */
  send(text: string, done: (error?: Error | null) => void): void;
  close(): void;
}

/** Bytes on their way through one wire; beyond, messages wait in the queue, where they can be counted and dropped. */
const IN_FLIGHT = 2 ** 16;

/** One stream of messages to many clients, each with a queue of its own. */
export class Broadcast {
  readonly #options: Required<Omit<BroadcastOptions, 'onGone'>> & Pick<BroadcastOptions, 'onGone'>;
  readonly #clients = new Set<Client>();
  #messages = 0;
  #count = 0;
  #gone: ClientReport = { sent: 0, dropped: 0, unsent: 0 };

  /** @throws ArgumentError for an option that can't be. */
  constructor(where: string, options: BroadcastOptions) {
    const { queue = 1000, slow = 'drop-oldest', patience = 30_000, onGone } = options;
    wholeNumber(where, 'queue', queue);
    if (!['drop-oldest', 'drop-newest', 'pause', 'close'].includes(slow)) {
      throw new ArgumentError(
        `${where}: slow is '${String(slow)}'; choose drop-oldest, drop-newest, pause or close`,
      );
    }
    if (!(patience > 0))
      throw new ArgumentError(`${where}: patience is ${patience}; give milliseconds above 0`);
    this.#options = { queue, slow, patience, ...(onGone ? { onGone } : {}) };
  }

  get clients(): number {
    return this.#clients.size;
  }

  get report(): BroadcastReport {
    const sum = { ...this.#gone };
    for (const { report } of this.#clients) {
      sum.sent += report.sent;
      sum.dropped += report.dropped;
      sum.unsent += report.unsent;
    }
    return { messages: this.#messages, clients: this.#count, ...sum };
  }

  /** Returns what to call when the client has gone by itself. */
  join(wire: Wire): () => void {
    const client = new Client(wire, () => this.#leave(client));
    this.#clients.add(client);
    this.#count++;
    return () => this.#leave(client);
  }

  /** To everyone who is there. Within `next`: a source that can wait does, where that is the policy. */
  send(text: string): void {
    this.#messages++;
    const { queue, slow, patience } = this.#options;
    for (const client of this.#clients) {
      if (client.waiting >= queue && slow !== 'pause') {
        if (slow === 'close') this.#leave(client);
        else client.drop(slow === 'drop-oldest' ? text : undefined);
        continue;
      }
      if (client.waiting >= queue) {
        this.#leave(client);
        continue;
      }
      client.push(text);
      if (slow === 'pause' && client.waiting >= queue) hold(client.room(patience));
    }
  }

  /** What waits goes out, for `patience` at most; then everyone is closed. */
  async end(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.empty(this.#options.patience)));
    this.close();
  }

  /** Everyone is closed at once. */
  close(): void {
    for (const client of this.#clients) this.#leave(client);
  }

  #leave(client: Client): void {
    if (!this.#clients.delete(client)) return;
    client.close();
    const { sent, dropped, unsent } = client.report;
    this.#gone = {
      sent: this.#gone.sent + sent,
      dropped: this.#gone.dropped + dropped,
      unsent: this.#gone.unsent + unsent,
    };
    this.#options.onGone?.(client.report);
  }
}

class Client {
  readonly #wire: Wire;
  readonly #fail: () => void;
  #queue: string[] = [];
  #first = 0;
  #flying = 0;
  #flyingBytes = 0;
  #sent = 0;
  #dropped = 0;
  #isClosed = false;
  /** Woken whenever something has been sent, and by the end. */
  #waker: { readonly moved: Promise<void>; wake(): void } | undefined;

  constructor(wire: Wire, fail: () => void) {
    this.#wire = wire;
    this.#fail = fail;
  }

  /** Messages in the queue. */
  get waiting(): number {
    return this.#queue.length - this.#first;
  }

  get report(): ClientReport {
    return { sent: this.#sent, dropped: this.#dropped, unsent: this.waiting + this.#flying };
  }

  push(text: string): void {
    this.#queue.push(text);
    this.#pump();
  }

  /** The queue is full: the oldest message goes for this one, or this one goes. */
  drop(text: string | undefined): void {
    this.#dropped++;
    if (text === undefined) return;
    this.#shift();
    this.#queue.push(text);
  }

  close(): void {
    this.#isClosed = true;
    this.#waker?.wake();
    this.#wire.close();
  }

  /** Settles once a message could wait again, or the client is gone. */
  async room(patience: number): Promise<void> {
    const full = this.waiting;
    while (!this.#isClosed && this.waiting >= full) if (!(await this.#moves(patience))) this.#fail();
  }

  /** Settles once nothing waits, or nothing moves any more. */
  async empty(patience: number): Promise<void> {
    while (!this.#isClosed && this.waiting + this.#flying > 0) if (!(await this.#moves(patience))) return;
  }

  #moves(patience: number): Promise<boolean> {
    if (!this.#waker) {
      let wake = (): void => {};
      const moved = new Promise<void>((resolve) => (wake = resolve));
      this.#waker = { moved, wake: () => wake() };
    }
    const { moved } = this.#waker;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), patience);
      void moved.then(() => {
        clearTimeout(timer);
        resolve(true);
      });
    });
  }

  #shift(): string {
    const text = this.#queue[this.#first]!;
    this.#first++;
    // Moved down now and then, so that it costs nothing a message.
    if (this.#first > 1024 && this.#first * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#first);
      this.#first = 0;
    }
    return text;
  }

  #pump(): void {
    while (!this.#isClosed && this.waiting > 0 && this.#flyingBytes < IN_FLIGHT) {
      const text = this.#shift();
      this.#flying++;
      this.#flyingBytes += text.length;
      this.#wire.send(text, (error) => {
        this.#flyingBytes -= text.length;
        if (this.#isClosed) return;
        if (error) {
          this.#fail();
          return;
        }
        this.#flying--;
        this.#sent++;
        this.#waker?.wake();
        this.#waker = undefined;
        this.#pump();
      });
    }
  }
}
