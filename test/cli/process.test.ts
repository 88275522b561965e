import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createWavWriter, decodeWav, type WavEncoding } from '../../src/audio/index.ts';
import { biquadFilter, compile, filter, initialise, reference, s4d } from '../../src/index.ts';
import { saveModel } from '../../src/models/index.ts';
import type { Model } from '../../src/signal/index.ts';
import type { Parameters } from '../../src/stream/index.ts';
import type { Summary } from '../../src/cli/process/summary.ts';
import { noise, outcome, scratch, start, statewave, writeWav } from './support.ts';

const path = scratch();
const band = filter({ family: 'butterworth', order: 4, type: 'bandpass', cutoff: [300, 3400] });
const BAND = ['--filter', 'bandpass', '--cutoff', '300,3400'];

/** The whole of a signal through a model, one fresh stream for each channel. */
function expected(
  model: Model,
  samples: Float32Array,
  { channels = 1, sampleRate = 16_000, parameters = {} as Parameters } = {},
): Float32Array {
  const result = new Float32Array(samples.length);
  for (let channel = 0; channel < channels; channel++) {
    const stream = compile(model, parameters, { sampleRate, backend: reference });
    const plane = samples.filter((_, i) => i % channels === channel);
    [...stream.push(plane), ...stream.flush()].forEach((y, k) => (result[k * channels + channel] = y));
  }
  return result;
}

/** What the writer makes of samples: bytes to compare files with. */
async function encoded(
  samples: Float32Array,
  options: { sampleRate: number; channels: number; encoding: WavEncoding },
): Promise<Buffer> {
  const file = path('expected.wav');
  await writeWav(file, samples, options);
  return readFileSync(file);
}

/** Nothing that a run had under way is left. */
const leftovers = (): string[] => readdirSync(dirname(path('x'))).filter((name) => name.endsWith('.part'));

/** Until the first samples of an unfinished file are on the disk. */
async function underWay(): Promise<void> {
  while (!leftovers().some((name) => statSync(path(name)).size > 0)) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const mono16 = { sampleRate: 16_000, channels: 1, encoding: 'pcm16' } as const;

describe('statewave process', () => {
  it('filters each channel with a state of its own and keeps 24 bits', async () => {
    const samples = noise(2 * 5000, 1);
    const format = { sampleRate: 44_100, channels: 2, encoding: 'pcm24' } as const;
    await writeWav(path('stereo.wav'), samples, format);
    const { status, stdout, stderr } = await statewave([
      'process',
      path('stereo.wav'),
      path('stereo-out.wav'),
      ...BAND,
    ]);
    expect({ status, stdout: stdout.toString(), stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    const wanted = expected(band, samples, { channels: 2, sampleRate: 44_100 });
    expect(readFileSync(path('stereo-out.wav')).equals(await encoded(wanted, format))).toBe(true);
  });

  it('mixes down, runs several biquads, amplifies, writes float, and says so as JSON', async () => {
    const samples = noise(2 * 4000, 2);
    await writeWav(path('two.wav'), samples, { ...mono16, channels: 2 });
    const { status, stdout, stderr } = await statewave(
      `process ${path('two.wav')} ${path('one.wav')} --mono --biquad notch --frequency 50,150 --q 30 --gain 6 --float --json`.split(
        ' ',
      ),
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const mixed = Float32Array.from({ length: 4000 }, (_, k) => (samples[2 * k]! + samples[2 * k + 1]!) / 2);
    const notches = biquadFilter([50, 150].map((frequency) => ({ type: 'notch', frequency, Q: 30 })));
    const wanted = expected(notches, mixed).map((y) => y * 10 ** (6 / 20));
    const written = decodeWav(readFileSync(path('one.wav')));
    expect(written.info).toMatchObject({ coding: 'float', containerBits: 32, channels: 1 });
    expect(written.samples).toEqual(wanted);
    const summary = JSON.parse(stdout.toString()) as Summary;
    expect(summary).toMatchObject({
      frames: 4000,
      seconds: 0.25,
      channels: 1,
      sampleRate: 16_000,
      inputFrames: 4000,
      inputChannels: 2,
      modelSampleRate: 16_000,
      encoding: 'float32',
      clipped: 0,
      nonFinite: 0,
      interrupted: null,
      warnings: [],
    });
    expect(summary.realtimeFactor).toBeGreaterThan(0);
    expect(summary.peak).toBe(wanted.reduce((most, y) => Math.max(most, Math.abs(y)), 0));
  });

  it('runs from stdin to stdout, bare samples included', async () => {
    const samples = noise(3000, 3);
    await writeWav(path('in.wav'), samples, mono16);
    const bare = new Uint8Array(Int16Array.from(samples, (x) => x * 32_768).buffer);
    const raw = ['--raw', 's16le', '--rate', '16000'];
    const runs = await Promise.all([
      statewave(['process', '-', '-', ...BAND], readFileSync(path('in.wav'))),
      statewave(['process', '-', '-', ...BAND, ...raw], bare),
    ]);
    const wanted = decodeWav(await encoded(expected(band, samples), mono16)).samples;
    for (const { status, stdout, stderr } of runs) {
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(decodeWav(stdout).samples).toEqual(wanted);
    }
  });

  it("runs a checkpoint at the file's rate, and at its own where it is asked to", async () => {
    const config = { d_model: 1, d_state: 8, sample_rate: 8000 };
    const model = s4d({ features: 1, states: 8, sampleRate: 8000 });
    const parameters = initialise(model, 4);
    saveModel(path('model.safetensors'), 's4d', config, parameters, { dtype: 'F64' });
    const samples = noise(2000, 5);
    await writeWav(path('at16.wav'), samples, mono16);
    const run = ['process', path('at16.wav'), path('model-out.wav'), '--float', '--json'];
    const there = await statewave([
      ...run,
      '--model',
      path('model.safetensors'),
      '--backend',
      'reference',
      '--block',
      '127',
    ]);
    expect({ status: there.status, stderr: there.stderr }).toEqual({ status: 0, stderr: '' });
    expect(decodeWav(readFileSync(path('model-out.wav'))).samples).toEqual(
      expected(model, samples, { parameters }),
    );
    const back = await statewave([...run, '--model', path('model.safetensors'), '--resample']);
    expect({ status: back.status, stderr: back.stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(back.stdout.toString())).toMatchObject({
      frames: 2000,
      sampleRate: 16_000,
      modelSampleRate: 8000,
    });
  });

  it('replaces what is not finite by the policy, and counts it', async () => {
    const samples = noise(1000, 6);
    samples[500] = Number.NaN;
    await writeWav(path('nan.wav'), samples, { ...mono16, encoding: 'float32' });
    const run = ['process', path('nan.wav'), path('nan-out.wav'), ...BAND];
    const refused = await statewave(run);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^statewave: .*NaN at frame 500.*\n$/);
    expect(existsSync(path('nan-out.wav'))).toBe(false);
    expect(leftovers()).toEqual([]);
    const mended = await statewave([...run, '--nonfinite', 'zero', '--json']);
    expect(mended.status).toBe(0);
    expect(JSON.parse(mended.stdout.toString())).toMatchObject({ frames: 1000, nonFinite: 1 });
    expect(mended.stderr).toBe(
      'statewave: warning: 1 samples of the input were not finite and were replaced\n',
    );
  });

  it('says how much was clipped and how to avoid it', async () => {
    await writeWav(path('loud.wav'), Float32Array.of(0.5, -0.5, 0.25), mono16);
    const { status, stderr } = await statewave(
      `process ${path('loud.wav')} ${path('loud-out.wav')} --biquad peaking --frequency 1000 --gain 7`.split(
        ' ',
      ),
    );
    expect(status).toBe(0);
    expect(stderr).toMatch(/^statewave: warning: 2 samples were beyond full scale and are clipped; lower it/);
  });
});

describe('statewave process, in constant memory', () => {
  it('peaks no higher for a long recording than for a short one', async () => {
    const second = noise(2 * 48_000, 10);
    const peaks: number[] = [];
    for (const seconds of [10, 90]) {
      const writer = createWavWriter(path('memory.wav'), { ...mono16, sampleRate: 48_000, channels: 2 });
      for (let k = 0; k < seconds; k++) await writer.write(second);
      await writer.close();
      // Long blocks are the hard case: their memory is nowhere in the heap that V8 watches.
      const { status, stdout } = await statewave(
        `process ${path('memory.wav')} ${path('memory-out.wav')} --biquad notch --frequency 50 --block 65536 --json`.split(
          ' ',
        ),
      );
      expect(status).toBe(0);
      peaks.push((JSON.parse(stdout.toString()) as Summary).peakMemoryMiB);
    }
    expect(peaks[1]! - peaks[0]!).toBeLessThan(32);
  });
});

describe('statewave process, failing', () => {
  it.each([
    ['no model', [], /What shall it run\? Give --model, --filter or --biquad/],
    ['an option without its owner', ['--cutoff', '300'], /--cutoff needs --filter/],
    ['a filter without its edge', ['--filter', 'lowpass'], /--filter lowpass needs --cutoff/],
    [
      'a ripple that is missing',
      ['--filter', 'lowpass', '--cutoff', '300', '--family', 'elliptic'],
      /ripple/,
    ],
    [
      'a number that is none',
      ['--filter', 'lowpass', '--cutoff', 'abc'],
      /--cutoff <hz>.*Give a finite number/,
    ],
    ['an unknown option', ['--nonsense'], /unknown option '--nonsense'/],
  ])('refuses %s with exit status 2 and a hint', async (_what, args, message) => {
    const { status, stdout, stderr } = await statewave(['process', 'in.wav', path('never.wav'), ...args]);
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toContain('--help');
    expect(existsSync(path('never.wav'))).toBe(false);
  });

  it('refuses to write over its own input, and to mix JSON with samples', async () => {
    await writeWav(path('own.wav'), noise(100, 7), mono16);
    const before = readFileSync(path('own.wav'));
    const own = await statewave(['process', path('own.wav'), `${dirname(path('x'))}/./own.wav`, ...BAND]);
    expect(own.status).toBe(2);
    expect(own.stderr).toContain('IN and OUT are the same file');
    expect(readFileSync(path('own.wav')).equals(before)).toBe(true);
    const mixed = await statewave(['process', path('own.wav'), '-', '--json', ...BAND]);
    expect(mixed.status).toBe(2);
    expect(mixed.stdout.length).toBe(0);
  });

  it('names what is missing or broken in one line, and leaves OUT as it was', async () => {
    writeFileSync(path('broken.wav'), 'RIFF\xff\xff\xff\xffWAVEfmt ');
    writeFileSync(path('kept.wav'), 'what was there before');
    const cases: readonly [string[], RegExp][] = [
      [[path('absent.wav'), path('kept.wav'), ...BAND], /Cannot open .*absent\.wav/],
      [[path('broken.wav'), path('kept.wav'), ...BAND], /broken\.wav.*WAV/],
      [
        [path('own.wav'), path('kept.wav'), '--filter', 'lowpass', '--cutoff', '9000'],
        /9000 Hz at 16000 Hz.*below half the sample rate/,
      ],
    ];
    await writeWav(path('own.wav'), noise(100, 7), mono16);
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = await statewave(['process', ...args]);
      expect({ status, stdout: stdout.toString() }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(message);
      expect(stderr.trimEnd()).not.toContain('\n');
      expect(readFileSync(path('kept.wav'), 'utf8')).toBe('what was there before');
    }
    expect(leftovers()).toEqual([]);
  });
});

describe('statewave process, interrupted', () => {
  const second = noise(16_000, 8);
  beforeAll(async () => {
    const writer = createWavWriter(path('long.wav'), mono16);
    for (let k = 0; k < 1200; k++) await writer.write(second);
    await writer.close();
  });

  it('leaves a valid file of what was done on Ctrl-C', async () => {
    const child = start(['process', path('long.wav'), path('cut.wav'), ...BAND]);
    const ended = outcome(child);
    await underWay();
    child.kill('SIGINT');
    const { status, stderr } = await ended;
    expect(status).toBe(130);
    expect(stderr).toMatch(/^statewave: SIGINT: .*cut\.wav holds what was done so far/);
    expect(leftovers()).toEqual([]);
    const { info, samples } = decodeWav(readFileSync(path('cut.wav')));
    expect(info).toMatchObject({ truncated: false, warnings: [] });
    expect(info.frames).toBeGreaterThan(0);
    expect(info.frames).toBeLessThan(1200 * 16_000);
    const stream = compile(band, {}, { sampleRate: 16_000 });
    for (let k = 0; k < samples.length; k += 16_000) {
      const wanted = stream.push(second).map((y) => Math.floor(y * 32_768 + 0.5) / 32_768);
      const part = samples.subarray(k, k + 16_000);
      if (!part.every((y, i) => y === wanted[i])) expect.fail(`second ${k / 16_000} differs`);
    }
  });

  it('completes the file on SIGTERM while it waits for more input', async () => {
    const samples = noise(60_000, 9);
    await writeWav(path('piped.wav'), samples, mono16);
    const child = start(['process', '-', path('term.wav'), '--biquad', 'allpass', '--frequency', '100']);
    const ended = outcome(child);
    child.stdin!.write(readFileSync(path('piped.wav')).subarray(0, 80 + 2 * 50_000));
    await underWay();
    child.kill('SIGTERM');
    expect((await ended).status).toBe(143);
    const { info, samples: written } = decodeWav(readFileSync(path('term.wav')));
    expect(info.truncated).toBe(false);
    // 64 KiB were on the disk; of the 50,000 frames that had come, whole blocks of 2,048 were run.
    expect(written.length % 2048).toBe(0);
    expect(written.length).toBeGreaterThan(32_000);
    expect(written.length).toBeLessThanOrEqual(50_000);
    const allpass = biquadFilter([{ type: 'allpass', frequency: 100 }]);
    const wanted = decodeWav(await encoded(expected(allpass, samples.subarray(0, written.length)), mono16));
    expect(written).toEqual(wanted.samples);
  });

  it('ends without a word when nobody reads on', async () => {
    const child = start(['process', path('long.wav'), '-', ...BAND]);
    child.stdout!.once('data', () => child.stdout!.destroy());
    const { status, stderr } = await outcome(child);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
