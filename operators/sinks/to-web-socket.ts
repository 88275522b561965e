import type { AddressInfo } from 'node:net';
import type { OperatorFunction } from 'rxjs';
import type * as Ws from 'ws';
import { BackendError } from '../../src/errors.ts';
import { Broadcast, type BroadcastReport } from './broadcast.ts';
import { serve, type Listening, type ServeOptions } from './serve.ts';

/**
 * Values to WebSocket clients, whoever is connected when they come, as texts. Completes, with what was sent and dropped,
 * once the source has and all that waited is out.
 *
 * A client that is slower than the source has a queue of its own, and beyond that the policy `slow`: others are not
 * held up unless it says `pause`. What a client misses is counted, exactly.
 *
 * @throws BackendError, as the error of the stream, without the package `ws`; what the system says about the port.
 * @example
 * readings.pipe(keyed(id, model, parameters), toWebSocket({ port: 8080, onListening: console.log })).subscribe();
 */
export const toWebSocket = <T>(options: ServeOptions<T> = {}): OperatorFunction<T, BroadcastReport> => {
  // At once, so that a mistake shows where it is made.
  void new Broadcast('toWebSocket', options);
  return serve(
    () => new Broadcast('toWebSocket', options),
    (broadcast) => listen(broadcast, options),
    options,
  );
};

async function listen<T>(
  broadcast: Broadcast,
  { port = 0, host = '127.0.0.1', path = '/' }: ServeOptions<T>,
): Promise<Listening> {
  const [{ WebSocketServer }, { EventEmitter }] = await Promise.all([loadWs(), import('node:events')]);
  // Nobody has anything to say here: what a client sends is short.
  const server = new WebSocketServer({ port, host, path, maxPayload: 4096 });
  await EventEmitter.once(server, 'listening');
  server.on('connection', (socket) => {
    const gone = broadcast.join({
      send: (text, done) => socket.send(text, done),
      close() {
        socket.close();
        // A client that no longer reads would never answer.
        setTimeout(() => socket.terminate(), 1000).unref();
      },
    });
    socket.on('close', gone);
    socket.on('error', gone);
  });
  return {
    url: `ws://${host}:${(server.address() as AddressInfo).port}${path}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

async function loadWs(): Promise<typeof Ws> {
  try {
    return await import('ws');
  } catch (cause) {
    throw new BackendError('WebSocket clients need a server: npm install ws', { cause });
  }
}
