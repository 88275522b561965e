import { describe, expect, it } from 'vitest';
import { ArgumentError, ParameterError, SnapshotError, StreamError } from '../../src/errors.ts';
import { reference } from '../../src/backends/reference/index.ts';
import { random } from '../../src/init/index.ts';
import {
  biquadFilter,
  continuousLti,
  filter,
  initialise,
  lti,
  resonance,
  resonator,
  resonatorControls,
  s4d,
} from '../../src/layers/index.ts';
import { add, advance } from '../../src/ops/index.ts';
import { defineLayer, sequential, type FloatArray, type Model } from '../../src/signal/index.ts';
import { compile, compileBank, realtime, type CompileOptions, type Stream } from '../../src/stream/index.ts';
import { allocatedBy } from '../support/allocations.ts';
import { chunkSizes } from '../contract/stream.ts';

const RATE = 48_000;

const noise = (length: number, seed = 1): Float32Array => {
  const source = random(seed);
  return Float32Array.from({ length }, () => source.normal());
};

interface Command {
  readonly at: number;
  readonly name: string;
  readonly value: number | ArrayLike<number>;
  readonly ramp: number;
}

interface Case {
  readonly name: string;
  readonly model: Model;
  readonly options?: CompileOptions;
  readonly commands: readonly Command[];
}

const low = { family: 'elliptic', order: 5, type: 'lowpass', ripple: 1, attenuation: 60 } as const;
const gated = s4d({ features: 1, states: 8 });
const look = defineLayer({ name: 'look', features: 1, apply: (_, x) => add(advance(x, 3), x) });
const ahead = sequential([look, gated]);
const weights = (model: Model, seed: number): Map<string, Float64Array> => new Map(initialise(model, seed));

const cases: readonly Case[] = [
  {
    name: 'a ramp of one control, across many knots',
    model: resonator({ frequency: 400, damping: 0.1 }),
    commands: [{ at: 37, name: 'frequency', value: 4000, ramp: 480 }],
  },
  {
    name: 'two controls that overlap, one of them set again on its way',
    model: biquadFilter([{ type: 'peaking', frequency: 500, Q: 6, gain: 12 }]),
    commands: [
      { at: 5, name: 'frequency', value: 3000, ramp: 300 },
      { at: 90, name: 'gain', value: -6, ramp: 77 },
      { at: 130, name: 'frequency', value: 250, ramp: 201 },
      { at: 500, name: 'Q', value: 2, ramp: 0 },
    ],
  },
  {
    name: 'sections of odd order',
    model: filter({ ...low, cutoff: 900 }),
    commands: [
      { at: 64, name: 'cutoff', value: 7000, ramp: 333 },
      { at: 420, name: 'cutoff', value: 100, ramp: 15 },
    ],
  },
  {
    name: 'a ramp longer than what is computed ahead',
    model: biquadFilter([{ type: 'lowpass', frequency: 200 }]),
    commands: [{ at: 3, name: 'frequency', value: 8000, ramp: 20_000 }],
  },
  {
    name: 'a crossfade, and one that waits for it',
    model: gated,
    commands: [
      { at: 40, name: 'kernel.C', value: weights(gated, 2).get('kernel.C')!, ramp: 200 },
      { at: 100, name: 'kernel.log_dt', value: weights(gated, 3).get('kernel.log_dt')!, ramp: 100 },
      { at: 110, name: 'D', value: [0.3], ramp: 50 },
    ],
  },
  {
    name: 'a step in the middle of a crossfade',
    model: gated,
    commands: [
      { at: 40, name: 'kernel.log_dt', value: weights(gated, 3).get('kernel.log_dt')!, ramp: 200 },
      { at: 100, name: 'D', value: [0.3], ramp: 0 },
    ],
  },
  {
    name: 'a crossfade behind look-ahead',
    model: ahead,
    commands: [{ at: 40, name: '1.D', value: [-1], ramp: 30 }],
  },
  {
    name: 'a ramp in front of a crossfade',
    model: sequential([biquadFilter([{ type: 'lowpass', frequency: 400 }]), gated]),
    options: { sampleRate: RATE },
    commands: [
      { at: 10, name: '0.frequency', value: 4000, ramp: 300 },
      { at: 50, name: '1.D', value: [2], ramp: 200 },
      { at: 120, name: '0.frequency', value: 500, ramp: 300 },
    ],
  },
  {
    name: 'edges of a band, by crossfade',
    model: filter({ family: 'butterworth', order: 2, type: 'bandpass', cutoff: [300, 900] }),
    commands: [{ at: 50, name: 'cutoff', value: [500, 2000], ramp: 120 }],
  },
  {
    name: 'float64',
    model: resonator({ frequency: 400, damping: 0.1 }),
    options: { sampleRate: RATE, precision: 'float64' },
    commands: [{ at: 37, name: 'damping', value: 1, ramp: 480 }],
  },
  {
    name: 'on the reference',
    model: resonator({ frequency: 400, damping: 0.1, channels: 2 }),
    options: { sampleRate: RATE, backend: reference },
    commands: [{ at: 37, name: 'frequency', value: 4000, ramp: 480 }],
  },
];

/** Frames after which all of a case has happened. */
const framesOf = ({ commands }: Case): number => Math.max(...commands.map(({ at, ramp }) => at + ramp)) + 300;

const streamOf = ({ model, options = { sampleRate: RATE } }: Case): Stream =>
  compile(model, initialise(model, 1), { warmUp: false, ...options });

/** Feeds `input` from where the stream is on, cut as told and where something is set; returns what came. */
function drive(
  stream: Stream,
  test: Case,
  input: Float32Array,
  until: number,
  size: number | 'random',
  seed = 1,
): number[] {
  const width = stream.inputChannels;
  const heard: number[] = [];
  const sizes = chunkSizes(1e9, size, seed);
  while (stream.framesSeen < until) {
    const now = stream.framesSeen;
    const next = Math.min(until, ...test.commands.map(({ at }) => at).filter((at) => at > now));
    const count = Math.min(next - now, sizes.next().value!);
    heard.push(...stream.push(input.subarray(now * width, (now + count) * width)));
    if (stream.framesSeen === now) continue;
    for (const { at, name, value, ramp } of test.commands)
      if (at === stream.framesSeen) stream.set(name, value, { ramp });
  }
  return heard;
}

describe.each(cases)('$name', (test) => {
  const frames = framesOf(test);
  const input = noise(frames * streamOf(test).inputChannels);
  const whole = ((): number[] => {
    const stream = streamOf(test);
    const heard = drive(stream, test, input, frames, 1_000_000);
    return [...heard, ...stream.flush()];
  })();

  it('gives the same bits in any chunking', () => {
    for (const size of [1, 7, 128, 'random'] as const) {
      const stream = streamOf(test);
      expect([...drive(stream, test, input, frames, size), ...stream.flush()]).toEqual(whole);
    }
  });

  it('goes on from a snapshot, and as a fork, wherever they are taken', () => {
    const stream = streamOf(test);
    const source = random(3);
    const heard: number[] = [];
    const stops = Array.from({ length: 12 }, () => Math.floor(source.uniform(1, frames))).toSorted(
      (a, b) => a - b,
    );
    for (const stop of [...stops, ...test.commands.map(({ at, ramp }) => at + Math.floor(ramp / 2))].toSorted(
      (a, b) => a - b,
    )) {
      heard.push(...drive(stream, test, input, stop, 'random', stop));
      const saved = stream.snapshot();
      const restored = streamOf(test);
      restored.restore(saved);
      // One that has gone other ways before.
      const used = streamOf(test);
      drive(used, test, input, frames, 100);
      used.restore(saved);
      for (const other of [stream.fork(), restored, used]) {
        expect(other.snapshot()).toEqual(saved);
        expect([...heard, ...drive(other, test, input, frames, 50), ...other.flush()]).toEqual(whole);
      }
    }
  });

  it('is as compiled after a reset', () => {
    const stream = streamOf(test);
    const fresh = stream.fork();
    drive(stream, test, input, frames, 100);
    stream.reset();
    expect(stream.snapshot()).toEqual(fresh.snapshot());
    expect([...drive(stream, test, input, frames, 100), ...stream.flush()]).toEqual(whole);
  });

  it('ends where a stream is that was compiled with the last values and given its state', () => {
    const stream = streamOf(test);
    drive(stream, test, input, frames, 100);
    const other = stream.fork();
    const more = noise(500 * stream.inputChannels, 9);
    expect(stream.push(more)).toEqual(other.push(more));
    expect(whole.every(Number.isFinite)).toBe(true);
  });
});

describe('what ramps and what fades', () => {
  it('says so', () => {
    const stream = compile(cases[7]!.model, initialise(cases[7]!.model, 1), { sampleRate: RATE });
    expect(stream.set('0.frequency', 500, { ramp: 100 })).toEqual({ by: 'ramp', start: 0, end: 100 });
    expect(stream.set('0.frequency', 600)).toEqual({ by: 'step', start: 0, end: 0 });
    expect(stream.set('1.D', 1, { ramp: 80 })).toEqual({ by: 'crossfade', start: 0, end: 80 });
    expect(stream.set('1.kernel.C', initialise(gated, 5).get('kernel.C')!, { ramp: 10 })).toEqual({
      by: 'crossfade',
      start: 80,
      end: 90,
    });
  });

  it('shows where controls stand, on their way by equal ratios', () => {
    const stream = compile(resonator({ frequency: 100, damping: 0.5 }), {}, { sampleRate: RATE });
    stream.set('frequency', 400, { ramp: 100 });
    stream.push(new Float32Array(50));
    const [frequency, damping] = stream.controls;
    expect(frequency).toEqual({
      name: 'frequency',
      value: [expect.closeTo(200, 9)],
      min: 1e-6,
      max: 0.4999 * RATE,
      unit: 'Hz',
      scale: 'logarithmic',
    });
    expect(damping!.value).toEqual([0.5]);
  });

  it('after a step is the stream that was compiled so', () => {
    const parameters = initialise(gated, 1);
    const D = Float64Array.of(0.7);
    const input = noise(300);
    const stream = compile(gated, parameters);
    stream.set('D', D);
    const other = compile(gated, new Map([...parameters, ['D', D]]));
    expect(stream.push(input)).toEqual(other.push(input));
    const moved = compile(resonator({ frequency: 100, damping: 0.5 }), {}, { sampleRate: RATE });
    moved.set('frequency', 333);
    const made = compile(resonator({ frequency: 333, damping: 0.5 }), {}, { sampleRate: RATE });
    expect(moved.push(input)).toEqual(made.push(input));
  });

  it('moves a low-pass as the filter designed anew', () => {
    const moved = compile(filter({ ...low, cutoff: 900 }), {}, { sampleRate: RATE, precision: 'float64' });
    moved.set('cutoff', 5000);
    const made = compile(filter({ ...low, cutoff: 5000 }), {}, { sampleRate: RATE, precision: 'float64' });
    const input = noise(2000);
    const [a, b] = [moved.push(input), made.push(input)];
    a.forEach((y, k) => expect(Math.abs(y - b[k]!)).toBeLessThan(1e-9));
  });

  it('at another rate goes on, ramp and crossfade alike', () => {
    const model = resonator({ frequency: 500, damping: 0.2 });
    const stream = compile(model, {}, { sampleRate: RATE });
    stream.set('frequency', 5000, { ramp: 100 });
    stream.push(noise(50));
    const saved = stream.snapshot();
    stream.setSampleRate(44_100);
    const other = compile(model, {}, { sampleRate: 44_100 });
    other.restore(saved, { sampleRate: 'convert' });
    const input = noise(200, 4);
    expect(stream.push(input)).toEqual(other.push(input));
    expect(stream.controls[0]!.value).toEqual([5000]);
    const high = compile(filter({ ...low, cutoff: 900 }), {}, { sampleRate: RATE });
    high.set('cutoff', 9000);
    const was = high.snapshot();
    expect(() => high.setSampleRate(16_000)).toThrow(/9000/);
    expect(high.snapshot()).toEqual(was);
    const fading = compile(s4d({ features: 1, states: 4, sampleRate: 100 }), initialise(gated4, 1), {
      sampleRate: 100,
    });
    fading.set('D', -2, { ramp: 100 });
    fading.push(noise(50));
    fading.setSampleRate(50);
    expect(fading.push(noise(200)).every(Number.isFinite)).toBe(true);
  });

  it('moves a system in irregular time', () => {
    const model = continuousLti((at) => resonance('lowpass', at['frequency']!, at['damping']!), {
      controls: resonatorControls(0.1, 0.7),
    });
    const stream = compile(model, {}, { irregular: true });
    expect(stream.set('frequency', 0.3, { ramp: 50 }).by).toBe('ramp');
    const dt = Float32Array.from({ length: 200 }, (_, k) => (k % 3) / 2 + 0.1);
    const y = stream.push({ input: new Float32Array(200).fill(1), dt });
    expect(y.at(-1)).toBeCloseTo(1, 6);
    const other = compile(model, {}, { irregular: true });
    other.set('frequency', 0.3, { ramp: 50 });
    const pieces = Array.from({ length: 200 }, (_, k) => [
      ...other.push({ input: Float32Array.of(1), dt: dt.subarray(k, k + 1) }),
    ]).flat();
    expect(pieces).toEqual([...y]);
  });

  it('passes through a real-time edge', () => {
    const edge = realtime(
      compile(resonator({ frequency: 500, damping: 0.2 }), {}, { sampleRate: RATE }),
      128,
    );
    expect(edge.set('damping', 0.5, { ramp: 64 })).toEqual({ by: 'ramp', start: 0, end: 64 });
    const bare = { ...edge.stream, set: undefined };
    expect(bare.set).toBeUndefined();
  });
});

const gated4 = s4d({ features: 1, states: 4, sampleRate: 100 });

describe('what is refused, with the stream as it was', () => {
  const model = resonator({ frequency: 500, damping: 0.2 });
  const stream = compile(model, {}, { sampleRate: RATE });
  const before = stream.snapshot();
  it.each([
    ['an unknown name', 'frequncy', 100, {}, ParameterError, /"frequncy".*"frequency" is the nearest/],
    ['a wrong length', 'frequency', [1, 2], {}, ParameterError, /2 values, it holds 1/],
    ['NaN', 'frequency', Number.NaN, {}, ParameterError, /NaN at index 0/],
    ['beyond half the rate', 'frequency', 24_000, {}, ParameterError, /24000 Hz.*23995\.2 Hz/],
    ['a broken ramp', 'frequency', 100, { ramp: 1.5 }, ArgumentError, /ramp is 1\.5/],
    ['a negative ramp', 'frequency', 100, { ramp: -1 }, ArgumentError, /ramp is -1/],
  ] as const)('%s', (_, name, value, options, type, message) => {
    const set = (): unknown => stream.set(name, value, options);
    expect(set).toThrow(type);
    expect(set).toThrow(message);
    expect(stream.snapshot()).toEqual(before);
  });

  it('a frequency that another control takes beyond half the rate', () => {
    const biquad = compile(biquadFilter([{ type: 'lowpass', frequency: 9000 }]), {}, { sampleRate: RATE });
    const saved = biquad.snapshot();
    expect(() => biquad.set('detune', 2400, { ramp: 100_000 })).toThrow(ArgumentError);
    expect(biquad.snapshot()).toEqual(saved);
    expect(biquad.push(noise(100)).every(Number.isFinite)).toBe(true);
  });

  it('anything after the end', () => {
    const ended = stream.fork();
    ended.flush();
    expect(() => ended.set('frequency', 100)).toThrow(StreamError);
  });

  it('a stream of a bank', () => {
    const bank = compileBank(model, {}, { sampleRate: RATE });
    const id = bank.open();
    expect(() => bank.set(id, 'frequency')).toThrow(/"frequency" of stream 0.*share|one set/);
    const moved = stream.fork();
    moved.set('frequency', 100);
    const saved = bank.snapshot(id);
    expect(() => bank.restore(id, moved.snapshot())).toThrow(SnapshotError);
    expect(bank.snapshot(id)).toEqual(saved);
  });

  it('a snapshot that sets what the model does not have', () => {
    const moved = stream.fork();
    moved.set('frequency', 100);
    const other = compile(lti({ b: [1], a: [1, -0.5] }), {}, { sampleRate: RATE });
    expect(() => other.restore(moved.snapshot())).toThrow(SnapshotError);
  });
});

describe('memory', () => {
  it.each([
    ['on WebAssembly', {}],
    ['on the reference', { backend: reference }],
  ] as const)('a ramp allocates nothing while blocks are processed, %s', (_, options) => {
    const stream = compile(resonator({ frequency: 500, damping: 0.2 }), {}, { sampleRate: RATE, ...options });
    const input = noise(1);
    const output: FloatArray = new Float32Array(1);
    // Coefficients are computed for 8192 frames at a time, which takes memory; most windows of the measure lie between.
    stream.set('frequency', 5000, { ramp: 10_000_000 });
    expect(allocatedBy(0, () => stream.process(input, output))).toBeLessThan(8);
    expect(stream.controls[0]!.value[0]).toBeLessThan(5000);
  });
});
