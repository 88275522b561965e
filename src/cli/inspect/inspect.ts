import { open, readFile, stat } from 'node:fs/promises';
import { ArgumentError } from '../../errors.ts';
import { UsageError } from '../support/failure.ts';
import { checkJsonSize } from '../support/json-kind.ts';
import { located } from '../support/located.ts';
import { inspectPytorch, inspectSafetensors, type CheckpointReport } from './checkpoint.ts';
import { inspectJson, type NamReport, type RtneuralReport } from './json.ts';
import { HEAD_BYTES, kindOf } from './kind.ts';
import { inspectSnapshot, type SnapshotReport } from './snapshot.ts';
import { inspectWav, type WavReport } from './wav.ts';

export type Report = WavReport | CheckpointReport | SnapshotReport | NamReport | RtneuralReport;

/**
 * What a file is, told by its content.
 *
 * @param path a file, or `-` for stdin.
 * @throws ArgumentError for a file that cannot be read, FormatError for one that is broken or of no kind known here.
 */
export const inspect = (path: string): Promise<Report> =>
  path === '-' ? located('stdin', () => inspectPipe(process.stdin)) : located(path, () => inspectFile(path));

async function inspectFile(path: string): Promise<Report> {
  const bytes = await sizeOf(path);
  switch (kindOf(await headOf(path), path)) {
    case 'wav':
      return inspectWav(path, path, bytes);
    case 'safetensors':
      return inspectSafetensors(path, path, bytes);
    case 'snapshot':
      return inspectSnapshot(await readFile(path), path);
    case 'pytorch':
      return inspectPytorch(path, path, bytes);
    case 'json':
      checkJsonSize(bytes, path);
      return inspectJson(await readFile(path), path);
  }
}

/** A WAV file in constant memory; the others are collected, once their first bytes say that they are one. */
async function inspectPipe(stdin: NodeJS.ReadStream): Promise<Report> {
  if (stdin.isTTY)
    throw new UsageError('inspect', 'FILE is -, but stdin is a terminal; pipe a file into it.');
  const chunks = stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const taken: Uint8Array[] = [];
  for (let length = 0; length < HEAD_BYTES;) {
    const next = await chunks.next();
    if (next.done === true) break;
    taken.push(next.value);
    length += next.value.length;
  }
  const head = Buffer.concat(taken);
  const rest = { [Symbol.asyncIterator]: () => chunks };
  async function* all(): AsyncGenerator<Uint8Array> {
    yield head;
    yield* rest;
  }
  const kind = kindOf(head.subarray(0, HEAD_BYTES), 'stdin');
  if (kind === 'wav') return inspectWav(all(), 'stdin', undefined);
  const parts: Uint8Array[] = [];
  for await (const part of all()) parts.push(part);
  // A copy of its own: tensors are views, and want to be aligned.
  const data = new Uint8Array(Buffer.concat(parts));
  switch (kind) {
    case 'snapshot':
      return inspectSnapshot(data, 'stdin');
    case 'safetensors':
      return inspectSafetensors(data, 'stdin', data.length);
    case 'pytorch':
      return inspectPytorch(data, 'stdin', data.length);
    case 'json':
      checkJsonSize(data.length, 'stdin');
      return inspectJson(Buffer.from(data.buffer), 'stdin');
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    const status = await stat(path);
    if (status.isFile()) return status.size;
  } catch (cause) {
    throw new ArgumentError(`Cannot read ${path}: ${(cause as Error).message}. Check the path.`, { cause });
  }
  throw new ArgumentError(`Cannot inspect ${path}: it is no regular file. Give the path of a file.`);
}

async function headOf(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
