import * as fc from 'fast-check';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeWav, readWav, type WavSource } from '../../src/audio/index.ts';
import { FormatError } from '../../src/errors.ts';
import { buildWav, chunk, concat, integers, streamOf, type BuildOptions } from './build-wav.ts';

const folder = mkdtempSync(join(tmpdir(), 'wav-liars-'));
afterAll(() => rmSync(folder, { recursive: true }));

const data = integers(
  Array.from({ length: 24 }, (_, i) => BigInt(i * 1000 - 9000)),
  2,
);
const MOST_MEMORY = 16 * 2 ** 20;

/** Reads it all; gives the samples, or undefined where it was refused with a FormatError. Other errors pass. */
async function attempt(source: WavSource): Promise<Float32Array[] | undefined> {
  try {
    const wav = await readWav(source);
    const blocks: Float32Array[] = [];
    for await (const block of wav.blocks(4)) blocks.push(block);
    const frames = blocks.reduce((n, b) => n + b.length, 0) / wav.info.channels;
    expect(wav.info.frames).toBe(frames);
    expect(wav.info.sampleRate).toBeGreaterThan(0);
    return blocks;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function attemptWhole(bytes: Uint8Array): Float32Array | undefined {
  try {
    return decodeWav(bytes).samples;
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/** The three ways agree on the verdict and on every sample. */
async function agree(bytes: Uint8Array): Promise<void> {
  const whole = attemptWhole(bytes);
  const inMemory = await attempt(bytes);
  const streamed = await attempt(streamOf(bytes, [5, 3]).stream);
  expect(inMemory?.flatMap((b) => [...b])).toEqual(whole && [...whole]);
  expect(streamed?.flatMap((b) => [...b])).toEqual(whole && [...whole]);
}

const samples: Record<string, BuildOptions> = {
  plain: {},
  extensible: { channels: 3, extensible: { validBits: 12 }, before: [chunk('LIST', new Uint8Array(9))] },
  'big-endian': { form: 'RIFX', channels: 2, after: [chunk('LIST', new Uint8Array(9), { big: true })] },
  wide: {
    form: 'RF64',
    riffSize: 0xffff_ffff,
    dataSize: 0xffff_ffff,
    ds64: { riff: 120n, data: 48n },
    after: [chunk('id3 ', new Uint8Array(3))],
  },
  adpcm: { tag: 0x11, bits: 4, container: 16, fmtExtra: [2, 0, 25, 0] },
  float: { tag: 3, bits: 32, before: [chunk('fact', Uint8Array.of(12, 0, 0, 0))] },
};

describe.each(Object.entries(samples))('%s', (_, options) => {
  const bytes = buildWav(data, options);

  test('cut off at every byte: a FormatError or the whole frames, never anything else', async () => {
    const all = [...decodeWav(bytes).samples];
    for (let length = 0; length < bytes.length; length++) {
      const short = bytes.subarray(0, length);
      await agree(short);
      const got = attemptWhole(short);
      if (got !== undefined) expect([...got]).toEqual(all.slice(0, got.length));
      const untilData = decodeWav(bytes).info.dataOffset;
      expect(got === undefined).toBe(length < untilData);
    }
  });

  test('bytes changed at random: a FormatError or a short clean read', async () => {
    const header = decodeWav(bytes).info.dataOffset;
    const interesting = fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(header - 1), fc.oneof(interesting, fc.nat(255))), {
          minLength: 1,
          maxLength: 6,
        }),
        async (changes) => {
          const changed = bytes.slice();
          for (const [at, value] of changes) changed[at] = value;
          await agree(changed);
        },
      ),
      { seed: 20_243, numRuns: 400 },
    );
  });

  test('every field of four bytes set to a lie', async () => {
    const header = decodeWav(bytes).info.dataOffset;
    for (let at = 4; at + 4 <= header; at += 2) {
      for (const lie of [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_fff7, 0xffff_ffff]) {
        const changed = bytes.slice();
        new DataView(changed.buffer).setUint32(at, lie, true);
        await agree(changed);
      }
    }
  });
});

test('bytes that are nothing at all', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (noise, named) => {
      const bytes = named ? concat([new TextEncoder().encode('RIFFxxxxWAVEfmt '), noise]) : noise;
      await agree(bytes);
    }),
    { seed: 20_244, numRuns: 400 },
  );
});

describe('headers that contradict themselves', () => {
  test.each<[string, BuildOptions, RegExp]>([
    ['no channels', { channels: 0, blockAlign: 2 }, /0 channels/],
    ['no rate', { rate: 0 }, /0 Hz/],
    ['no bits', { bits: 0, container: 2 }, /0 bits/],
    ['too many bits', { bits: 65, container: 9 }, /65 bits/],
    ['frames that no sample size explains', { channels: 3, blockAlign: 4 }, /contradicts/],
    ['frames too short', { channels: 2, bits: 24, blockAlign: 4 }, /contradicts/],
    ['frames too long', { blockAlign: 9 }, /contradicts/],
    ['a float of 16 bits', { tag: 3 }, /16 bits/],
    ['a float of 32 bits in 8 bytes', { tag: 3, bits: 32, container: 8 }, /32 bits in 8 bytes/],
    ['µ-law of 16 bits', { tag: 7 }, /16 bits/],
    ['extensible without room', { tag: 0xfffe }, /needs 40/],
    ['Microsoft ADPCM', { tag: 2, bits: 4, blockAlign: 256 }, /Microsoft ADPCM/],
  ])('%s: refused, saying why', (_, options, why) => {
    expect(() => decodeWav(buildWav(data, options))).toThrow(FormatError);
    expect(() => decodeWav(buildWav(data, options))).toThrow(why);
  });

  test.each<[string, BuildOptions, RegExp]>([
    ['frames of 0 bytes', { blockAlign: 0, byteRate: 16_000 }, /frames of 0 bytes: read as 2/],
    ['a wrong number of bytes a second', { byteRate: 1 }, /1 bytes a second/],
    ['no valid bits', { extensible: { validBits: 0 } }, /0 valid bits/],
    ['more valid bits than bits', { extensible: { validBits: 40 } }, /40 valid bits/],
  ])('%s: read all the same, and said', (_, options, why) => {
    const { samples, info } = decodeWav(buildWav(data, options));
    expect([...samples]).toEqual([...decodeWav(buildWav(data)).samples]);
    expect(info.warnings.join('\n')).toMatch(why);
  });

  test('samples before the format, two formats, two runs of samples', () => {
    const head = new TextEncoder().encode('RIFF\0\0\0\0WAVE');
    expect(() => decodeWav(concat([head, chunk('data', data)]))).toThrow(/before any "fmt "/);
    const twice = buildWav(data, { before: [buildWav(data).subarray(12, 36)], after: [chunk('data', data)] });
    expect(decodeWav(twice).info.warnings.join('\n')).toMatch(/second "fmt "[^]*second "data"/);
    expect(decodeWav(twice).info.frames).toBe(24);
  });
});

describe('a second and 16 MiB', () => {
  /** Time, and growth of what is held outside and inside the heap, while `job` runs. */
  async function cost<T>(
    prepare: () => T,
    job: (prepared: T) => Promise<unknown>,
  ): Promise<{ ms: number; bytes: number }> {
    const held = (): number => {
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    // Once to warm up; what the test itself holds is there before the measurement.
    await job(prepare());
    const prepared = prepare();
    const before = held();
    let most = 0;
    const timer = setInterval(() => (most = Math.max(most, held() - before)), 1);
    const started = performance.now();
    await job(prepared);
    const ms = performance.now() - started;
    clearInterval(timer);
    return { ms, bytes: Math.max(most, held() - before) };
  }

  const zeros = new Uint8Array(4 << 20);
  test.each<[string, () => WavSource, boolean]>([
    [
      'chunks of no length without end',
      () => concat([new TextEncoder().encode('RIFF\0\0\0\0WAVE'), zeros]),
      false,
    ],
    [
      '65535 channels',
      () => buildWav(data, { channels: 65_535, bits: 8, dataSize: 0x7fff_ffff, blockAlign: 65_535 }),
      true,
    ],
    ['4 GiB announced, 48 bytes there', () => buildWav(data, { dataSize: 0xffff_fffe }), true],
    ['the same from a pipe', () => streamOf(buildWav(data, { dataSize: 0xffff_fffe }), [20]).stream, true],
    [
      'a fmt chunk of 4 GiB',
      () =>
        concat([new TextEncoder().encode('RIFF\0\0\0\0WAVEfmt '), Uint8Array.of(255, 255, 255, 255), zeros]),
      false,
    ],
    [
      '2^63 bytes in ds64',
      () =>
        buildWav(data, { form: 'RF64', dataSize: 0xffff_ffff, ds64: { riff: 2n ** 63n, data: 2n ** 63n } }),
      true,
    ],
    [
      '2^52 bytes in ds64',
      () =>
        buildWav(data, { form: 'RF64', dataSize: 0xffff_ffff, ds64: { riff: 2n ** 52n, data: 2n ** 52n } }),
      true,
    ],
  ])('%s', async (_, source, readable) => {
    let result: unknown;
    const { ms, bytes } = await cost(source, async (given) => (result = await attempt(given)));
    expect(result !== undefined).toBe(readable);
    expect(ms).toBeLessThan(1000);
    expect(bytes).toBeLessThan(MOST_MEMORY);
  });

  test('blocks of two thousand million frames of a short file reserve nothing', async () => {
    for (const options of [{}, samples['adpcm']!]) {
      const bytes = buildWav(data, options);
      const { ms, bytes: held } = await cost(
        () => streamOf(bytes, [9]).stream,
        async (stream) => {
          const wav = await readWav(stream);
          for await (const block of wav.blocks(2_000_000_000)) expect(block.length).toBe(wav.info.frames);
        },
      );
      expect(ms).toBeLessThan(1000);
      expect(held).toBeLessThan(MOST_MEMORY);
    }
  });

  test('a chunk of 5 GiB before the samples is stepped over, and 5 GiB of samples are counted', async () => {
    const path = join(folder, 'sparse.wav');
    const five = 5 * 2 ** 30;
    const body = buildWav(data, {
      form: 'RF64',
      riffSize: 0xffff_ffff,
      dataSize: 0xffff_ffff,
      ds64: { riff: BigInt(five + 72), data: BigInt(five) },
    });
    writeFileSync(path, body);
    const fd = openSync(path, 'r+');
    ftruncateSync(fd, 80 + five);
    writeSync(fd, chunk('LIST', new Uint8Array(4)), 0, 12, 80 + five);
    closeSync(fd);
    const { ms, bytes } = await cost(
      () => path,
      async () => {
        const wav = await readWav(path);
        expect(wav.info).toMatchObject({ frames: five / 2, dataBytes: five, dataOffset: 80 });
        expect(wav.info.chunks.at(-1)).toEqual({ id: 'LIST', size: 4, offset: 88 + five });
        for await (const block of wav.blocks(12)) {
          expect(block[1]).toBe(-8000 / 32_768);
          break;
        }
      },
    );
    expect(ms).toBeLessThan(1000);
    expect(bytes).toBeLessThan(MOST_MEMORY);
  });
});
