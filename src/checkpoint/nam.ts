/**
 * The container of Neural Amp Modeler captures (`.nam`): one JSON object with `version`, `architecture`, `config`,
 * `weights` (a flat list), and mostly `sample_rate` and `metadata`. What is in config and weights, `models/nam.ts`
 * knows.
 *
 * Source: sdatkinson/NeuralAmpModelerCore `NAM/get_dsp.cpp`.
 */
import { readFileSync, statSync } from 'node:fs';
import { FormatError } from '../errors.ts';
import { quote } from './message.ts';

/** A capture, its outside checked. */
export interface NamFile {
  readonly source: string;
  readonly version: string;
  /** `WaveNet`, `LSTM`, … */
  readonly architecture: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** In the order of the C++ core, finite, rounded to float32 as it does. */
  readonly weights: Float32Array;
  /** Hz; undefined in early files, which are of 48 kHz mostly. */
  readonly sampleRate: number | undefined;
  /** Name, gear, loudness (dB) and the like; empty where there are none. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Captures have some 100 KB to 2 MB; a capture beyond this is none that runs in real time. */
const MAX_BYTES = 8 * 2 ** 20;
/** Objects, lists and texts in a file: ordinary ones have a few dozen. */
const MAX_PARTS = 10_000;
/** Ordinary captures have 100 to 60,000 weights. */
const MAX_NUMBERS = 400_000;
const MAX_DEPTH = 32;

/**
 * Reads a capture from a file.
 *
 * @throws FormatError as `readNam`, and where the file can't be read.
 * @example
 * const { architecture, sampleRate, metadata } = loadNam('amp.nam');
 */
export function loadNam(path: string): NamFile {
  let bytes: Uint8Array;
  try {
    const status = statSync(path);
    if (!status.isFile()) throw new Error('it is no regular file');
    checkSize(status.size, path);
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof FormatError) throw cause;
    throw new FormatError(`${path}: cannot be read (${(cause as Error).message}); check the path`, { cause });
  }
  return readNam(bytes, path);
}

/**
 * Reads a capture.
 *
 * @param source the file's name, for messages.
 * @throws FormatError naming the field, its value and the cure.
 */
export function readNam(bytes: Uint8Array, source: string): NamFile {
  const fail = (message: string, cause?: unknown): never => {
    throw new FormatError(`${source}: ${message}`, { cause });
  };
  checkSize(bytes.length, source);
  checkParts(bytes, source);
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    fail(
      `no capture: it is no JSON (${(cause as Error).message.slice(0, 100)}); is the download complete?`,
      cause,
    );
  }
  if (!isRecord(parsed)) return fail('no capture: the JSON is no object; give a .nam file');
  const { version, architecture, config, weights, sample_rate: rate = null, metadata = null } = parsed;
  for (const [field, value] of Object.entries({ version, architecture })) {
    if (typeof value !== 'string') fail(`${field} is ${show(value)}; a .nam file has a text there`);
  }
  if (!(Number.parseFloat(version as string) >= 0.5)) {
    fail(
      `version is ${show(version)}; files of version 0.5.0 and later can be read: export the capture again`,
    );
  }
  if (!isRecord(config)) fail(`config is ${show(config)}; a .nam file has an object there`);
  if (!Array.isArray(weights)) fail(`weights is ${show(weights)}; a .nam file has a list of numbers there`);
  if (rate !== null && !(typeof rate === 'number' && rate > 0 && rate < Infinity))
    fail(`sample_rate is ${show(rate)}; it has to be a number above 0, in hertz`);
  if (metadata !== null && !isRecord(metadata))
    fail(`metadata is ${show(metadata)}; a .nam file has an object or null there`);
  const list = weights as readonly unknown[];
  const values = new Float32Array(list.length);
  for (let i = 0; i < list.length; i++) {
    const weight = list[i];
    if (typeof weight !== 'number' || !Number.isFinite(Math.fround(weight)))
      fail(`weights[${i}] is ${show(weight)}; every weight has to be a finite number. The file is damaged`);
    values[i] = weight as number;
  }
  return {
    source,
    version: version as string,
    architecture: architecture as string,
    config: config as Record<string, unknown>,
    weights: values,
    sampleRate: rate === null ? undefined : (rate as number),
    metadata: (metadata ?? {}) as Record<string, unknown>,
  };
}

function checkSize(size: number, source: string): void {
  if (size <= MAX_BYTES) return;
  throw new FormatError(
    `${source}: ${size} bytes; a capture has less than ${MAX_BYTES}. Is this a .nam file?`,
  );
}

/** Counts what a parser would build, so that a file of nothing but brackets costs no memory. */
function checkParts(bytes: Uint8Array, source: string): void {
  let [depth, parts, commas, inText] = [0, 0, 0, false];
  const refuse = (at: number, what: string): never => {
    throw new FormatError(`${source}: no capture: byte ${at} begins ${what}; is this a .nam file?`);
  };
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inText) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inText = false;
      continue;
    }
    if (byte === 0x2c) {
      if (++commas > MAX_NUMBERS) refuse(i, `one of more than ${MAX_NUMBERS} values`);
      continue;
    }
    if (byte === 0x22) inText = true;
    else if (byte === 0x5b || byte === 0x7b) depth++;
    else if (byte === 0x5d || byte === 0x7d) depth--;
    else continue;
    parts++;
    if (depth > MAX_DEPTH) refuse(i, `level ${depth} of nesting`);
    if (parts > 2 * MAX_PARTS) refuse(i, `one of more than ${MAX_PARTS} lists, objects and texts`);
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const show = (value: unknown): string => (value === undefined ? 'missing' : quote(JSON.stringify(value)));
