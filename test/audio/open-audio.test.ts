import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createWavWriter, openAudio, readAudio } from '../../src/audio/index.ts';
import { ArgumentError, FormatError } from '../../src/errors.ts';
import { missingShared, shared } from '../support/shared.ts';
import { buildFlac } from './build-flac.ts';

const folder = mkdtempSync(join(tmpdir(), 'statewave-audio-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const noise = (frames: number, seed: number): Int16Array => {
  let word = seed;
  return Int16Array.from(
    { length: frames },
    () => (word = (Math.imul(word, 1_103_515_245) + 12_345) | 0) >> 16,
  );
};

describe('FLAC', () => {
  it('gives every sample of every channel exactly, full scale included', async () => {
    const left = noise(100_000, 1);
    left.set([-32_768, 32_767, 0, -1, 1]);
    const right = noise(100_000, 2);
    const { info, samples } = await readAudio(file('a.flac', buildFlac([left, right], { block: 1000 })));
    expect(info).toEqual({ format: 'flac', sampleRate: 16_000, channels: 2, frames: 100_000 });
    expect(Array.from({ length: 100_000 }, (_, k) => samples[2 * k]! * 32_768)).toEqual([...left]);
    expect(Array.from({ length: 100_000 }, (_, k) => samples[2 * k + 1]! * 32_768)).toEqual([...right]);
  });

  it('keeps a last frame of digital silence, the shortest that there is', async () => {
    const samples = new Int16Array(1280);
    samples.set(noise(1024, 3));
    const read = await readAudio(file('silence.flac', buildFlac([samples])));
    expect(read.samples.length).toBe(1280);
  });

  it('gives what is there, and then says that the file was cut short', async () => {
    const bytes = buildFlac([noise(10_000, 4)]);
    const path = file('cut.flac', bytes.subarray(0, bytes.length / 2));
    const audio = await openAudio(path);
    let frames = 0;
    const read = async (): Promise<void> => {
      for await (const block of audio.blocks()) frames += block.length;
    };
    await expect(read()).rejects.toThrow(/cut\.flac: \d+ of 10000 frames can be decoded/);
    expect(frames).toBeGreaterThan(4000);
  });

  it('finds a damaged frame in the middle', async () => {
    const bytes = buildFlac([noise(10_000, 5)]);
    bytes.fill(0x55, 9000, 9100);
    await expect(readAudio(file('damaged.flac', bytes))).rejects.toThrow(FormatError);
  });
});

describe('openAudio', () => {
  it('reads WAV by its first bytes, whatever its name', async () => {
    const path = join(folder, 'no-ending');
    const writer = createWavWriter(path, { sampleRate: 8000, channels: 1, encoding: 'float32' });
    await writer.write(Float32Array.of(0.25, -0.5));
    await writer.close();
    const { info, samples } = await readAudio(path);
    expect([...samples]).toEqual([0.25, -0.5]);
    expect(info).toEqual({ format: 'wav', sampleRate: 8000, channels: 1, frames: 2 });
    const bytes = readFileSync(path);
    const cut = file('cut.wav', bytes.subarray(0, bytes.length - 4));
    await expect(readAudio(cut)).rejects.toThrow(/cut\.wav: cut short, 1 frames/);
  });

  it('says what a file is that it cannot read', async () => {
    const opus = new Uint8Array(100);
    opus.set([...'OggS'].map((c) => c.charCodeAt(0)));
    opus[26] = 1;
    opus.set(
      [...'OpusHead'].map((c) => c.charCodeAt(0)),
      28,
    );
    await expect(openAudio(file('a.opus', opus))).rejects.toThrow(/a\.opus: Ogg Opus; statewave reads/);
    await expect(openAudio(file('a.mp3', Uint8Array.of(0x49, 0x44, 0x33, 4)))).rejects.toThrow(/MP3/);
    await expect(openAudio(file('a.txt', Uint8Array.of(1, 2, 3, 4)))).rejects.toThrow(/01 02 03 04/);
    await expect(openAudio(file('empty', new Uint8Array(0)))).rejects.toThrow(/an empty file/);
    await expect(openAudio(join(folder, 'none.wav'))).rejects.toThrow(ArgumentError);
    await expect(openAudio(folder)).rejects.toThrow(/a folder/);
  });
});

describe.skipIf(missingShared('data', 'esc10'))('Ogg Vorbis (needs ../shared)', () => {
  const rain = shared('data', 'esc10', '002 - Rain');
  const path = missingShared('data', 'esc10') ? '' : join(rain, readdirSync(rain).sort()[0]!);

  it('gives as many frames as the last page says', async () => {
    const { info, samples } = await readAudio(path);
    expect(info).toMatchObject({ format: 'vorbis', sampleRate: 44_100, channels: 1 });
    expect(samples.length).toBe((await openAudio(path)).info.frames);
    expect(samples.some((x) => Math.abs(x) > 0.001)).toBe(true);
  });

  it('finds that one was cut short', async () => {
    const bytes = readFileSync(path);
    const cut = file('cut.ogg', bytes.subarray(0, Math.floor(bytes.length / 2)));
    await expect(readAudio(cut)).rejects.toThrow(/cut\.ogg: cut short or damaged/);
  });
});

describe.skipIf(missingShared('data', 'denoise'))('real FLAC files (needs ../shared)', () => {
  it.each(['ls_3235-11599-0000', 'ls_1098-133695-0000', 'to_367-130732-0000'])(
    '%s has the MD5 that its encoder noted',
    async (name) => {
      const path = shared('data', 'denoise', 'val', 'speech', `${name}.flac`);
      const { samples } = await readAudio(path);
      const pcm = Int16Array.from(samples, (x) => x * 32_768);
      const noted = readFileSync(path).subarray(26, 42).toString('hex');
      expect(createHash('md5').update(pcm).digest('hex')).toBe(noted);
    },
  );
});
