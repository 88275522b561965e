import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { decodeWav, siSdr } from '../../src/audio/index.ts';
import { compile, initialise } from '../../src/index.ts';
import { attenuate, cleanUMamba, runningLevel, saveModel } from '../../src/models/index.ts';
import type { Model } from '../../src/signal/index.ts';
import type { Parameters } from '../../src/stream/index.ts';
import type { Summary } from '../../src/cli/process/summary.ts';
import { smallAttenuate, smallAttenuateConfig, smallCleanUMamba } from '../models/small-denoisers.ts';
import { peakOf, relativeError } from '../contract/stream.ts';
import { missingShared, shared } from '../support/shared.ts';
import { stirred } from '../support/stirred.ts';
import { noise, scratch, statewave, writeWav } from './support.ts';
import { resampled } from '../support/resampled.ts';

const path = scratch();
const small = attenuate(smallAttenuate);
/** Modes that are quick, so that an answer begins when it begins. */
const weights = new Map(
  [...stirred(small, 1)].map(([name, values]) => [
    name,
    name.endsWith('.log_dt') ? values.map(() => 0) : values,
  ]),
);
const network = cleanUMamba(smallCleanUMamba('lstm'));
const others = initialise(network, 2);

beforeAll(() => {
  saveModel(path('a.safetensors'), 'attenuate', smallAttenuateConfig, weights, { dtype: 'F64' });
  saveModel(path('c.safetensors'), 'cleanumamba', {}, others, { dtype: 'F64', model: network });
});

/** One channel through a fresh stream at 16 kHz and back, cut to its length. */
function denoised(model: Model, parameters: Parameters, samples: Float32Array, rate: number): Float32Array {
  const stream = compile(model, parameters);
  const inside = stream.push(resampled(samples, rate, 16_000));
  const outside = resampled(Float32Array.from([...inside, ...stream.flush()]), 16_000, rate);
  return outside.subarray(0, samples.length);
}

const channelOf = (samples: ArrayLike<number>, channel: number, channels: number): Float32Array =>
  Float32Array.from({ length: samples.length / channels }, (_, k) => samples[k * channels + channel]!);

describe('statewave denoise', () => {
  it.each([
    [16_000, 1],
    [44_100, 2],
    [8000, 3],
    [48_000, 1],
  ])('%i Hz, %i channels: a state each, the length of the input, aligned with it', async (rate, channels) => {
    const frames = 3001;
    const samples = noise(channels * frames, rate);
    const [input, output] = [path(`${rate}.wav`), path(`${rate}-out.wav`)];
    await writeWav(input, samples, { sampleRate: rate, channels, encoding: 'pcm16' });
    const run = ['denoise', input, output, '--model', path('a.safetensors'), '--float', '--json'];
    const { status, stdout, stderr } = await statewave([...run, '--block', '517']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout.toString()) as Summary).toMatchObject({
      model: 'attenuate',
      frames,
      channels,
      sampleRate: rate,
      modelSampleRate: 16_000,
      latency: compile(small, weights).latency,
      encoding: 'float32',
      warnings: [],
    });
    const { info, samples: written } = decodeWav(readFileSync(output));
    expect(info).toMatchObject({ sampleRate: rate, channels, frames, coding: 'float' });
    for (let channel = 0; channel < channels; channel++) {
      const wanted = denoised(small, weights, channelOf(samples, channel, channels), rate);
      expect(peakOf(wanted)).toBeGreaterThan(0);
      expect(relativeError(channelOf(written, channel, channels), wanted)).toBeLessThanOrEqual(1e-6);
    }
  });

  it('is aligned: what comes early goes out early, whatever the look-ahead', async () => {
    // Silence but for one click; the network answers around it, and nowhere else.
    const silence = denoised(small, weights, new Float32Array(4000), 44_100);
    const click = new Float32Array(4000);
    click[2000] = 0.5;
    await writeWav(path('click.wav'), click, { sampleRate: 44_100, channels: 1, encoding: 'float32' });
    const run = ['denoise', path('click.wav'), path('click-out.wav'), '--model', path('a.safetensors')];
    expect((await statewave(run)).status).toBe(0);
    const answer = decodeWav(readFileSync(path('click-out.wav'))).samples.map((y, k) => y - silence[k]!);
    const first = [...answer].findIndex((y) => Math.abs(y) > 0.05 * peakOf(answer));
    const ahead = Math.ceil((compile(small, weights).latency * 44_100) / 16_000);
    expect(first).toBeGreaterThanOrEqual(2000 - ahead - 8);
    expect(first).toBeLessThanOrEqual(2000 + 8);
  });

  it('levels raw recordings as the network needs them; process leaves them as they are', async () => {
    const samples = noise(2000, 9);
    await writeWav(path('raw.wav'), samples, { sampleRate: 16_000, channels: 1, encoding: 'pcm16' });
    const model = ['--model', path('c.safetensors'), '--float'];
    const runs = await Promise.all([
      statewave(['denoise', path('raw.wav'), path('levelled.wav'), ...model]),
      statewave(['process', path('raw.wav'), path('bare.wav'), ...model]),
    ]);
    for (const { status, stderr } of runs) expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const read = (name: string): ArrayLike<number> => decodeWav(readFileSync(path(name))).samples;
    expect(read('levelled.wav')).toEqual(denoised(runningLevel(network), others, samples, 16_000));
    expect(read('bare.wav')).toEqual(denoised(network, others, samples, 16_000));
  });

  it("runs from stdin to stdout, in the input's encoding", async () => {
    const samples = noise(1500, 4);
    const bare = new Uint8Array(Int16Array.from(samples, (x) => x * 32_768).buffer);
    const raw = ['--raw', 's16le', '--rate', '16000'];
    const { status, stdout, stderr } = await statewave(
      ['denoise', '-', '-', '--model', path('a.safetensors'), ...raw],
      bare,
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { info, samples: written } = decodeWav(stdout);
    expect(info).toMatchObject({ coding: 'pcm', containerBits: 16 });
    const wanted = denoised(small, weights, samples, 16_000).map((y) => Math.max(-1, Math.min(1, y)));
    expect(peakOf([...written].map((y, k) => y - wanted[k]!))).toBeLessThanOrEqual(1 / 32_768);
  });
});

describe('statewave denoise with what comes with the package', () => {
  it('takes the noise out of a recording of any rate, without being told of a model', async () => {
    const [clean, noisy] = ['clean', 'noisy'].map(
      (name) => decodeWav(readFileSync(`fixtures/speech/${name}.wav`)).samples as Float32Array,
    );
    const { status, stderr } = await statewave([
      'denoise',
      'fixtures/speech/noisy.wav',
      path('own.wav'),
      '--float',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const cleaned = decodeWav(readFileSync(path('own.wav'))).samples as Float32Array;
    expect(cleaned.length).toBe(noisy!.length);
    expect(siSdr(cleaned, clean!) - siSdr(noisy!, clean!)).toBeGreaterThan(6);
  });
});

describe('statewave denoise, failing', () => {
  beforeAll(() =>
    writeWav(path('in.wav'), noise(100, 3), { sampleRate: 44_100, channels: 1, encoding: 'pcm16' }),
  );

  it.each<[string, string[], number, RegExp]>([
    ['an option of process', ['--model', 'x', '--filter', 'lowpass'], 2, /unknown option '--filter'/],
    ['a model that is not there', ['--model', 'none.pt'], 1, /none.pt: cannot be opened.*check the path/],
    [
      "at the file's own rate, for a model that counts frames",
      ['--model', 'a.safetensors', '--no-resample'],
      1,
      /16000.*44100|44100.*16000/,
    ],
    [
      'a float that is none',
      ['--model', 'a.safetensors', '--float', '--encoding', 'pcm16'],
      2,
      /--float is --encoding float32, but --encoding is pcm16.\nSee statewave denoise --help/,
    ],
  ])('refuses to run %s', async (_what, options, expected, message) => {
    const given = options.map((option) => (/safetensors$|pt$/.test(option) ? path(option) : option));
    const { status, stderr } = await statewave(['denoise', path('in.wav'), path('out.wav'), ...given]);
    expect(status).toBe(expected);
    expect(stderr).toMatch(message);
    expect(existsSync(path('out.wav'))).toBe(false);
  });
});

describe.skipIf(missingShared('models') || missingShared('data', 'vb-demand'))(
  'statewave denoise with published weights (needs ../shared)',
  () => {
    it('takes the noise out of a recording', async () => {
      const recording = (folder: string): string => shared('data', 'vb-demand', folder, 'p232_234.wav');
      const model = shared('models', 'attenuate.safetensors');
      const { status, stderr } = await statewave([
        'denoise',
        recording('noisy'),
        path('speech.wav'),
        '--model',
        model,
        '--float',
      ]);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const read = (file: string): Float32Array => decodeWav(readFileSync(file)).samples as Float32Array;
      const clean = read(recording('clean'));
      expect(siSdr(read(recording('noisy')), clean)).toBeCloseTo(0.13, 2);
      expect(siSdr(read(path('speech.wav')), clean)).toBeCloseTo(14.03, 1);
    }, 60_000);
  },
);
