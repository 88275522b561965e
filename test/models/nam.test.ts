import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadNam, readNam } from '../../src/checkpoint/nam.ts';
import { loadSafetensors } from '../../src/checkpoint/index.ts';
import { runConformance } from '../../src/conformance/index.ts';
import { ArgumentError, FormatError, GraphError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { initialise } from '../../src/layers/index.ts';
import { loadModel, modelFor, saveModel } from '../../src/models/index.ts';
import { namArchitecture } from '../../src/models/formats/nam.ts';
import { namModelOf } from '../../src/models/nam.ts';
import { sizeOf } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { missingShared, shared } from '../support/shared.ts';

const folder = mkdtempSync(join(tmpdir(), 'statewave-nam-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Json = Record<string, unknown>;

const array = (more: Json = {}): Json => ({
  input_size: 1,
  condition_size: 1,
  head_size: 1,
  channels: 3,
  kernel_size: 2,
  dilations: [1, 4],
  activation: 'Tanh',
  gated: false,
  head_bias: true,
  ...more,
});
const wavenet = (...layers: Json[]): Json => ({
  architecture: 'WaveNet',
  config: { layers, head: null, head_scale: 0.5 },
  sample_rate: 48_000,
});
const lstm = (hidden = 3, layers = 2): Json => ({
  architecture: 'LSTM',
  config: { input_size: 1, hidden_size: hidden, num_layers: layers },
  sample_rate: 48_000,
});

/** As the trainer's standard ones: two arrays, the first one's head channels are the second one's channels. */
const plain = wavenet(
  array({ head_size: 2, head_bias: false }),
  array({ input_size: 3, channels: 2, kernel_size: 3, dilations: [1, 2] }),
);
const gated = wavenet(
  array({ gated: true, head: { out_channels: 2, kernel_size: 3, bias: true } }),
  array({ input_size: 3, channels: 2, gating_mode: 'gated', activation: 'SiLU', dilations: [2] }),
);

/** A whole file with weights of a seed. */
function fileOf(capture: Json, more: Json = {}): Json {
  const source = random(7);
  const count = namArchitecture(capture).layout.reduce((sum, [, shape]) => sum + sizeOf(shape), 0);
  const weights = Array.from({ length: count }, () => Math.fround(source.normal(0, 0.5)));
  return { version: '0.5.4', metadata: null, ...capture, weights, ...more };
}
const read = (file: unknown) => readNam(new TextEncoder().encode(JSON.stringify(file)), 'amp.nam');

for (const [name, capture] of Object.entries({ plain, gated, lstm: lstm() })) {
  const { model, parameters } = namModelOf(read(fileOf(capture)));
  verifyStream({ name: `nam ${name}`, model, parameters, frames: 600 });
  verifyAdjoint({ name: `nam ${name}`, model, parameters: new Map(parameters), frames: 14 });
}

/**
 * The WaveNet once more, straight from the flat list: whole sequences, channel by channel, with `silence` zeros
 * before them. Takes what the tests above use.
 */
function direct(file: Json, input: Float32Array, silence: number): number[] {
  const weights = file['weights'] as number[];
  let at = 0;
  const take = (count: number): number[] => weights.slice(at, (at += count));
  const u = [...new Array<number>(silence).fill(0), ...input];
  const zeros = (channels: number): number[][] => Array.from({ length: channels }, () => u.map(() => 0));
  const conv = (
    x: number[][],
    outputs: number,
    taps: number,
    dilation: number,
    bias: boolean,
  ): number[][] => {
    const w = take(outputs * x.length * taps);
    const b = bias ? take(outputs) : new Array<number>(outputs).fill(0);
    return Array.from({ length: outputs }, (_, o) =>
      u.map((_, t) => {
        let sum = b[o]!;
        for (let i = 0; i < x.length; i++)
          for (let k = 0; k < taps; k++)
            sum += w[(o * x.length + i) * taps + k]! * (x[i]![t - (taps - 1 - k) * dilation] ?? 0);
        return sum;
      }),
    );
  };
  const plus = (a: number[][], b: number[][]): number[][] =>
    a.map((row, i) => row.map((v, t) => v + b[i]![t]!));
  const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
  let x = [u];
  let head: number[][] | undefined;
  for (const layer of (file['config'] as { layers: Json[] }).layers) {
    const channels = layer['channels'] as number;
    const gate = layer['gated'] === true || layer['gating_mode'] === 'gated';
    const phi = layer['activation'] === 'Tanh' ? Math.tanh : (v: number) => v * sigmoid(v);
    x = conv(x, channels, 1, 1, false);
    head ??= zeros(channels);
    for (const dilation of layer['dilations'] as number[]) {
      const outputs = gate ? 2 * channels : channels;
      let z = conv(x, outputs, layer['kernel_size'] as number, dilation, true);
      z = plus(z, conv([u], outputs, 1, 1, false));
      z = z
        .slice(0, channels)
        .map((row, c) => row.map((v, t) => phi(v) * (gate ? sigmoid(z[c + channels]![t]!) : 1)));
      head = plus(head, z);
      x = plus(x, conv(z, channels, 1, 1, true));
    }
    const of = (layer['head'] ?? {
      out_channels: layer['head_size'],
      kernel_size: 1,
      bias: layer['head_bias'],
    }) as {
      out_channels: number;
      kernel_size: number;
      bias: boolean;
    };
    head = conv(head, of.out_channels, of.kernel_size, 1, of.bias);
  }
  const scale = take(1)[0]!;
  expect(at).toBe(weights.length);
  return head![0]!.slice(silence).map((v) => v * scale);
}

describe('a capture', () => {
  it.each([
    ['plain', plain],
    ['gated, with a head of taps', gated],
  ])('takes the weights in the order of the file, from settled silence on: %s', (_name, capture) => {
    const file = fileOf(capture);
    const { model, parameters, sampleRate } = namModelOf(read(file));
    const input = Float32Array.from({ length: 200 }, (_, k) => Math.sin(k * k * 0.01));
    const stream = compile(model, parameters, { sampleRate });
    expect(stream.latency).toBe(0);
    expect(relativeError(stream.push(input), direct(file, input, 40))).toBeLessThan(1e-6);
  });

  it('begins an LSTM with the state that the file gives', () => {
    const file = fileOf(lstm(1, 1));
    const [wi, ui, wf, uf, wg, ug, wo, uo, bi, bf, bg, bo, h0, c0, head, bias] = file['weights'] as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const sigmoid = (v: number): number => 1 / (1 + Math.exp(-v));
    const u = 0.7;
    const c =
      sigmoid(wf * u + uf * h0 + bf) * c0 + sigmoid(wi * u + ui * h0 + bi) * Math.tanh(wg * u + ug * h0 + bg);
    const h = sigmoid(wo * u + uo * h0 + bo) * Math.tanh(c);
    const { model, parameters } = namModelOf(read(file));
    expect(compile(model, parameters).push(Float32Array.of(u))[0]).toBeCloseTo(head * h + bias, 6);
  });

  it('is loaded by its ending, and says what it is', () => {
    const path = join(folder, 'amp.NAM');
    writeFileSync(path, JSON.stringify(fileOf(plain, { metadata: { name: 'Amp', loudness: -18.5 } })));
    const { model, sampleRate, format } = loadModel(path);
    expect([model.name, sampleRate, format]).toEqual(['nam-wavenet', 48_000, 'nam']);
    expect(loadNam(path).metadata).toEqual({ name: 'Amp', loudness: -18.5 });
    expect(() => loadModel(path, { format: 's4d' })).toThrow(
      /format is given, but a .nam file states its own/,
    );
    expect(() => loadModel(path, { config: {} })).toThrow(ArgumentError);
  });

  it('goes through a safetensors file and back, trained or not', () => {
    const { model, parameters, config } = namModelOf(read(fileOf(gated)));
    const path = join(folder, 'amp.safetensors');
    saveModel(path, 'nam', config, parameters);
    const again = loadModel(path);
    expect(again.parameters).toEqual(parameters);
    expect(again.sampleRate).toBe(48_000);
    const input = Float32Array.from({ length: 50 }, (_, k) => Math.sin(k));
    expect(compile(again.model, again.parameters).push(input)).toEqual(
      compile(model, parameters).push(input),
    );
  });

  it('can be made anew, to be trained', () => {
    const model = modelFor('nam', plain);
    expect(compile(model, initialise(model, 1)).push(new Float32Array(3)).every(Number.isFinite)).toBe(true);
  });

  it('refuses another sample rate with the cure; a file without a rate runs at any', () => {
    for (const capture of [plain, lstm()]) {
      const { model, parameters } = namModelOf(read(fileOf(capture)));
      const open = () => compile(model, parameters, { sampleRate: 44_100 });
      expect(open).toThrow(GraphError);
      expect(open).toThrow(/can't follow 44100 Hz.*resample the input to 48000 Hz/);
    }
    const { sampleRate, model, parameters } = namModelOf(read(fileOf({ ...plain, sample_rate: null })));
    expect(sampleRate).toBeUndefined();
    compile(model, parameters, { sampleRate: 44_100 });
  });

  it.each([
    ['Tanh', Math.tanh],
    ['ReLU', (v: number) => Math.max(v, 0)],
    ['Sigmoid', (v: number) => 1 / (1 + Math.exp(-v))],
    ['SiLU', (v: number) => v / (1 + Math.exp(-v))],
    ['LeakyReLU', (v: number) => (v > 0 ? v : 0.01 * v)],
    ['Hardtanh', (v: number) => Math.min(1, Math.max(-1, v))],
  ])('knows the activation %s', (activation, phi) => {
    // One block of one channel that passes the input on: out = φ(u).
    const file = {
      ...fileOf(
        wavenet(array({ channels: 1, kernel_size: 1, dilations: [1], head_bias: false, activation })),
      ),
      weights: [1, 1, 0, 0, 0, 0, 1, 1],
    };
    const { model, parameters } = namModelOf(read(file));
    const u = Float32Array.of(-2, -0.5, 0, 0.5, 2);
    const y = compile(model, parameters).push(u);
    u.forEach((value, k) => expect(y[k]).toBeCloseTo(phi(value), 6));
  });
});

describe('a capture that is none', () => {
  const good = fileOf(plain);
  const weights = good['weights'] as number[];
  const without = (key: string): Json =>
    Object.fromEntries(Object.entries(good).filter(([name]) => name !== key));
  const layered = (more: Json): Json => ({ ...good, ...wavenet(array(more)) });

  it.each<[string, Json, RegExp]>([
    [
      'has weights too many',
      { ...good, weights: [...weights, 1, 2] },
      /137 weights.*has 135: 2 are left over/,
    ],
    ['has weights too few', { ...good, weights: weights.slice(3) }, /132 weights.*has 135: 3 are missing/],
    ['has a weight that is none', { ...good, weights: [1, 'x'] }, /weights\[1\] is "\\"x\\""; every weight/],
    ['has a weight beyond float32', { ...good, weights: [1e39] }, /weights\[0\] is .*finite/],
    ['has no weights', without('weights'), /weights is missing; .*list of numbers/],
    ['has no architecture', without('architecture'), /architecture is missing/],
    [
      'is of an early version',
      { ...good, version: '0.4.0' },
      /version is .*0\.4\.0.*export the capture again/,
    ],
    ['has no rate', { ...good, sample_rate: -1 }, /sample_rate is .*-1.*in hertz/],
    [
      'is a ConvNet',
      { ...good, architecture: 'ConvNet' },
      /"architecture" is "ConvNet"; give one of WaveNet, LSTM/,
    ],
    ['has no layers', { ...good, config: {} }, /"layers" is missing; give a list/],
    [
      'has a channel number that is none',
      layered({ channels: 0 }),
      /layers\[0\].*"channels" is 0; give a whole/,
    ],
    [
      'has a dilation of 0',
      layered({ dilations: [1, 0] }),
      /"dilations"\[1\] is 0; give a whole number from 1/,
    ],
    [
      'has a dilation beyond all memory',
      layered({ dilations: [1e15] }),
      /"dilations"\[0\] is 1000000000000000/,
    ],
    [
      'has an unknown activation',
      layered({ activation: 'Snake' }),
      /"activation" is "Snake"; give one of Tanh/,
    ],
    ['has an output of two', layered({ head_size: 2 }), /"head_size" is 2; the last has to be 1/],
    ['has FiLM', layered({ conv_pre_film: { active: true } }), /"conv_pre_film".*FiLM is not supported/],
    ['has an unknown key', layered({ twist: 3 }), /"twist": 3, which this format does not know/],
    [
      'has arrays that do not fit',
      { ...good, ...wavenet(array({ head_size: 2 }), array({ input_size: 3 })) },
      /layers\[1\].*"channels" is 3; it has to be 2, the head_size/,
    ],
  ])('%s', (_what, file, message) => {
    const load = () => namModelOf(read(file));
    expect(load).toThrow(FormatError);
    expect(load).toThrow(message);
  });

  it.each<[string, string | Uint8Array, RegExp]>([
    ['is empty', '', /no JSON.*download complete/],
    ['is cut short', JSON.stringify(good).slice(0, 500), /no JSON/],
    ['is a list', '[1]', /the JSON is no object/],
    ['holds NaN, as Python writes it', '{"weights": [NaN]}', /no JSON/],
    ['is no text', Uint8Array.of(0xff, 0xfe, 0), /no JSON/],
    ['is nested for ever', '['.repeat(1 << 20), /level 33 of nesting/],
    ['is nothing but lists', `[${'[],'.repeat(1 << 20)}0]`, /more than 10000 lists/],
    ['is nothing but numbers', `[${'0,'.repeat(1 << 20)}0]`, /more than 400000 values/],
    ['is too long', new Uint8Array(9 << 20), /a capture has less than 8388608/],
  ])('%s', (_what, content, message) => {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    expect(() => readNam(bytes, 'amp.nam')).toThrow(FormatError);
    expect(() => readNam(bytes, 'amp.nam')).toThrow(message);
  });

  it('names the file, also one that is not there', () => {
    expect(() => loadNam(join(folder, 'none.nam'))).toThrow(/none\.nam: cannot be read .*check the path/);
    expect(() => loadNam(folder)).toThrow(/no regular file/);
  });
});

describe.skipIf(missingShared('golden', 'nam') || missingShared('peers', 'nam'))(
  "NeuralAmpModelerCore's output (needs ../shared)",
  () => {
    it('lstm, as the conformance runner compares it', async () => {
      const { ok, failed, unsupported } = await runConformance({
        paths: [shared('golden', 'nam', 'lstm.safetensors')],
        models: shared('models'),
      });
      expect([ok, failed, unsupported]).toEqual([3, 0, 0]);
    });

    // The standard capture's 8192 frames reach beyond its receptive field of 4093, at which a cold start would show.
    it.each(['lstm', 'wavenet_a1_standard'])('%s, from the first frame on', (name) => {
      const { model, parameters } = loadModel(shared('peers', 'nam', `${name}.nam`));
      const { tensors } = loadSafetensors(shared('golden', 'nam', `${name}.safetensors`));
      const [input, output] = ['input', 'output'].map((key) => tensors.get(key)!.data as Float32Array);
      const y = compile(model, parameters).push(input!.subarray(0, 8192));
      expect(relativeError(y, output!.subarray(0, 8192))).toBeLessThan(1e-4);
    });
  },
);
