import * as fc from 'fast-check';
import { execFile, spawn } from 'node:child_process';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { WaveFile } from './wavefile.ts';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import {
  createWavWriter,
  decodeWav,
  type WavEncoding,
  type WavWriterOptions,
} from '../../src/audio/index.ts';
import { ArgumentError, StreamError } from '../../src/errors.ts';
import { collect } from './collect.ts';

const root = mkdtempSync(join(tmpdir(), 'wav-write-'));
afterAll(() => rmSync(root, { recursive: true }));
let folder = root;
let count = 0;
beforeEach(() => mkdirSync((folder = join(root, String(count++)))));

const BITS: Record<WavEncoding, number> = {
  pcm8: 8,
  pcm16: 16,
  pcm24: 24,
  pcm32: 32,
  float32: 32,
  float64: 64,
};
const encodings = Object.keys(BITS) as WavEncoding[];
const mono = { sampleRate: 16_000, channels: 1 };

async function writeAll(
  path: string,
  options: WavWriterOptions,
  ...blocks: (Float32Array | Float64Array)[]
): Promise<Buffer> {
  const writer = createWavWriter(path, options);
  for (const block of blocks) await writer.write(block);
  await writer.close();
  return readFileSync(path);
}

describe('round trips', () => {
  test('every sample of 8 and 16 bits, and the ends and a spread of 24 and 32', async () => {
    for (const encoding of ['pcm8', 'pcm16', 'pcm24', 'pcm32'] as const) {
      const full = 2 ** (BITS[encoding] - 1);
      const values =
        full <= 2 ** 15
          ? Array.from({ length: 2 * full }, (_, i) => i - full)
          : [
              -full,
              1 - full,
              -1,
              0,
              1,
              full - 1,
              ...Array.from({ length: 5000 }, (_, i) => ((i * 2_654_435_761) % (2 * full)) - full),
            ];
      const bytes = await writeAll(
        join(folder, 'x.wav'),
        { ...mono, encoding },
        Float64Array.from(values, (v) => v / full),
      );
      expect([...decodeWav(bytes, { format: 'float64' }).samples]).toEqual(values.map((v) => v / full));
    }
  });

  test.each(encodings)('%s: any channels, any blocks, any values', async (encoding) => {
    const full = 2 ** (BITS[encoding] - 1);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.array(fc.double({ min: -1.2, max: 1.2, noNaN: true }), { maxLength: 30 }), {
          maxLength: 5,
        }),
        async (channels, rows) => {
          const blocks = rows.map((row) =>
            Float64Array.from(row.slice(0, row.length - (row.length % channels))),
          );
          const path = join(folder, 'y.wav');
          const writer = createWavWriter(path, { sampleRate: 44_100, channels, encoding });
          for (const block of blocks) await writer.write(block);
          await writer.close();
          const { info, samples } = decodeWav(readFileSync(path), { format: 'float64' });
          const all = blocks.flatMap((b) => [...b]);
          const expected = all.map((x) => {
            if (encoding === 'float64') return x;
            if (encoding === 'float32') return Math.fround(x);
            return Math.min(full - 1, Math.max(-full, Math.round(x * full))) / full + 0;
          });
          expect([...samples].map((x) => x + 0)).toEqual(expected.map((x) => x + 0));
          expect(info).toMatchObject({
            channels,
            frames: all.length / channels,
            warnings: [],
            truncated: false,
            bitsPerSample: BITS[encoding],
          });
          expect(info.extensible).toBe(channels > 2 || encoding === 'pcm24' || encoding === 'pcm32');
          expect(info.chunks.some((c) => c.id === 'fact')).toBe(encoding.startsWith('float'));
          const beyond = all.filter((x) => Math.abs(x) > 1).length;
          expect(writer.stats).toEqual({
            frames: all.length / channels,
            peak: all.reduce((a, b) => Math.max(a, Math.abs(b)), 0),
            clipped: encoding.startsWith('float') ? 0 : beyond,
            notANumber: 0,
          });
        },
      ),
      { seed: 20_245, numRuns: 25 },
    );
  });

  test.each(encodings)('%s is read alike by wavefile', async (encoding) => {
    const samples = Float32Array.from({ length: 30 }, (_, i) => Math.sin(i) * 0.9);
    // wavefile takes a float in a WAVE_FORMAT_EXTENSIBLE for integers.
    const channels = encoding === 'float32' ? 2 : 3;
    const bytes = await writeAll(join(folder, 'z.wav'), { sampleRate: 22_050, channels, encoding }, samples);
    const oracle = new WaveFile(new Uint8Array(bytes));
    const scale = encoding.startsWith('float') ? 1 : 2 ** (BITS[encoding] - 1);
    const offset = encoding === 'pcm8' ? 128 : 0;
    const theirs = Array.from(
      oracle.getSamples(true) as unknown as ArrayLike<number>,
      (v) => (v - offset) / scale,
    );
    expect(theirs).toEqual([...decodeWav(bytes, { format: 'float64' }).samples]);
    expect(oracle.fmt).toMatchObject({
      numChannels: channels,
      sampleRate: 22_050,
      blockAlign: (channels * BITS[encoding]) / 8,
    });
  });

  test('the 80 bytes in front of 16-bit mono', async () => {
    const bytes = await writeAll(join(folder, 'h.wav'), mono, Float32Array.of(0.5, -1));
    expect(bytes.toString('hex')).toBe(
      '524946464c00000057415645' + // RIFF, 76 bytes, WAVE
        `4a554e4b1c000000${'00'.repeat(28)}` + // JUNK, room for a ds64
        '666d7420100000000100' + // fmt, 16 bytes, PCM
        '0100803e0000007d000002001000' + // mono, 16000 Hz, 32000 bytes a second, 2 a frame, 16 bits
        '646174610400000000400080', // data, 4 bytes
    );
  });
});

describe('levels', () => {
  test('beyond full scale is clipped and counted, NaN is silence and counted', async () => {
    const path = join(folder, 'c.wav');
    const writer = createWavWriter(path, mono);
    await writer.write(Float32Array.of(1, -1, 1.5, -2, NaN, Infinity, -Infinity, 0.25));
    await writer.close();
    expect([...decodeWav(readFileSync(path)).samples].map((x) => x * 32_768)).toEqual([
      32_767, -32_768, 32_767, -32_768, 0, 32_767, -32_768, 8192,
    ]);
    expect(writer.stats).toEqual({ frames: 8, peak: Infinity, clipped: 4, notANumber: 1 });
  });

  test('dither: the mean error vanishes, its power is that of a quarter of a step² whatever the signal; repeatable', async () => {
    const n = 100_000;
    for (const level of [0.3, 0.5, 0.77]) {
      const samples = new Float64Array(n).fill(level / 32_768);
      const options = { ...mono, dither: true };
      const bytes = await writeAll(join(folder, 'd.wav'), options, samples);
      const errors = [...decodeWav(bytes, { format: 'float64' }).samples].map((x) => x * 32_768 - level);
      const mean = errors.reduce((a, b) => a + b, 0) / n;
      const power = errors.reduce((a, b) => a + b * b, 0) / n;
      // TPDF of 2 steps and the rounding: 1/6 + 1/12. Five standard deviations of a mean of n.
      expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(0.25 / n));
      expect(power).toBeGreaterThan(0.25 - 0.005);
      expect(power).toBeLessThan(0.25 + 0.005);
      expect(await writeAll(join(folder, 'e.wav'), options, samples)).toEqual(bytes);
    }
  });
});

describe('the file', () => {
  test('has its name only when it is complete; until then the old one is there', async () => {
    const path = join(folder, 'out.wav');
    writeFileSync(path, 'old');
    const writer = createWavWriter(path, mono);
    await writer.write(new Float32Array(100_000));
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder).filter((f) => f.endsWith('.part'))).toHaveLength(1);
    await writer.close();
    await writer.close();
    expect(readdirSync(folder)).toEqual(['out.wav']);
    expect(decodeWav(readFileSync(path)).info.frames).toBe(100_000);
    await expect(writer.write(new Float32Array(1))).rejects.toThrow(StreamError);
  });

  test('abort leaves what was there before, and nothing else', async () => {
    const path = join(folder, 'out.wav');
    writeFileSync(path, 'old');
    const writer = createWavWriter(path, mono);
    void writer.write(new Float32Array(200_000));
    await writer.abort();
    await writer.abort();
    expect(readdirSync(folder)).toEqual(['out.wav']);
    expect(readFileSync(path, 'utf8')).toBe('old');
    await expect(writer.write(new Float32Array(1))).rejects.toThrow('aborted');
    await expect(writer.close()).rejects.toThrow('aborted');
  });

  test('blocks may be written without waiting, and reused at once', async () => {
    const path = join(folder, 'out.wav');
    const writer = createWavWriter(path, mono);
    const block = new Float32Array(30_000);
    const pending: Promise<void>[] = [];
    for (let i = 0; i < 8; i++) {
      block.fill(i / 8);
      pending.push(writer.write(block));
    }
    await writer.close();
    await Promise.all(pending);
    const { samples } = decodeWav(readFileSync(path));
    expect(samples.length).toBe(240_000);
    expect(samples.every((x, i) => x === Math.floor(i / 30_000) / 8)).toBe(true);
  });

  test('finalizeNow: all that was given to write is a valid file, even while a write is under way', async () => {
    const path = join(folder, 'out.wav');
    const writer = createWavWriter(path, { ...mono, encoding: 'pcm24' });
    const given = [0.25, 0.5, 0.75].map((x) => new Float32Array(33_333).fill(x));
    const pending = given.map((block) => writer.write(block));
    writer.finalizeNow();
    const { info, samples } = decodeWav(readFileSync(path));
    expect(info).toMatchObject({ frames: 99_999, warnings: [], truncated: false });
    expect(samples.every((x, i) => x === [0.25, 0.5, 0.75][Math.floor(i / 33_333)])).toBe(true);
    await Promise.allSettled(pending);
    await writer.close();
    writer.finalizeNow();
    expect(readdirSync(folder)).toEqual(['out.wav']);
    expect(decodeWav(readFileSync(path)).samples).toEqual(samples);
  });

  test('Ctrl-C: a process that finalizes on SIGINT leaves a valid file of what it had', async () => {
    const path = join(folder, 'out.wav');
    const module = new URL('../../src/audio/wav/index.ts', import.meta.url).href;
    const program = `
      import { createWavWriter } from '${module}';
      const writer = createWavWriter(process.argv[1], { sampleRate: 8000, channels: 1 });
      process.on('SIGINT', () => { writer.finalizeNow(); console.log(writer.stats.frames); process.exit(130); });
      const block = new Float32Array(800).fill(0.5);
      await writer.write(block);
      console.log('ready');
      for (;;) { await writer.write(block); await new Promise((r) => setTimeout(r, 1)); }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (output === '') setTimeout(() => child.kill('SIGINT'), 50);
      output += text;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(code).toBe(130);
    const { info, samples } = decodeWav(readFileSync(path));
    expect(info).toMatchObject({ frames: Number(output.split('\n')[1]), warnings: [], truncated: false });
    expect(info.frames).toBeGreaterThanOrEqual(800);
    expect(samples.every((x) => x === 0.5)).toBe(true);
    expect(readdirSync(folder)).toEqual(['out.wav']);
  });

  test('a link stays a link; its target is replaced', async () => {
    writeFileSync(join(folder, 'real.wav'), 'old');
    symlinkSync('real.wav', join(folder, 'link.wav'));
    await writeAll(join(folder, 'link.wav'), mono, new Float32Array(4));
    expect(decodeWav(readFileSync(join(folder, 'real.wav'))).info.frames).toBe(4);
    expect(readdirSync(folder).sort()).toEqual(['link.wav', 'real.wav']);
  });

  test('longer than 32 bits can say, it becomes an RF64 in place', async () => {
    const samples = Float32Array.from({ length: 3000 }, (_, i) => i / 3000);
    for (const encoding of encodings) {
      const path = join(folder, `${encoding}.wav`);
      const wide = await writeAll(path, { ...mono, encoding, rf64Above: 1000 }, samples);
      const usual = await writeAll(path, { ...mono, encoding }, samples);
      expect(wide.length).toBe(usual.length);
      const [a, b] = [decodeWav(wide), decodeWav(usual)];
      expect([a.info.container, b.info.container]).toEqual(['RF64', 'RIFF']);
      expect(a.info.chunks[0]).toEqual({ id: 'ds64', size: 28, offset: 20 });
      expect(a.info).toMatchObject({
        frames: 3000,
        dataOffset: b.info.dataOffset,
        warnings: [],
        truncated: false,
      });
      expect(a.samples).toEqual(b.samples);
      const view = new DataView(wide.buffer, wide.byteOffset);
      expect([view.getBigUint64(20, true), view.getBigUint64(28, true), view.getBigUint64(36, true)]).toEqual(
        [BigInt(wide.length - 8), BigInt(a.info.dataBytes!), 3000n],
      );
    }
  });
});

describe('pipes', () => {
  test('a header of unknown length, then the samples; the reader takes them to the end', async () => {
    for (const encoding of encodings) {
      const pipe = new PassThrough();
      const writer = createWavWriter(pipe, { sampleRate: 8000, channels: 2, encoding });
      const read = collect(pipe, 5);
      for (let i = 0; i < 4; i++) await writer.write(Float32Array.of(i / 8, 0 - i / 8, 0.5, -0.5));
      await writer.close();
      const { info, samples } = await read;
      expect(info).toMatchObject({ frames: 8, truncated: false, warnings: [] });
      expect([...samples]).toEqual([
        0, 0, 0.5, -0.5, 0.125, -0.125, 0.5, -0.5, 0.25, -0.25, 0.5, -0.5, 0.375, -0.375, 0.5, -0.5,
      ]);
    }
    const pipe = new PassThrough();
    const writer = createWavWriter(pipe, mono);
    const bytes = buffer(pipe);
    await writer.close();
    const view = new DataView((await bytes).buffer);
    expect([view.byteLength, view.getUint32(4, true), view.getUint32(40, true)]).toEqual([
      44, 0xffff_ffff, 0xffff_ffff,
    ]);
  });

  test('write waits for a slow reader', async () => {
    let taken = 0;
    let go: (() => void) | undefined;
    const slow = new Writable({
      highWaterMark: 4096,
      write(chunk: Buffer, _, done) {
        taken += chunk.length;
        go = done;
      },
    });
    const writer = createWavWriter(slow, mono);
    let waiting = true;
    const write = writer.write(new Float32Array(4096)).then(() => (waiting = false));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([waiting, taken]).toEqual([true, 44]);
    go!();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect([waiting, taken]).toEqual([true, 44 + 8192]);
    go!();
    await write;
    expect(waiting).toBe(false);
  });

  test('a reader that goes away is a StreamError, not a crash and not a hang', async () => {
    const broken = new Writable({ highWaterMark: 1, write: (_, __, done) => done(new Error('EPIPE')) });
    const writer = createWavWriter(broken, mono);
    await expect(writer.write(new Float32Array(10))).rejects.toThrow(StreamError);
    await expect(writer.write(new Float32Array(10))).rejects.toThrow('EPIPE');
    await expect(writer.close()).rejects.toThrow(StreamError);
    const gone = new PassThrough({ highWaterMark: 1 });
    const other = createWavWriter(gone, mono);
    const stuck = other.write(new Float32Array(10));
    gone.destroy();
    await expect(stuck).rejects.toThrow('closed');
    await other.abort();
  });

  test('a named pipe and a device are written to, not replaced', async () => {
    const fifo = join(folder, 'fifo');
    await promisify(execFile)('mkfifo', [fifo]);
    const read = collect(createReadStream(fifo));
    const writer = createWavWriter(fifo, mono);
    await writer.write(Float32Array.of(0.5, 0.25));
    await writer.close();
    expect([...(await read).samples]).toEqual([0.5, 0.25]);
    expect(readdirSync(folder)).toEqual(['fifo']);
  });

  test.skipIf(!existsSync('/dev/full'))('a full disk is a StreamError', async () => {
    const writer = createWavWriter('/dev/full', mono);
    const failing = (async () => {
      await writer.write(new Float32Array(100_000));
      await writer.close();
    })();
    await expect(failing).rejects.toThrow(/ENOSPC/);
    await expect(failing).rejects.toThrow(StreamError);
  });

  test('standard output: header and samples, and the stream stays usable', async () => {
    const module = new URL('../../src/audio/wav/index.ts', import.meta.url).href;
    const program = `
      import { createWavWriter } from '${module}';
      const writer = createWavWriter(process.stdout, { sampleRate: 8000, channels: 1, encoding: 'pcm8' });
      await writer.write(new Float32Array(100_000));
      await writer.close();
      process.stdout.write('!');`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
      encoding: 'buffer',
      maxBuffer: 1e6,
    });
    expect(decodeWav(stdout).info.frames).toBe(100_001);
    expect(stdout.at(-1)).toBe(33);
  });
});

test('an hour of 16 kHz takes no more memory than ten seconds, and less than a hundredth of its time', async () => {
  const module = new URL('../../src/audio/wav/index.ts', import.meta.url).href;
  const program = `
    import { createWavWriter, readWav } from '${module}';
    const [, from, to] = process.argv;
    const wav = await readWav(from);
    const started = performance.now();
    const writer = createWavWriter(to, { sampleRate: 16000, channels: 1 });
    for await (const block of wav.blocks(1024)) await writer.write(block);
    await writer.close();
    const ms = performance.now() - started;
    console.log(JSON.stringify({ ms, frames: writer.stats.frames, rss: process.resourceUsage().maxRSS * 1024 }));`;
  const block = Float32Array.from({ length: 1600 }, (_, i) => 0.5 * Math.sin(i / 10));
  async function run(seconds: number): Promise<{ ms: number; frames: number; rss: number }> {
    const [from, to] = [join(folder, 'from.wav'), join(folder, 'to.wav')];
    const source = createWavWriter(from, mono);
    for (let i = 0; i < seconds * 10; i++) await source.write(block);
    await source.close();
    // A process of its own, whose memory is this job's alone.
    const args = ['--input-type=module', '-e', program, from, to];
    return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout);
  }
  const short = await run(10);
  const long = await run(3600);
  expect([short.frames, long.frames]).toEqual([160_000, 57_600_000]);
  expect(long.ms).toBeLessThan(36_000);
  expect(long.rss - short.rss).toBeLessThan(16 * 2 ** 20);
}, 60_000);

describe('mistakes', () => {
  test.each([
    [{ sampleRate: 0, channels: 1 }, /sampleRate: 0/],
    [{ sampleRate: 44_100.5, channels: 1 }, /44100.5/],
    [{ sampleRate: 8000, channels: 0 }, /channels: 0/],
    [{ sampleRate: 8000, channels: 40_000 }, /channels: 40000/],
    [{ sampleRate: 8000, channels: 1, encoding: 'mp3' as WavEncoding }, /'mp3'.*pcm16/],
  ])('%j is refused', (options, why) => {
    expect(() => createWavWriter(join(folder, 'x.wav'), options)).toThrow(ArgumentError);
    expect(() => createWavWriter(join(folder, 'x.wav'), options)).toThrow(why);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a folder, a folder that is missing, and half a frame', async () => {
    expect(() => createWavWriter(folder, mono)).toThrow('folder');
    expect(() => createWavWriter(join(folder, 'no', 'x.wav'), mono)).toThrow(ArgumentError);
    expect(() => createWavWriter(7 as never, mono)).toThrow(ArgumentError);
    const writer = createWavWriter(join(folder, 'x.wav'), { sampleRate: 8000, channels: 2 });
    await expect(writer.write(new Float32Array(3))).rejects.toThrow('frames of 2 channels');
    await writer.abort();
  });
});
