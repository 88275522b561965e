import { mkdirSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  audioFiles,
  labelsOf,
  openCache,
  openRecordings,
  sideBySide,
} from '../../../src/train/data/index.ts';
import { temporaryFolder, voice, writeWav } from './support.ts';

const root = temporaryFolder();
const folder = (name: string): string => {
  const path = join(root, name);
  mkdirSync(path, { recursive: true });
  return path;
};
const ramp = (frames: number, step = 1 / 32_768): Float32Array =>
  Float32Array.from({ length: frames }, (_, k) => k * step);

describe('audioFiles', () => {
  it('takes folders, patterns, files and lists, sorted, each once', async () => {
    const at = folder('files');
    mkdirSync(join(at, 'below'));
    for (const name of ['b.wav', 'a.WAV', 'below/c.flac', 'notes.md']) writeFileSync(join(at, name), '');
    writeFileSync(join(at, 'list.txt'), '# some\nb.wav\n\nbelow/c.flac\n');
    const paths = (names: string[]): string[] => names.map((name) => join(at, name));
    expect(audioFiles(at)).toEqual(paths(['a.WAV', 'b.wav', 'below/c.flac']));
    expect(audioFiles([join(at, '*.wav'), join(at, 'b.wav')])).toEqual(paths(['b.wav']));
    expect(audioFiles(join(at, 'list.txt'))).toEqual(paths(['b.wav', 'below/c.flac']));
    expect(audioFiles(at, { include: '\\.wav$', exclude: /below/ })).toEqual(paths(['b.wav']));
    expect(() => audioFiles(at, { include: 'x{' })).not.toThrow(/Invalid/);
    expect(() => audioFiles(at, { include: '(' })).toThrow(/include: .*regular expression/);
    expect(() => audioFiles(join(at, 'nowhere'))).toThrow(/nowhere: there is no such file/);
    expect(() => audioFiles(join(at, '*.ogg'))).toThrow(/no recordings in .*\.ogg/);
    writeFileSync(join(at, 'bad.txt'), 'gone.wav\n');
    expect(() => audioFiles(join(at, 'bad.txt'))).toThrow(/gone\.wav: named in .*bad\.txt/);
  });
});

describe('openRecordings', () => {
  it('reads any part, with zeros around, from memory and from a cache alike', async () => {
    const at = folder('parts');
    await writeWav(join(at, 'a.wav'), ramp(100), { encoding: 'pcm16' });
    await writeWav(join(at, 'b.wav'), ramp(50, -1 / 32_768), { encoding: 'pcm16' });
    const options = { files: at, sampleRate: 16_000 };
    const memory = await openRecordings(options);
    const cached = await openRecordings({ ...options, cache: join(root, 'parts.pcm') });
    for (const recordings of [memory, cached]) {
      expect(recordings.list.map(({ frames }) => frames)).toEqual([100, 50]);
      expect([...recordings.read(0, 98, 4)].map((x) => x * 32_768)).toEqual([98, 99, 0, 0]);
      expect([...recordings.read(1, -1, 3)].map((x) => Math.abs(x * 32_768))).toEqual([0, 0, 1]);
      expect([...recordings.read(0, 500, 2)]).toEqual([0, 0]);
    }
    cached.close();
  });

  it('mixes channels down, resamples, and holds any level in float16', async () => {
    const at = folder('stereo');
    const both = new Float32Array(2 * 8000);
    for (let k = 0; k < 8000; k++) {
      both[2 * k] = 3 * Math.sin(k / 20);
      both[2 * k + 1] = Math.sin(k / 20);
    }
    await writeWav(join(at, 'a.wav'), both, { sampleRate: 8000, channels: 2 });
    const recordings = await openRecordings({ files: at, sampleRate: 16_000, sampleType: 'float16' });
    expect(recordings.list[0]!.frames).toBe(16_000);
    const x = recordings.read(0, 8000, 100);
    for (const [k, value] of x.entries()) expect(value).toBeCloseTo(2 * Math.sin((8000 + k) / 40), 2);
    const first = await openRecordings({
      files: at,
      sampleRate: 8000,
      sampleType: 'float32',
      downmix: 'first',
    });
    expect(first.read(0, 7, 1)[0]).toBe(both[14]);
    await expect(openRecordings({ files: at, sampleRate: 16_000, otherRates: 'throw' })).rejects.toThrow(
      /a\.wav: 8000 Hz where 16000 Hz are asked for/,
    );
    await expect(openRecordings({ files: at, sampleRate: 8000, channels: 3 })).rejects.toThrow(
      /2 channels where 3/,
    );
    const clipped = join(root, 'clipped.pcm');
    (await openRecordings({ files: at, sampleRate: 8000, cache: clipped })).close();
    expect(openCache(clipped).clipped).toBeGreaterThan(1000);
  });

  it('makes a cache once, and again when a file or an option has changed', async () => {
    const at = folder('fresh');
    const path = await writeWav(join(at, 'a.wav'), ramp(10), { encoding: 'pcm16' });
    const cache = join(root, 'sub', 'fresh.pcm');
    const open = async (sampleRate = 16_000): Promise<number> => {
      const recordings = await openRecordings({ files: at, sampleRate, cache });
      recordings.close();
      return recordings.list[0]!.frames;
    };
    expect(await open()).toBe(10);
    // What the file holds is not looked at while it has the size and the time that it had.
    const marked = readFileSync(cache);
    marked[16] = 77;
    writeFileSync(cache, marked);
    await open();
    expect(readFileSync(cache)[16]).toBe(77);
    utimesSync(path, 1, 1);
    await open();
    expect(readFileSync(cache)[16]).toBe(0);
    expect(await open(8000)).toBe(5);
    expect(readdirSync(join(root, 'sub'))).toEqual(['fresh.pcm']);
  });

  it('throws at a damaged file and leaves no cache behind, or skips it and says so', async () => {
    const at = folder('damaged');
    await writeWav(join(at, 'a.wav'), ramp(100));
    const bad = await writeWav(join(at, 'b.wav'), ramp(100));
    await writeWav(join(at, 'c.wav'), ramp(30));
    truncateSync(bad, 200);
    const cache = join(folder('damaged-cache'), 'x.pcm');
    const options = { files: at, sampleRate: 16_000, cache };
    await expect(openRecordings(options)).rejects.toThrow(/b\.wav: cut short/);
    expect(readdirSync(join(root, 'damaged-cache'))).toEqual([]);
    const recordings = await openRecordings({ ...options, damaged: 'skip' });
    expect(recordings.list.map(({ frames }) => frames)).toEqual([100, 30]);
    expect(recordings.skipped).toEqual([expect.stringMatching(/b\.wav: cut short/)]);
    expect(recordings.read(1, 29, 1)[0]).toBeCloseTo(29 / 32_768, 6);
    recordings.close();
    await expect(openRecordings({ ...options, files: bad, damaged: 'skip' })).rejects.toThrow(
      /none of 1 recordings/,
    );
  });

  it('says what is wrong with a cache that was damaged', async () => {
    const at = folder('liar');
    await writeWav(join(at, 'a.wav'), ramp(10));
    const cache = join(root, 'liar.pcm');
    (await openRecordings({ files: at, sampleRate: 16_000, cache })).close();
    const bytes = readFileSync(cache);
    writeFileSync(cache, bytes.subarray(0, bytes.length - 3));
    expect(() => openCache(cache)).toThrow(/its index is damaged .*delete the file/);
    writeFileSync(cache, 'something else altogether');
    expect(() => openCache(cache)).toThrow(/no cache of recordings; delete the file/);
  });
});

describe('labels and pairs', () => {
  it('finds classes in names', () => {
    const list = ['/x/7_a_0.wav', '/x/1_b_0.wav', '/x/7_b_1.wav'].map((path) => ({ path, frames: 1 }));
    expect(labelsOf(list, /^(\d)_/)).toEqual({ classes: ['1', '7'], labels: [1, 0, 1] });
    expect(() => labelsOf(list, /^(x)/)).toThrow(/7_a_0\.wav: the name has no label/);
    expect(() => labelsOf(list, /^(\d)_/, ['7'])).toThrow(/class "1" is none of 7/);
  });

  it('puts inputs and targets of one name side by side', async () => {
    const [inputs, outputs] = [folder('in'), folder('out')];
    await writeWav(join(inputs, 'a.wav'), ramp(10));
    await writeWav(join(outputs, 'a.wav'), voice(10, 100));
    const open = (files: string): ReturnType<typeof openRecordings> =>
      openRecordings({ files, sampleRate: 16_000, sampleType: 'float32' });
    const both = sideBySide(await open(inputs), await open(outputs));
    expect(both.channels).toBe(2);
    expect([...both.read(0, 2, 2)]).toEqual([2, 3].flatMap((k) => [ramp(10)[k], voice(10, 100)[k]]));
    await writeWav(join(inputs, 'b.wav'), ramp(10));
    expect(() => sideBySide(both, both)).not.toThrow();
    await expect(open(inputs).then(async (x) => sideBySide(x, await open(outputs)))).rejects.toThrow(
      /b\.wav: no target is called b/,
    );
    await writeWav(join(outputs, 'b.wav'), ramp(9));
    await expect(open(inputs).then(async (x) => sideBySide(x, await open(outputs)))).rejects.toThrow(
      /b\.wav has 10 frames, its target .* 9/,
    );
  });
});
