import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { get, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ServeError, startServer, type RunningServer } from '../../src/cli/serve/server.ts';
import { scratch } from './support.ts';

const above = scratch();
const folder = join(above, 'site');
let server: RunningServer;

beforeAll(async () => {
  mkdirSync(join(folder, 'models'), { recursive: true });
  writeFileSync(join(above, 'secret.html'), 'secret');
  writeFileSync(join(folder, 'index.html'), '<!doctype html><p>'.padEnd(4000, 'page '));
  writeFileSync(join(folder, 'page.js'), 'export {}');
  writeFileSync(join(folder, '.env'), 'secret');
  writeFileSync(join(folder, 'models/m.safetensors'), Buffer.from([0, 1, 2, 3]));
  symlinkSync(join(above, 'secret.html'), join(folder, 'link.html'));
  server = await startServer({ folder, port: 0 });
});
afterAll(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** As it is written, without the tidying of URLs that `fetch` does. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const { port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    request(
      { host: '127.0.0.1', port, path, method, headers: { host: 'localhost', ...headers } },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }),
        );
      },
    )
      .on('error', reject)
      .end();
  });
}

test('the page, with its type and everything that keeps others out', async () => {
  const { status, headers, body } = await ask('/');
  expect(status).toBe(200);
  expect(body.toString()).toContain('page');
  expect(headers['content-type']).toBe('text/html; charset=utf-8');
  expect(headers['cross-origin-opener-policy']).toBe('same-origin');
  expect(headers['cross-origin-embedder-policy']).toBe('require-corp');
  expect(headers['x-content-type-options']).toBe('nosniff');
  const policy = headers['content-security-policy'] as string;
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
  expect(policy).not.toContain('unsafe-inline');
  expect(policy).not.toMatch(/http|\*/);
});

test('without isolation where that is asked for', async () => {
  const plain = await startServer({ folder, port: 0, isolate: false });
  const headers = (await fetch(plain.url)).headers;
  await plain.close();
  expect(headers.get('cross-origin-embedder-policy')).toBeNull();
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
});

test.each([
  ['/page.js', 'text/javascript; charset=utf-8'],
  ['/page.js?v=2', 'text/javascript; charset=utf-8'],
  ['/models/m.safetensors', 'application/octet-stream'],
])('%s is %s', async (path, type) => {
  const { status, headers } = await ask(path);
  expect(status).toBe(200);
  expect(headers['content-type']).toBe(type);
});

test.each([
  '/../secret.html',
  '/%2e%2e/secret.html',
  '/..%2fsecret.html',
  '/models/../../secret.html',
  '/models/..\\..\\secret.html',
  '//secret.html',
  '/link.html',
  '/.env',
  '/models',
  '/models/',
  '/index.html%00.js',
  '/__proto__',
])('%s is not there', async (path) => {
  const { status, body } = await ask(path);
  expect(status).toBe(404);
  expect(body.toString()).not.toContain('secret');
});

test('compressed where the browser takes it, and sent once', async () => {
  const packed = await ask('/', { 'accept-encoding': 'gzip, br' });
  expect(packed.headers['content-encoding']).toBe('gzip');
  expect(gunzipSync(packed.body)).toEqual((await ask('/')).body);
  const again = await ask('/', { 'if-none-match': packed.headers.etag! });
  expect(again.status).toBe(304);
  expect(again.body.length).toBe(0);
});

test('HEAD has no body, POST is refused, and so is a name that is not ours', async () => {
  const head = await ask('/', {}, 'HEAD');
  expect([head.status, head.body.length]).toEqual([200, 0]);
  expect(Number(head.headers['content-length'])).toBeGreaterThan(0);
  expect((await ask('/', {}, 'POST')).status).toBe(405);
  expect((await ask('/', { host: 'attacker.example' })).status).toBe(421);
  expect((await ask('/', { host: '127.0.0.1:80' })).status).toBe(200);
});

test('only on this machine', async () => {
  const { address } = await new Promise<AddressInfo>((resolve, reject) => {
    get(server.url, (response) => {
      response.resume();
      resolve(response.socket.address() as AddressInfo);
    }).on('error', reject);
  });
  expect(address).toBe('127.0.0.1');
  // The same port is free on another address of the machine: nobody listens there.
  const other = createServer();
  await new Promise<void>((resolve, reject) => {
    other.once('error', reject);
    other.listen(Number(new URL(server.url).port), '127.0.0.2', resolve);
  });
  other.close();
});

test('a port that is taken, and a folder without a page, are said plainly', async () => {
  const port = Number(new URL(server.url).port);
  await expect(startServer({ folder, port })).rejects.toThrow(
    new ServeError(
      `port ${port} is taken; give another (--port ${port + 1}), or --port 0 for any that is free`,
    ),
  );
  await expect(startServer({ folder: join(folder, 'models'), port: 0 })).rejects.toThrow(/has no index.html/);
});
