import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { createWavWriter } from '../../../src/audio/index.ts';
import type { BatchSource } from '../../../src/train/data/source.ts';
import type { Batch } from '../../../src/train/session.ts';

/** A folder for the files of a test file, gone afterwards. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'statewave-data-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function writeWav(
  path: string,
  samples: Float32Array,
  { sampleRate = 16_000, channels = 1, encoding = 'float32' as 'float32' | 'pcm16' } = {},
): Promise<string> {
  const writer = createWavWriter(path, { sampleRate, channels, encoding });
  await writer.write(samples);
  await writer.close();
  return path;
}

/** Speech-like: bursts of a harmonic tone of one pitch, pauses between them. */
export function voice(frames: number, pitch: number, sampleRate = 16_000): Float32Array {
  return Float32Array.from({ length: frames }, (_, k) => {
    const on = Math.sin((2 * Math.PI * 3 * k) / sampleRate) > -0.5 ? 1 : 0;
    const phase = (2 * Math.PI * pitch * k) / sampleRate;
    return 0.2 * on * (Math.sin(phase) + 0.5 * Math.sin(2 * phase) + 0.3 * Math.sin(5 * phase));
  });
}

export async function collect(source: BatchSource, epoch = 0, from = 0): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of source.batches(epoch, from)) all.push(batch);
  return all;
}

/** The numbers that are in a batch's first item … last, of one port, without padding. */
export const itemsOf = (batch: Batch, port = 'input', channels = 1): number[][] =>
  batch.lengths.map((length, i) => {
    const start = i * batch.frames * channels;
    return [...batch.inputs[port]!.subarray(start, start + length * channels)];
  });
