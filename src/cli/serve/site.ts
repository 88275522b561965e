import { createHash } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A file as it is served. */
export interface Page {
  readonly type: string;
  /** Quoted, as in the header. */
  readonly tag: string;
  readonly bytes: Buffer;
  /** Where that is shorter. */
  readonly gzip: Buffer | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wav': 'audio/wav',
  '.wasm': 'application/wasm',
  '.safetensors': 'application/octet-stream',
};

/**
 * All files of a folder by the path that a browser asks for, read once. What is not in here cannot be asked for,
 * however a path is spelled: nothing of a request ever reaches the file system. Links and unknown kinds of files are
 * left out.
 */
export function readSite(folder: string): ReadonlyMap<string, Page> {
  const site = new Map<string, Page>();
  const walk = (at: string, path: string): void => {
    for (const name of readdirSync(at)) {
      const full = join(at, name);
      const entry = lstatSync(full);
      if (entry.isDirectory()) walk(full, `${path}${name}/`);
      const type = TYPES[extname(name)];
      if (entry.isFile() && type !== undefined) site.set(path + name, pageOf(readFileSync(full), type));
    }
  };
  walk(folder, '/');
  const index = site.get('/index.html');
  if (index !== undefined) site.set('/', index);
  return site;
}

function pageOf(bytes: Buffer, type: string): Page {
  const packed = gzipSync(bytes, { level: 9 });
  return {
    type,
    tag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
    bytes,
    gzip: packed.length < 0.95 * bytes.length ? packed : undefined,
  };
}
