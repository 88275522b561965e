import type { AddressInfo } from 'node:net';
import type { OperatorFunction } from 'rxjs';
import { Broadcast, type BroadcastReport } from './broadcast.ts';
import { serve, type Listening, type ServeOptions } from './serve.ts';

/**
 * As `toWebSocket`, over plain HTTP: `new EventSource(url)` in a page, or `curl -N url`. Needs no package. Each event
 * has its number since the start as `id`, so that a client sees what it has missed.
 *
 * @throws what the system says about the port, as the error of the stream.
 * @example
 * readings.pipe(keyed(id, model, parameters), toServerSentEvents({ port: 8080, slow: 'drop-oldest' })).subscribe();
 */
export const toServerSentEvents = <T>(
  options: ServeOptions<T> = {},
): OperatorFunction<T, BroadcastReport> => {
  // At once, so that a mistake shows where it is made.
  void new Broadcast('toServerSentEvents', options);
  const { write = (value: T) => (typeof value === 'string' ? value : JSON.stringify(value)) } = options;
  return (source) => {
    let number = 0;
    const event = (value: T): string =>
      `id: ${number++}\n${write(value)
        .split(/\r\n|\r|\n/)
        .map((line) => `data: ${line}\n`)
        .join('')}\n`;
    const run = serve<T>(
      () => new Broadcast('toServerSentEvents', options),
      (broadcast) => listen(broadcast, options),
      { ...options, write: event },
    );
    return run(source);
  };
};

async function listen<T>(
  broadcast: Broadcast,
  { port = 0, host = '127.0.0.1', path = '/' }: ServeOptions<T>,
): Promise<Listening> {
  const [{ createServer }, { EventEmitter }] = await Promise.all([
    import('node:http'),
    import('node:events'),
  ]);
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || new URL(request.url ?? '/', 'http://host').pathname !== path) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      connection: 'close',
      'access-control-allow-origin': '*',
    });
    response.flushHeaders();
    const gone = broadcast.join({
      send: (text, done) => void response.write(text, done),
      close() {
        response.end();
        // A client that no longer reads would never answer.
        setTimeout(() => response.destroy(), 1000).unref();
      },
    });
    response.on('close', gone);
    response.on('error', gone);
  });
  server.listen(port, host);
  await EventEmitter.once(server, 'listening');
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}${path}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
