import * as fc from 'fast-check';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { decodeWav, readWav } from '../../src/audio/index.ts';
import { ArgumentError, FormatError, StreamError } from '../../src/errors.ts';
import { buildWav, chunk, concat, integers, streamOf } from './build-wav.ts';
import { collect } from './collect.ts';

const folder = mkdtempSync(join(tmpdir(), 'wav-read-'));
afterAll(() => rmSync(folder, { recursive: true }));
const UNKNOWN = 0xffff_ffff;
const ramp = (n: number): Uint8Array =>
  integers(
    Array.from({ length: n }, (_, i) => BigInt(i * 7 - 30)),
    2,
  );
const rampValues = (n: number): number[] => Array.from({ length: n }, (_, i) => (i * 7 - 30) / 32_768);

describe('every width of PCM', () => {
  const widths = Array.from({ length: 64 }, (_, i) => i + 1);
  test.each(widths)('%i bits, in the smallest container and a wider one, both byte orders', (bits) => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n }), {
          minLength: 2,
          maxLength: 24,
        }),
        fc.boolean(),
        fc.boolean(),
        (values, big, wider) => {
          const container = Math.min(8, Math.ceil(bits / 8) + (wider ? 1 : 0));
          const shift = BigInt(8 * container - bits);
          const even = values.slice(0, values.length - (values.length % 2));
          const stored = even.map((v) => (v << shift) + (container === 1 ? 128n : 0n));
          const bytes = buildWav(integers(stored, container, big), {
            form: big ? 'RIFX' : 'RIFF',
            channels: 2,
            bits,
            container,
          });
          const { info, samples } = decodeWav(bytes, { format: 'float64' });
          expect(info).toMatchObject({
            bitsPerSample: bits,
            containerBits: 8 * container,
            frames: even.length / 2,
          });
          expect([...samples]).toEqual(even.map((v) => Number(v) / 2 ** (bits - 1)));
          const single = decodeWav(bytes).samples;
          expect([...single]).toEqual(even.map((v) => Math.fround(Number(v) / 2 ** (bits - 1))));
        },
      ),
      { seed: 20_241, numRuns: 12 },
    );
  });

  test('samples at the bottom of their containers are recognised, and said', () => {
    const values = [-96n, 23_052n, 8_388_607n, -8_360_672n];
    for (const signExtended of [true, false]) {
      const stored = values.map((v) => (signExtended ? v : BigInt.asUintN(24, v)));
      const { info, samples } = decodeWav(buildWav(integers(stored, 4), { bits: 24, container: 4 }));
      expect([...samples]).toEqual(values.map((v) => Number(v) / 2 ** 23));
      expect(info.warnings.join()).toContain('bottom');
    }
  });

  test('a small signal at the top of its containers is left there', () => {
    const { info, samples } = decodeWav(
      buildWav(integers([256n, -256n, 512n], 4), { bits: 24, container: 4 }),
    );
    expect([...samples]).toEqual([256, -256, 512].map((v) => v / 2 ** 31));
    expect(info.warnings).toEqual([]);
  });
});

describe.each([32, 64])('float of %i bits', (bits) => {
  test.each(['RIFF', 'RIFX'] as const)('%s: every bit pattern comes through', (form) => {
    const values = [0, -0, 1, -1, 1e-40, 3.5e38 * (bits === 64 ? 1 : 0), Infinity, -Infinity, NaN, 0.1];
    const view = new DataView(new ArrayBuffer((values.length * bits) / 8));
    values.forEach((v, i) => {
      if (bits === 32) view.setFloat32(4 * i, v, form === 'RIFF');
      else view.setFloat64(8 * i, v, form === 'RIFF');
    });
    const bytes = buildWav(new Uint8Array(view.buffer), { form, tag: 3, bits });
    const stored = bits === 32 ? values.map(Math.fround) : values;
    expect([...decodeWav(bytes, { format: 'float64' }).samples]).toEqual(stored);
    expect([...decodeWav(bytes).samples]).toEqual(values.map(Math.fround));
  });
});

test('WAVE_FORMAT_EXTENSIBLE: valid bits, speakers, many channels', async () => {
  const channels = 100;
  const values = Array.from({ length: 3 * channels }, (_, i) => BigInt(i - 150) << 12n);
  for (const form of ['RIFF', 'RIFX'] as const) {
    const bytes = buildWav(integers(values, 4, form === 'RIFX'), {
      form,
      channels,
      bits: 32,
      extensible: { validBits: 20, mask: 0x63f },
    });
    const { info, samples } = await collect(bytes, 2);
    expect(info).toMatchObject({
      extensible: true,
      bitsPerSample: 20,
      containerBits: 32,
      channelMask: 0x63f,
      channels,
    });
    expect([...samples]).toEqual(values.map((v) => Number(v) / 2 ** 31));
  }
});

describe('lengths', () => {
  test.each([
    ['both sizes 0xFFFFFFFF', { riffSize: UNKNOWN, dataSize: UNKNOWN }],
    ['both sizes 0', { riffSize: 0, dataSize: 0 }],
    ['a header that was never completed', { riffSize: 36, dataSize: 0 }],
    ['data 0xFFFFFFFF alone', { dataSize: UNKNOWN }],
  ])('%s: to the end of the file', async (_, sizes) => {
    const bytes = buildWav(ramp(50), sizes);
    for (const source of [bytes, streamOf(bytes, [13]).stream]) {
      const { info, samples } = await collect(source, 8);
      expect([...samples]).toEqual(rampValues(50));
      expect(info).toMatchObject({ frames: 50, dataBytes: 100, truncated: false });
    }
  });

  test('a file that is truly empty stays so, whatever follows', async () => {
    const bytes = buildWav(new Uint8Array(0), { after: [chunk('LIST', new Uint8Array(10))] });
    for (const source of [bytes, streamOf(bytes, [7]).stream]) {
      const { info, samples } = await collect(source);
      expect(samples.length).toBe(0);
      expect(info).toMatchObject({ frames: 0, seconds: 0, truncated: false, warnings: [] });
      expect(info.chunks.map((c) => c.id)).toEqual(['fmt ', 'data', 'LIST']);
    }
  });

  test.each(['RF64', 'BW64'] as const)('%s takes its sizes from ds64', async (form) => {
    const after = [chunk('LIST', new Uint8Array(6))];
    const bytes = buildWav(ramp(20), {
      form,
      riffSize: UNKNOWN,
      dataSize: UNKNOWN,
      ds64: { riff: 126n, data: 40n },
      after,
    });
    for (const source of [bytes, streamOf(bytes, [9, 1]).stream]) {
      const { info, samples } = await collect(source);
      expect([...samples]).toEqual(rampValues(20));
      expect(info.warnings).toEqual([]);
      expect(info.container).toBe(form);
      expect(info.chunks.map((c) => [c.id, c.size])).toEqual([
        ['ds64', 28],
        ['fmt ', 16],
        ['data', 40],
        ['LIST', 6],
      ]);
    }
  });

  test('a ds64 beyond 2^53, and one that is missing, mean: to the end', () => {
    const sizes = { form: 'RF64', riffSize: UNKNOWN, dataSize: UNKNOWN } as const;
    const liar = decodeWav(buildWav(ramp(9), { ...sizes, ds64: { riff: 2n ** 63n, data: 2n ** 64n - 1n } }));
    expect([...liar.samples]).toEqual(rampValues(9));
    expect(liar.info.warnings.join()).toContain('18446744073709551615');
    const bare = decodeWav(buildWav(ramp(9), sizes));
    expect([...bare.samples]).toEqual(rampValues(9));
    expect(bare.info.warnings.join()).toContain('no ds64');
  });

  test('samples that end inside a frame: the whole frames, and said', async () => {
    const bytes = buildWav(ramp(11).subarray(0, 21), { channels: 2 });
    for (const source of [bytes, streamOf(bytes, [2]).stream]) {
      const { info, samples } = await collect(source, 2);
      expect([...samples]).toEqual(rampValues(10));
      expect(info).toMatchObject({ frames: 5, truncated: false });
      expect(info.warnings.join()).toContain('last 1 bytes');
    }
  });
});

describe('chunks', () => {
  test('all are listed with where they are, before and after the samples', async () => {
    const before = [chunk('bext', new Uint8Array(7)), chunk('JUNK', new Uint8Array(0))];
    const after = [chunk('LIST', new Uint8Array(5)), chunk('id3 ', new Uint8Array(4))];
    const bytes = buildWav(Uint8Array.of(128, 255, 0), { bits: 8, before, after });
    const path = join(folder, 'chunks.wav');
    writeFileSync(path, bytes);
    for (const source of [path, bytes, streamOf(bytes, [1]).stream]) {
      const { info, samples } = await collect(source, 2);
      expect([...samples]).toEqual([0, 127 / 128, -1]);
      expect(info.warnings).toEqual([]);
      expect(info.chunks).toEqual([
        { id: 'bext', size: 7, offset: 20 },
        { id: 'JUNK', size: 0, offset: 36 },
        { id: 'fmt ', size: 16, offset: 44 },
        { id: 'data', size: 3, offset: 68 },
        { id: 'LIST', size: 5, offset: 80 },
        { id: 'id3 ', size: 4, offset: 94 },
      ]);
    }
  });

  test('padding that is missing is noticed, padding that is garbage is padding', async () => {
    const unpadded = buildWav(ramp(5), { before: [chunk('bext', new Uint8Array(7), { pad: false })] });
    const garbage = chunk('bext', new Uint8Array(7));
    garbage[15] = 0x78;
    for (const [bytes, warned] of [
      [unpadded, true],
      [buildWav(ramp(5), { before: [garbage] }), false],
    ] as const) {
      for (const source of [bytes, streamOf(bytes, [4, 1]).stream]) {
        const { info, samples } = await collect(source);
        expect([...samples]).toEqual(rampValues(5));
        expect(info.warnings.some((w) => w.includes('padding'))).toBe(warned);
      }
    }
    const last = buildWav(Uint8Array.of(1, 2, 3), { bits: 8, pad: false });
    expect(decodeWav(last).info).toMatchObject({ frames: 3, warnings: [] });
  });

  test('a chunk that is cut off behind the samples costs nothing but a warning', async () => {
    const bytes = concat([buildWav(ramp(5)), Uint8Array.from([76, 73, 83])]);
    for (const source of [bytes, streamOf(bytes, [6]).stream]) {
      const { info, samples } = await collect(source);
      expect([...samples]).toEqual(rampValues(5));
      expect(info.warnings.join()).toContain('not a whole chunk');
    }
  });
});

describe('streams', () => {
  test('any cutting of the bytes and any size of block give the same samples', async () => {
    const bytes = buildWav(ramp(300), { channels: 3, after: [chunk('LIST', new Uint8Array(3))] });
    await fc.assert(
      fc.asyncProperty(
        fc
          .array(fc.integer({ min: 0, max: 90 }), { minLength: 1, maxLength: 9 })
          .filter((p) => p.some((n) => n > 0)),
        fc.integer({ min: 1, max: 150 }),
        async (pieces, framesPerBlock) => {
          const { samples } = await collect(streamOf(bytes, pieces).stream, framesPerBlock);
          expect([...samples]).toEqual(rampValues(300));
        },
      ),
      { seed: 20_242, numRuns: 60 },
    );
  });

  test('bytes are pulled only when a block is asked for, and leaving the loop ends the source', async () => {
    const bytes = buildWav(ramp(1_000_000));
    const { stream, state } = streamOf(bytes, [1000]);
    const wav = await readWav(stream);
    expect(state.pulled).toBeLessThan(70_000);
    let seen = 0;
    for await (const block of wav.blocks(100)) {
      seen += block.length;
      expect(state.pulled).toBeLessThan(44 + 2 * seen + 70_000);
      if (seen >= 5000) break;
    }
    expect(state.returned).toBe(true);
    expect(state.pulled).toBeLessThan(100_000);
  });

  test('blocks are fresh: keeping one does not change it', async () => {
    const wav = await readWav(buildWav(ramp(64)));
    const kept: Float32Array[] = [];
    for await (const block of wav.blocks(16)) kept.push(block);
    expect(kept.flatMap((b) => [...b])).toEqual(rampValues(64));
  });

  test('a pipe with an endless tail is left after a megabyte', async () => {
    const bytes = buildWav(ramp(10));
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield bytes;
      yield chunk('JUNK', new Uint8Array(0), { size: 0x7fff_fff0 });
      for (;;) yield new Uint8Array(65_536);
    }
    const { info, samples } = await collect(endless());
    expect([...samples]).toEqual(rampValues(10));
    expect(info.warnings.join()).toContain('left out');
  });

  test('a file that shrinks while it is read gives what is left', async () => {
    const path = join(folder, 'shrinks.wav');
    writeFileSync(path, buildWav(ramp(100_000)));
    const wav = await readWav(path);
    let frames = 0;
    for await (const block of wav.blocks(1000)) {
      if (frames === 0) writeFileSync(path, buildWav(ramp(100_000)).subarray(0, 150_001));
      frames += block.length;
    }
    expect(frames).toBe((150_001 - 44 - 1) / 2);
    expect(wav.info).toMatchObject({ truncated: true, frames });
  });
});

describe('mistakes', () => {
  test('are ArgumentErrors that name the path', async () => {
    await expect(readWav(join(folder, 'none.wav'))).rejects.toThrow(ArgumentError);
    await expect(readWav(join(folder, 'none.wav'))).rejects.toThrow('none.wav');
    await expect(readWav(folder)).rejects.toThrow('folder');
    await expect(readWav(42 as never)).rejects.toThrow(ArgumentError);
    const text = (async function* () {
      yield 'RIFF' as never;
    })();
    await expect(readWav(text)).rejects.toThrow(ArgumentError);
  });

  test('blocks are given once, in whole numbers of frames', async () => {
    const wav = await readWav(buildWav(ramp(4)));
    expect(() => wav.blocks(0)).toThrow(ArgumentError);
    expect(() => wav.blocks(1.5)).toThrow(ArgumentError);
    wav.blocks(1);
    expect(() => wav.blocks(1)).toThrow(StreamError);
    await wav.close();
    await wav.close();
  });

  test('a compressed format that cannot be read is named', () => {
    expect(() => decodeWav(buildWav(ramp(4), { tag: 0x55 }))).toThrow(/0x0055 \(MP3\)/);
    expect(() => decodeWav(new TextEncoder().encode('fLaC and so on'))).toThrow(/"fLaC"/);
    expect(() => decodeWav(new Uint8Array(0))).toThrow(FormatError);
  });
});
