import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { lastValueFrom, Subject, type Observable, type OperatorFunction } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  fromAsyncIterable,
  toServerSentEvents,
  toWebSocket,
  type BroadcastReport,
  type ClientReport,
  type ServeOptions,
} from '../../operators/index.ts';
import { ArgumentError } from '../../src/errors.ts';

/** Something that listens to a server, and can stop reading. */
interface Listener {
  readonly got: string[];
  pause(): void;
  resume(): void;
  readonly closed: Promise<unknown>;
}

async function listenToSocket(url: string): Promise<Listener> {
  const socket = new WebSocket(url);
  const got: string[] = [];
  socket.on('message', (data) => got.push(String(data)));
  await once(socket, 'open');
  return { got, pause: () => socket.pause(), resume: () => socket.resume(), closed: once(socket, 'close') };
}

async function listenToEvents(url: string): Promise<Listener> {
  const { hostname, port, pathname } = new URL(url);
  const socket: Socket = connect(Number(port), hostname);
  const got: string[] = [];
  let text = '';
  let isOpen = (): void => {};
  const opened = new Promise<void>((resolve) => (isOpen = resolve));
  socket.on('data', (bytes) => {
    text += bytes.toString();
    isOpen();
    // Events may be cut by the chunks of HTTP; only their data lines matter here.
    const lines = text.split('\n');
    text = lines.pop()!;
    for (const line of lines) if (line.startsWith('data: ')) got.push(line.slice(6));
  });
  socket.write(`GET ${pathname} HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`);
  await opened;
  return { got, pause: () => socket.pause(), resume: () => socket.resume(), closed: once(socket, 'close') };
}

type Sink = (options: ServeOptions<string>) => OperatorFunction<string, BroadcastReport>;

/** Starts a sink on a source and waits until clients can come. */
async function start(
  sink: Sink,
  source: Observable<string>,
  options: ServeOptions<string>,
): Promise<{ url: string; report: Promise<BroadcastReport> }> {
  let report: Promise<BroadcastReport> | undefined;
  const url = await new Promise<string>((resolve, reject) => {
    report = lastValueFrom(source.pipe(sink({ ...options, onListening: resolve })));
    report.catch(reject);
  });
  return { url, report: report! };
}

/** More than the system and the wire hold between two sockets. */
const LONG = 'x'.repeat(20_000);

describe.each([
  ['toWebSocket', toWebSocket as Sink, listenToSocket],
  ['toServerSentEvents', toServerSentEvents as Sink, listenToEvents],
])('%s', (_name, sink, listen) => {
  it('brings every value to everyone who is there', async () => {
    const source = new Subject<string>();
    const { url, report } = await start(sink, source, {});
    const first = await listen(url);
    source.next('a');
    const second = await listen(url);
    source.next('b');
    source.next('c');
    source.complete();
    expect(await report).toEqual({ messages: 3, clients: 2, sent: 5, dropped: 0, unsent: 0 });
    await Promise.all([first.closed, second.closed]);
    expect(first.got).toEqual(['a', 'b', 'c']);
    expect(second.got).toEqual(['b', 'c']);
  });

  it.each(['drop-oldest', 'drop-newest'] as const)('counts what a slow client misses: %s', async (slow) => {
    const source = new Subject<string>();
    const gone: ClientReport[] = [];
    const options = { slow, queue: 20, onGone: (client: ClientReport) => gone.push(client) };
    const { url, report } = await start(sink, source, options);
    const stuck = await listen(url);
    const quick = await listen(url);
    stuck.pause();
    const messages = 2000;
    for (let i = 0; i < messages; i++) {
      source.next(`${i} ${LONG}`);
      // The quick one is given its turn.
      while (quick.got.length < i - 10) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(quick.got.length).toBeGreaterThan(messages - 20);
    stuck.resume();
    source.complete();
    const whole = await report;
    await Promise.all([stuck.closed, quick.closed]);
    const numbers = stuck.got.map((text) => Number(text.split(' ')[0]));
    expect(quick.got).toHaveLength(messages);
    expect(numbers.length).toBeLessThan(messages - 100);
    // What it got and what was dropped is everything, in order.
    expect(gone.map(({ sent, dropped, unsent }) => sent + dropped + unsent)).toEqual([messages, messages]);
    expect(Math.max(...gone.map(({ dropped }) => dropped))).toBe(messages - numbers.length);
    expect(whole).toMatchObject({ messages, clients: 2, sent: messages + numbers.length, unsent: 0 });
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(Object.is(numbers.at(-1), messages - 1)).toBe(slow === 'drop-oldest');
  });

  it('waits for the slowest where that is the policy and the source can', async () => {
    const progress = { made: 0 };
    async function* fast(): AsyncGenerator<string> {
      for (; progress.made < 1500; progress.made++) yield `${progress.made} ${LONG}`;
    }
    let url = '';
    const gate = Promise.withResolvers<void>();
    async function* gated(): AsyncGenerator<string> {
      await gate.promise;
      yield* fast();
    }
    const started = await start(sink, fromAsyncIterable(gated()), { slow: 'pause', queue: 5 });
    url = started.url;
    const slow = await listen(url);
    slow.pause();
    gate.resolve();
    let held = -1;
    while (progress.made === 0 || progress.made !== held) {
      held = progress.made;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(held).toBeLessThan(1500);
    slow.resume();
    expect(await started.report).toMatchObject({ messages: 1500, sent: 1500, dropped: 0, unsent: 0 });
    await slow.closed;
    expect(slow.got.map((text) => Number(text.split(' ')[0]))).toEqual(
      Array.from({ length: 1500 }, (_, i) => i),
    );
  });

  it('closes a client that all wait for in vain', async () => {
    async function* fast(): AsyncGenerator<string> {
      await gate.promise;
      for (let i = 0; i < 1500; i++) yield `${i} ${LONG}`;
    }
    const gate = Promise.withResolvers<void>();
    const gone: ClientReport[] = [];
    const { url, report } = await start(sink, fromAsyncIterable(fast()), {
      slow: 'pause',
      queue: 5,
      patience: 50,
      onGone: (client) => gone.push(client),
    });
    const stuck = await listen(url);
    stuck.pause();
    gate.resolve();
    expect((await report).messages).toBe(1500);
    expect(gone).toHaveLength(1);
    expect(gone[0]!.dropped).toBe(0);
    expect(gone[0]!.sent + gone[0]!.unsent).toBeLessThan(1500);
  });

  it('refuses options that can not be', () => {
    expect(() => sink({ queue: 0 })).toThrow(ArgumentError);
    expect(() => sink({ slow: 'wait' as never })).toThrow(ArgumentError);
    expect(() => sink({ patience: 0 })).toThrow(ArgumentError);
  });
});

describe('server-sent events', () => {
  it('answers at its path alone', async () => {
    const source = new Subject<string>();
    const { url, report } = await start(toServerSentEvents as Sink, source, { path: '/live' });
    expect((await fetch(new URL('/other', url))).status).toBe(404);
    const response = await fetch(url);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    source.next('one\ntwo');
    source.next('three');
    source.complete();
    await report;
    expect(await response.text()).toBe('id: 0\ndata: one\ndata: two\n\nid: 1\ndata: three\n\n');
  });
});
