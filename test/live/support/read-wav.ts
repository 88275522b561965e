import { readWav } from '../../../src/audio/index.ts';

/** All of a WAV file: frames × channels. */
export async function readWavFile(
  path: string,
): Promise<{ samples: Float32Array; sampleRate: number; channels: number }> {
  const reader = await readWav(path);
  const parts: Float32Array[] = [];
  for await (const block of reader.blocks(4096)) parts.push(block);
  const samples = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  const { sampleRate, channels } = reader.info;
  return { samples, sampleRate, channels };
}
