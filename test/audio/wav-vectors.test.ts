import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decodeWav, readWav } from '../../src/audio/index.ts';
import { FormatError } from '../../src/errors.ts';
import { missingShared, shared } from '../support/shared.ts';
import { streamOf } from './build-wav.ts';
import { collect } from './collect.ts';

interface Expected {
  rate?: number;
  frames?: number;
  ch?: number;
  dtype?: string;
  left_justified_i32?: (number | number[])[];
  same_as?: string;
  form?: string;
  reject?: string;
}

/** The same verdict from memory, from the path and from a ragged stream. */
async function readAllWays(path: string) {
  const bytes = readFileSync(path);
  const whole = decodeWav(bytes, { format: 'float64' });
  const fromPath = await collect(path, 3);
  const fromStream = await collect(streamOf(bytes, [1, 5, 2, 11]).stream, 4);
  expect(fromPath.samples).toEqual(whole.samples);
  expect(fromStream.samples).toEqual(whole.samples);
  expect(fromPath.info).toEqual(whole.info);
  expect({ ...fromStream.info, warnings: [], chunks: [] }).toEqual({
    ...whole.info,
    warnings: [],
    chunks: [],
  });
  expect(fromStream.info.chunks).toEqual(whole.info.chunks);
  return whole;
}

async function refusedAllWays(path: string) {
  const bytes = readFileSync(path);
  const started = performance.now();
  expect(() => decodeWav(bytes)).toThrow(FormatError);
  await expect(readWav(path)).rejects.toThrow(FormatError);
  await expect(readWav(streamOf(bytes, [3]).stream)).rejects.toThrow(FormatError);
  expect(performance.now() - started).toBeLessThan(1000);
}

describe.skipIf(missingShared('vectors/scipy-wav'))("scipy's WAV files (needs ../shared)", () => {
  const folder = shared('vectors/scipy-wav');
  const expected: Record<string, Expected> = missingShared('vectors/scipy-wav')
    ? {}
    : JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8'));

  test('none is left out', () => {
    expect(Object.keys(expected).sort()).toEqual(
      readdirSync(folder)
        .filter((f) => f.endsWith('.wav'))
        .sort(),
    );
  });

  for (const [name, figures] of Object.entries(expected)) {
    test(name, async () => {
      const path = `${folder}/${name}`;
      // G.711 is read here; scipy does not.
      if (figures.reject !== undefined && !name.includes('ulaw')) return refusedAllWays(path);
      const { info, samples } = await readAllWays(path);
      if (figures.form !== undefined) expect(info.container).toBe(figures.form);
      if (figures.same_as !== undefined) {
        expect(samples).toEqual(
          decodeWav(readFileSync(`${folder}/${figures.same_as}`), { format: 'float64' }).samples,
        );
        return;
      }
      expect(info.sampleRate).toBe(figures.rate ?? 8000);
      if (figures.frames !== undefined) expect(info.frames).toBe(figures.frames);
      if (figures.ch !== undefined) expect(info.channels).toBe(figures.ch);
      expect(samples.length).toBe(info.frames! * info.channels);
      if (figures.left_justified_i32 !== undefined) {
        expect([...samples]).toEqual(figures.left_justified_i32.flat().map((v) => v / 2 ** 31));
      }
    });
  }

  test('the samples of 5 and 12 bits reach the ends that scipy names', () => {
    const five = decodeWav(readFileSync(`${folder}/test-8000Hz-le-5ch-9S-5bit.wav`)).samples;
    expect([Math.max(...five), Math.min(...five), five[0]]).toEqual([(0xf8 - 128) / 128, -1, 0]);
    const twelve = decodeWav(readFileSync(`${folder}/test-8000Hz-le-4ch-9S-12bit.wav`)).samples;
    expect([Math.max(...twelve), Math.min(...twelve), twelve[0]]).toEqual([0x7ff0 / 0x8000, -1, 0]);
  });

  test.each([36, 45, 53, 64])('%i bits: what test_wavfile.py lists, each to the nearest double', (bits) => {
    const { samples, info } = decodeWav(readFileSync(`${folder}/test-8000Hz-le-3ch-5S-${bits}bit.wav`), {
      format: 'float64',
    });
    const container = 8 * Math.ceil(bits / 8);
    expect(info).toMatchObject({ bitsPerSample: bits, containerBits: container });
    // Full scale and its half, each with the next values towards 0, at the width of the file.
    const step = 2n ** BigInt(container - bits);
    const full = 2n ** BigInt(container - 1);
    const rows = [
      [-full, -full + step, -2n * step],
      [-full / 2n, -full / 2n + step, -step],
      [0n, 0n, 0n],
      [full / 2n, full / 2n - step, step],
      [full - step, full - step, 2n * step],
    ];
    expect([...samples]).toEqual(rows.flat().map((v) => Number(v) / Number(full)));
  });

  test('a file that ends inside its samples keeps the 236 whole frames and says so', () => {
    const { info, samples } = decodeWav(readFileSync(`${folder}/test-44100Hz-le-1ch-4bytes-early-eof.wav`));
    const whole = decodeWav(readFileSync(`${folder}/test-44100Hz-le-1ch-4bytes.wav`)).samples;
    expect(info).toMatchObject({ frames: 236, truncated: true });
    expect(info.warnings.join()).toContain('17640 bytes of samples, 944 are there');
    expect(samples).toEqual(whole.slice(0, 236));
  });
});

describe.skipIf(missingShared('vectors/hound-wav'))("hound's WAV files (needs ../shared)", () => {
  const folder = shared('vectors/hound-wav');
  const at = (bits: number, values: number[]): number[] => values.map((v) => v / 2 ** (bits - 1));
  /** The sample values of hound's src/read.rs, by file. */
  const values: Record<string, number[] | undefined> = {
    'nonstandard-01': [0, 0],
    'nonstandard-02': at(32, [19, -229_373, 33_587_161, -2_147_483_497]),
    'pcmwaveformat-16bit-44100Hz-mono': at(16, [2, -3, 5, -7]),
    'pcmwaveformat-16bit-44100Hz-mono-extra': at(16, [2, -3, 5, -7]),
    'pcmwaveformat-24bit-4byte-48kHz-stereo': at(24, [-96, 23_052, 8_388_607, -8_360_672]),
    'pcmwaveformat-8bit-44100Hz-mono': at(8, [19, -53, 89, -127]),
    'waveformatex-16bit-44100Hz-mono': at(16, [2, -3, 5, -7]),
    'waveformatex-16bit-44100Hz-mono-extra': at(16, [2, -3, 5, -7]),
    'waveformatex-16bit-44100Hz-stereo': at(16, [2, -3, 5, -7, 11, -13, 17, -19]),
    'waveformatex-8bit-11025Hz-mono': at(8, [-128, -128, -128, -128]),
    'waveformatex-ieeefloat-44100Hz-mono': [2, 3, -16_411, 1019],
    'waveformatextensible-24bit-192kHz-mono': at(24, [-17, 4_194_319, -6_291_437, 8_355_817]),
    'waveformatextensible-24bit-4byte-48kHz-stereo': at(24, [-96, 23_052, 8_388_607, -8_360_672]),
    'waveformatextensible-32bit-48kHz-stereo': at(32, [19, -229_373, 33_587_161, -2_147_483_497]),
    'waveformatextensible-ieeefloat-44100Hz-mono': [2, 3, -16_411, 1019],
    pop: undefined,
  };
  const files = (sub = ''): string[] =>
    missingShared('vectors/hound-wav') ? [] : readdirSync(folder + sub).filter((f) => f.endsWith('.wav'));

  test('none is left out', () => {
    expect(
      files()
        .map((f) => f.slice(0, -4))
        .sort(),
    ).toEqual(Object.keys(values).sort());
  });
  for (const file of files()) {
    test(file, async () => {
      const { samples, info } = await readAllWays(`${folder}/${file}`);
      const listed = values[file.slice(0, -4)];
      if (listed !== undefined) expect([...samples]).toEqual(listed);
      else {
        // 100 frames of 16 bits behind a header of 68 bytes.
        expect(info.frames).toBe(100);
        const bytes = readFileSync(`${folder}/${file}`);
        expect([...samples]).toEqual(
          Array.from({ length: 100 }, (_, i) => bytes.readInt16LE(68 + 2 * i) / 32_768),
        );
      }
    });
  }
  for (const file of files('/fuzz')) {
    test(`${file} is refused at once`, () => refusedAllWays(`${folder}/fuzz/${file}`));
  }
});

describe.skipIf(missingShared('vectors/miniaudio-1151'))('miniaudio #1151 (needs ../shared)', () => {
  test('a fmt chunk of 0xFFFFFFFF bytes is refused at once', () =>
    refusedAllWays(shared('vectors/miniaudio-1151/fmt-size-ffffffff-69B.wav')));
});
