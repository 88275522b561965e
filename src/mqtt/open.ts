import type { IClientOptions, IPublishPacket, MqttClient } from 'mqtt';
import { ArgumentError, BackendError } from '../errors.ts';
import { loadMqtt } from './load.ts';

export interface MqttOptions {
  /** `mqtt://host:1883`, `mqtts:`, `ws:`, `wss:`. */
  readonly url: string;
  /** Topics or filters (`pumps/+/pressure`). */
  readonly topics: string | readonly string[];
  /** 1 (default): each message at least once. 0: at most once. */
  readonly qos?: 0 | 1;
  /** Names the session. Needed where one is to be found again. */
  readonly clientId?: string;
  /** Seconds that the broker keeps the session, and what comes meanwhile, for a client that is gone; 0. */
  readonly session?: number;
  /**
   * Messages in hand, unacknowledged, at most; 100. Where a broker brings more than it was told (Mosquitto 2.0.11 brings
   * as many again with each acknowledgement), the wire holds it back: never more than twice as many wait here.
   */
  readonly window?: number;
  /** What else the client takes: credentials, TLS, `protocolVersion: 4` for an old broker. */
  readonly connection?: IClientOptions;
}

export interface MqttDelivery {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** The broker has sent it before: it may have been taken already. */
  readonly duplicate: boolean;
  /** The last one of its topic, kept for whoever subscribes. */
  readonly retained: boolean;
  /** The broker may forget it. In the order in which they came. */
  acknowledge(): void;
}

/** Messages as they come; for one reader. Leaving the loop closes the connection. */
export interface MqttConsumer extends AsyncIterable<MqttDelivery> {
  /** Messages that have come and have not been read. */
  readonly waiting: number;
  close(): Promise<void>;
}

/**
 * Subscribes, and hands messages out unacknowledged: a reader that is slow, or stops, keeps the broker from sending more
 * than `window`, and what it has not acknowledged when it dies comes again. The client reconnects by itself.
 *
 * A broker may give up on what waits for a slow reader: Mosquitto drops messages beyond `max_queued_messages` (1,000; 0
 * is without limit).
 *
 * @throws BackendError without the package `mqtt`, where the broker can't be reached at first, or refuses; ArgumentError
 *   for an option out of range.
 */
export async function openMqtt(options: MqttOptions): Promise<MqttConsumer> {
  const { url, topics, qos = 1, clientId, session = 0, window = 100, connection = {} } = options;
  if (!(Number.isSafeInteger(window) && window >= 1 && window <= 65_535))
    throw new ArgumentError(`mqtt: window is ${window}; give messages, 1 to 65,535`);
  if (!(session >= 0 && session < 2 ** 32))
    throw new ArgumentError(`mqtt: session is ${session}; give seconds, 0 or more`);
  if (session > 0 && clientId === undefined)
    throw new ArgumentError('mqtt: a session needs a clientId, by which it is found again');
  const { connect } = await loadMqtt();
  const isFive = (connection.protocolVersion ?? 5) === 5;
  const client = connect(url, {
    protocolVersion: 5,
    ...connection,
    ...(clientId === undefined ? {} : { clientId }),
    clean: session === 0,
    manualConnect: true,
    ...(isFive
      ? {
          properties: {
            ...connection.properties,
            receiveMaximum: window,
            sessionExpiryInterval: Math.round(session),
          },
        }
      : {}),
  });
  const inbox = new Inbox(client, window);
  try {
    await connected(client, url);
    const granted = await client.subscribeAsync([topics].flat(), { qos });
    const refused = granted.find((grant) => (grant.qos as number) >= 128);
    if (refused) throw new BackendError(`${url} refuses the subscription to ${refused.topic}`);
    inbox.mayStandStill = true;
  } catch (error) {
    await client.endAsync(true);
    throw error instanceof BackendError
      ? error
      : new BackendError(`${url} refuses the subscription: ${(error as Error).message}`, { cause: error });
  }
  return inbox;
}

function connected(client: MqttClient, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      client.off('connect', done);
      client.off('error', failed);
      client.off('close', gone);
      if (error) {
        reject(
          new BackendError(`no connection to ${url}: ${error.message || (error as { code?: string }).code}`, {
            cause: error,
          }),
        );
      } else resolve();
    };
    const done = (): void => settle();
    const failed = (error: Error): void => settle(error);
    const gone = (): void => settle(new Error('the broker closed it'));
    client.on('connect', done);
    client.on('error', failed);
    client.on('close', gone);
    client.connect();
  });
}

interface Entry extends MqttDelivery {
  readonly qos: number;
  readonly wire: MqttClient['stream'];
}

/** What has come and has not been read. */
class Inbox implements MqttConsumer {
  readonly #client: MqttClient;
  readonly #window: number;
  #entries: Entry[] = [];
  /** Lets the wire go on, where it stands still. */
  #goOn: (() => void) | undefined;
  #wake: (() => void) | undefined;
  #end: { readonly error?: Error } | undefined;
  /**
   * Not before the broker has answered the subscription: its answer is on the wire behind what it brings again of an
   * older session, and nobody reads that before. It is no more than was under way when that session broke off.
   */
  mayStandStill = false;

  constructor(client: MqttClient, window: number) {
    this.#client = client;
    this.#window = window;
    client.handleMessage = (packet, callback) => this.#take(packet, callback);
    client.on('connect', ({ sessionPresent }) => {
      // The broker brings again what it has no acknowledgement of; what waits here would be read twice.
      if (sessionPresent)
        this.#entries = this.#entries.filter(({ qos, wire }) => qos === 0 || wire === client.stream);
    });
    client.on('error', (error) => {
      // Lost connections (a code of the system) come back; what the broker refuses (a number) does not.
      if (typeof (error as { code?: unknown }).code === 'number') this.#finish({ error });
    });
  }

  get waiting(): number {
    return this.#entries.length;
  }

  /** No generator: `return` has to end a `next` that waits. */
  [Symbol.asyncIterator](): AsyncIterator<MqttDelivery, void> {
    return {
      next: () => this.#next(),
      return: async () => {
        await this.close();
        return { done: true, value: undefined };
      },
    };
  }

  async #next(): Promise<IteratorResult<MqttDelivery, void>> {
    for (;;) {
      const entry = this.#end?.error ? undefined : this.#entries.shift();
      if (entry) {
        if (this.#entries.length < this.#window) this.#goOn?.();
        return { done: false, value: entry };
      }
      if (this.#end?.error) {
        const { error } = this.#end;
        await this.close();
        throw new BackendError(`the broker has ended the connection: ${error.message}`, { cause: error });
      }
      if (this.#end) return { done: true, value: undefined };
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async close(): Promise<void> {
    this.#finish({});
    this.#entries = [];
    this.#goOn?.();
    // At once: messages that nobody has acknowledged must not be waited for.
    await this.#client.endAsync(true);
  }

  #finish(end: { readonly error?: Error }): void {
    this.#end ??= end;
    this.#wake?.();
  }

  #take(packet: IPublishPacket, callback: (error?: Error) => void): void {
    const { stream } = this.#client;
    const { topic, payload, qos, dup, retain, messageId } = packet;
    this.#entries.push({
      topic,
      payload: typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
      duplicate: dup,
      retained: retain,
      qos,
      wire: stream,
      acknowledge: () => {
        // Of another connection the broker knows its own numbers only.
        if (qos === 1 && this.#client.stream === stream && stream.writable) stream.write(puback(messageId!));
      },
    });
    this.#wake?.();
    // With an error the client goes on without the acknowledgement, which follows when the reader says so.
    const next = (): void => (qos === 1 ? callback(new Error('not yet')) : callback());
    if (this.mayStandStill && this.#entries.length >= 2 * this.#window) this.#standStill(next);
    else next();
  }

  /** Nothing more is read from the wire until there is room. */
  #standStill(next: () => void): void {
    // One of a connection that is gone.
    this.#goOn?.();
    const client = this.#client;
    const { keepalive = 60 } = client.options;
    // The answers to the client's pings are on the wire, too, behind what is not read: both sides are told otherwise.
    const alive = (): void => {
      if (!client.connected) return;
      client.sendPing();
      client.reschedulePing(true);
    };
    client.reschedulePing(true);
    const timer = keepalive > 0 ? setInterval(alive, (1000 * keepalive) / 3) : undefined;
    this.#goOn = () => {
      clearInterval(timer);
      this.#goOn = undefined;
      next();
    };
  }
}

/** PUBACK, MQTT 3.1.1 section 3.4 and MQTT 5 section 3.4 (success needs no reason code). */
const puback = (id: number): Buffer => Buffer.from([0x40, 2, id >> 8, id & 0xff]);
