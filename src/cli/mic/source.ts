import { createResampler, readWav, type WavReader } from '../../audio/index.ts';
import { located } from '../support/located.ts';

/** A file in place of the microphone. */
export interface FileSource {
  readonly channels: number;
  readonly sampleRate: number;
  /** Frames it has, at its own rate; undefined where nobody knows. */
  readonly frames: number | undefined;
  /** Its blocks at the rate of the device. */
  blocks(rate: number): AsyncIterable<Float32Array>;
  close(): Promise<void>;
}

const BLOCK = 1024;

/** @throws FormatError, ArgumentError as `readWav`. */
export async function openFileSource(path: string, { mono }: { mono: boolean }): Promise<FileSource> {
  const reader = await located(path, () => readWav(path));
  const { channels: own, sampleRate, frames } = reader.info;
  const channels = mono ? 1 : own;
  return {
    channels,
    sampleRate,
    frames,
    blocks: (rate) => resampled(mixed(reader, channels), sampleRate, rate, channels),
    close: () => reader.close(),
  };
}

async function* mixed(reader: WavReader, channels: number): AsyncGenerator<Float32Array> {
  const own = reader.info.channels;
  for await (const block of reader.blocks(BLOCK)) {
    if (own === channels) yield block;
    else {
      const mono = new Float32Array(block.length / own);
      for (let i = 0; i < block.length; i++) mono[Math.floor(i / own)]! += block[i]! / own;
      yield mono;
    }
  }
}

async function* resampled(
  blocks: AsyncIterable<Float32Array>,
  from: number,
  to: number,
  channels: number,
): AsyncGenerator<Float32Array> {
  const resampler = createResampler({ from, to, channels, quality: 'best' });
  for await (const block of blocks) yield resampler.process(block);
  yield resampler.end();
}
