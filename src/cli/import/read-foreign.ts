import { open, readFile } from 'node:fs/promises';
import { loadCheckpoint, readNam, readRtneural } from '../../checkpoint/index.ts';
import { ArgumentError, FormatError } from '../../errors.ts';
import { modelOf, namModelOf, rtneural, type LoadedModel } from '../../models/index.ts';
import { rtneuralConfig } from '../../models/formats/rtneural.ts';
import { rtneuralLayers } from '../../models/rtneural.ts';
import { givenConfig } from '../process/checkpoint.ts';
import type { ModelOptions } from '../process/options.ts';
import { checkJsonSize, jsonKindOf, looksJson } from '../support/json-kind.ts';

/** A model, and what its file says about it beside. */
export interface Foreign {
  readonly loaded: LoadedModel;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Enough to tell one kind from another. */
const HEAD_BYTES = 64;

/** A model out of a file of any kind; which kind, its content tells. */
export async function readForeign(path: string, options: ModelOptions): Promise<Foreign> {
  const { head, size } = await startOf(path);
  if (!looksJson(head)) return ofTensors(path, options);
  for (const key of ['format', 'config', 'root'] as const) {
    if (options[key] === undefined) continue;
    throw new ArgumentError(
      `${path}: --${key} is given, but the file states its own architecture; leave --${key} out`,
    );
  }
  checkJsonSize(size, path);
  const text = await readFile(path);
  return jsonKindOf(text) === 'nam' ? ofNam(text, path) : ofRtneural(text, path);
}

async function ofTensors(path: string, options: ModelOptions): Promise<Foreign> {
  const { format, root } = options;
  const checkpoint = loadCheckpoint(path, root === undefined ? {} : { root });
  const { format: _format, config: stated, ...metadata } = Object.fromEntries(checkpoint.metadata);
  // Every format says itself which keys it cannot do without.
  const config = (await givenConfig(options)) ?? (stated === undefined ? {} : undefined);
  return { loaded: modelOf(checkpoint, { format, config }), metadata };
}

function ofNam(text: Uint8Array, path: string): Foreign {
  const file = readNam(text, path);
  const told = { nam_version: file.version, nam_metadata: JSON.stringify(file.metadata) };
  return { loaded: namModelOf(file), metadata: told };
}

function ofRtneural(text: Buffer, path: string): Foreign {
  const file = readRtneural(text.toString('utf8'), { source: path });
  const config = rtneuralConfig(rtneuralLayers(file));
  return { loaded: { ...rtneural(file), format: 'rtneural', config }, metadata: {} };
}

async function startOf(path: string): Promise<{ head: Uint8Array; size: number }> {
  let file;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    throw new FormatError(`${path}: cannot be opened (${(cause as Error).message}); check the path`, {
      cause,
    });
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new FormatError(`${path}: is no regular file; give the path of a checkpoint`);
    const { buffer, bytesRead } = await file.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return { head: buffer.subarray(0, bytesRead), size: status.size };
  } finally {
    await file.close();
  }
}
