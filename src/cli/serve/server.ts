import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { StatewaveError } from '../../errors.ts';
import { readSite, type Page } from './site.ts';

/** The page cannot be served. */
export class ServeError extends StatewaveError {
  override name = 'ServeError';
}

export interface ServerOptions {
  /** The folder that is served, and nothing beside it. */
  readonly folder: string;
  /** 0 for any that is free. */
  readonly port: number;
  /**
   * Cross-origin isolation, which lets the page share memory with its audio thread and measure time finely. True by
   * default; the page works without.
   */
  readonly isolate?: boolean;
}

export interface RunningServer {
  readonly url: string;
  close(): Promise<void>;
}

/** This machine alone: nobody else can reach it. */
const HOST = '127.0.0.1';
/** What a browser may call it; any other name would be somebody else's that points here. */
const NAMES = new Set(['localhost', HOST, '[::1]']);

/** No script in the page itself, nothing from or to anybody else; WebAssembly may be compiled. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "media-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const SAFETY: OutgoingHttpHeaders = {
  'content-security-policy': POLICY,
  'permissions-policy': 'microphone=(self), camera=(), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
};
const ISOLATION: OutgoingHttpHeaders = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

/**
 * Serves a folder to this machine's browsers.
 *
 * @throws ServeError where the port is taken or not allowed, or the folder has no page.
 * @example
 * const { url, close } = await startServer({ folder: 'dist/web', port: 8080 });
 */
export async function startServer({ folder, port, isolate = true }: ServerOptions): Promise<RunningServer> {
  const site = readSite(folder);
  if (!site.has('/')) throw new ServeError(`${folder} has no index.html; build it: npm run build`);
  const common = isolate ? { ...SAFETY, ...ISOLATION } : SAFETY;
  const server = createServer((request, response) => answer(request, response, site, common));
  await listen(server, port);
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  site: ReadonlyMap<string, Page>,
  common: OutgoingHttpHeaders,
): void {
  const refuse = (status: number, text: string, headers: OutgoingHttpHeaders = {}): void => {
    response.writeHead(status, { ...common, ...headers, 'content-type': 'text/plain; charset=utf-8' });
    response.end(`${text}\n`);
  };
  const { method = '', url = '', headers } = request;
  if (!NAMES.has((headers.host ?? '').replace(/:\d+$/, ''))) {
    return refuse(421, 'This server answers to localhost alone.');
  }
  if (method !== 'GET' && method !== 'HEAD') return refuse(405, 'GET it.', { allow: 'GET, HEAD' });
  const page = site.get(url.split('?', 1)[0]!);
  if (page === undefined) return refuse(404, 'There is no such page.');
  const isPacked = page.gzip !== undefined && /\bgzip\b/.test(headers['accept-encoding'] ?? '');
  const body = isPacked ? page.gzip! : page.bytes;
  const given: OutgoingHttpHeaders = {
    ...common,
    'content-type': page.type,
    etag: page.tag,
    vary: 'accept-encoding',
    // Kept by the browser, and asked for each time whether it is still good: a new build shows at once.
    'cache-control': 'no-cache',
  };
  if (headers['if-none-match'] === page.tag) {
    response.writeHead(304, given).end();
    return;
  }
  if (isPacked) given['content-encoding'] = 'gzip';
  response.writeHead(200, { ...given, 'content-length': body.length });
  response.end(method === 'HEAD' ? undefined : body);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      const why =
        code === 'EADDRINUSE'
          ? `port ${port} is taken; give another (--port ${port + 1}), or --port 0 for any that is free`
          : code === 'EACCES'
            ? `port ${port} is not allowed to ordinary users; give one above 1023, such as --port 8080`
            : `port ${port} cannot be opened: ${message}`;
      reject(new ServeError(why));
    });
    server.listen(port, HOST, () => resolve());
  });
}
