import { createReadStream, statSync } from 'node:fs';
import { readWav, type WavEncoding, type WavInfo, type WavReader } from '../../audio/index.ts';
import { wavHeader } from '../../audio/wav/write-header.ts';
import { UsageError } from '../support/failure.ts';
import { located } from '../support/located.ts';
import type { RunOptions } from './options.ts';

const RAW_ENCODING: Readonly<Record<NonNullable<RunOptions['raw']>, WavEncoding>> = {
  u8: 'pcm8',
  s16le: 'pcm16',
  s24le: 'pcm24',
  s32le: 'pcm32',
  f32le: 'float32',
  f64le: 'float64',
};

/** Refuses to read a file that is about to be written; `verb` is where the help is. */
export function checkEndpoints(verb: string, input: string, output: string, json: boolean): void {
  const usage = (message: string): never => {
    throw new UsageError(verb, message);
  };
  if (output === '-' && json)
    usage('--json and OUT - both want stdout; write to a file, or leave --json out.');
  if (output === '-' && process.stdout.isTTY) {
    usage('OUT is -, but stdout is a terminal; redirect it, or give a file.');
  }
  if (input === '-' && process.stdin.isTTY) {
    usage('IN is -, but stdin is a terminal; pipe a WAV file into it, or give a file.');
  }
  if (input === '-' || output === '-') return;
  const from = statSync(input, { throwIfNoEntry: false, bigint: true });
  const to = statSync(output, { throwIfNoEntry: false, bigint: true });
  if (from?.isFile() && to?.isFile() && from.dev === to.dev && from.ino === to.ino) {
    usage(`IN and OUT are the same file, ${output}; write to another one.`);
  }
}

/** A WAV file, or bare samples behind a header of our own. */
export async function openInput(verb: string, path: string, options: RunOptions): Promise<WavReader> {
  const { raw, rate, channels } = options;
  if (raw === undefined) {
    if (rate !== undefined || channels !== undefined) {
      throw new UsageError(verb, '--rate and --channels describe raw input; give --raw as well.');
    }
    return path === '-' ? located('stdin', () => readWav(process.stdin)) : located(path, () => readWav(path));
  }
  if (rate === undefined) throw new UsageError(verb, `--raw ${raw} needs --rate, in hertz.`);
  const header = wavHeader(
    { sampleRate: rate, channels: channels ?? 1, encoding: RAW_ENCODING[raw] },
    undefined,
  );
  const samples = path === '-' ? process.stdin : createReadStream(path);
  return readWav(
    (async function* () {
      yield header;
      yield* samples as AsyncIterable<Uint8Array>;
    })(),
  );
}

/** The encoding that keeps what the input has, and whether there is a better word than "the same". */
export function ownEncoding(info: WavInfo): { encoding: WavEncoding; note?: string } {
  const { coding, containerBits } = info;
  if (coding === 'float') return { encoding: containerBits === 32 ? 'float32' : 'float64' };
  if (coding !== 'pcm') {
    return { encoding: 'pcm16', note: `${coding} is not written here: the output is pcm16` };
  }
  if (containerBits > 32) {
    return {
      encoding: 'float64',
      note: `PCM of ${containerBits} bits is not written here: the output is float64`,
    };
  }
  return { encoding: (['pcm8', 'pcm16', 'pcm24', 'pcm32'] as const)[Math.ceil(containerBits / 8) - 1]! };
}
