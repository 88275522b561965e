import { describe, expect, it } from 'vitest';
import { defaultBackend } from '../../src/backends/wasm/index.ts';
import { reference } from '../../src/backends/reference/index.ts';
import { foh } from '../../src/discretize/index.ts';
import { ArgumentError, GraphError, SnapshotError, StreamError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { continuousLti, filter, initialise, lru, lti, s4, s4d, s5 } from '../../src/layers/index.ts';
import { convolution } from '../../src/ops/index.ts';
import { defineLayer, sequential, type Layer } from '../../src/signal/index.ts';
import { compile, snapshotNumbers, type CompileOptions, type Stream } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { relativeError } from '../contract/stream.ts';

const RATE = 16_000;
const models: Record<string, Layer> = {
  s4d: s4d({ features: 4, states: 8, sampleRate: RATE }),
  // Slow modes, which run in float64 beside the others.
  'slow s4d': s4d({ features: 2, states: 8, sampleRate: RATE, dt: { min: 1e-6, max: 0.1 } }),
  's4d by foh': s4d({ features: 2, states: 4, sampleRate: RATE, discretization: foh }),
  s5: s5({ features: 3, states: 8, sampleRate: RATE }),
  s4: s4({ features: 2, states: 8, sampleRate: RATE }),
  'two in a row': sequential([
    s4d({ features: 2, states: 4, sampleRate: RATE }),
    s5({ features: 2, states: 4, sampleRate: RATE }),
  ]),
  filter: filter({ family: 'butterworth', order: 4, type: 'lowpass', cutoff: 500 }),
  lti: lti({ b: [1], a: [0.01, 1] }, { domain: 'continuous' }),
  continuousLti: continuousLti({ b: [4], a: [1, 300, 40_000] }),
};
const noise = (length: number, seed: number): Float32Array => {
  const source = random(seed);
  return Float32Array.from({ length }, () => source.normal());
};

describe.each([reference, defaultBackend()])('$name: setSampleRate', (backend) => {
  it.each(Object.entries(models))(
    'of %s is a snapshot carried to a stream at the new rate, bit for bit',
    (_, model) => {
      const parameters = initialise(model, 1);
      const open = (sampleRate: number): Stream => compile(model, parameters, { backend, sampleRate });
      const [first, second] = [open(RATE), open(RATE)];
      const block = (frames: number, seed: number): Float32Array => noise(frames * first.inputChannels, seed);
      for (const stream of [first, second]) stream.push(block(333, 2));
      first.setSampleRate(44_100);
      expect(first.sampleRate).toBe(44_100);
      expect(first.framesSeen).toBe(333);
      const carried = open(44_100);
      carried.restore(second.snapshot(), { sampleRate: 'convert' });
      const expected = carried.push(block(500, 3));
      expect(first.push(block(500, 3))).toEqual(expected);
      expect(Buffer.compare(first.snapshot(), carried.snapshot())).toBe(0);
      // It is no other stream now than one that always ran at this rate: it forks, resets, and changes back.
      const fork = first.fork();
      fork.setSampleRate(RATE);
      first.setSampleRate(RATE);
      expect(fork.push(block(100, 4))).toEqual(first.push(block(100, 4)));
      first.reset();
      expect(first.push(block(50, 5))).toEqual(open(RATE).push(block(50, 5)));
    },
  );

  it.each(['s4d', 'slow s4d', 's5', 's4'])('of %s keeps x itself', (name) => {
    const model = models[name]!;
    const stream = compile(model, initialise(model, 6), { backend });
    stream.push(noise(100 * stream.inputChannels, 7));
    const x = (): Float64Array =>
      [...snapshotNumbers(stream.snapshot())].find(([path]) => path.endsWith('scan:x'))![1];
    const before = x();
    stream.setSampleRate(22_050);
    expect(Math.max(...before.map(Math.abs))).toBeGreaterThan(1e-3);
    // A kernel may keep x over B̄, and so round when it takes x over.
    expect(relativeError(x(), before)).toBeLessThan(backend === reference ? 1e-300 : 1e-6);
  });
});

describe('setSampleRate', () => {
  it.each(['s4d', 's4d by foh', 's5', 's4'])('of %s is a change of dt in the middle', (name) => {
    const model = models[name]!;
    const parameters = initialise(model, 8);
    const stream = compile(model, parameters, { precision: 'float64' });
    const input = Float64Array.from(noise(160 * stream.inputChannels, 9));
    const half = input.length / 2;
    const head = stream.push(input.subarray(0, half));
    stream.setSampleRate(RATE / 2);
    const both = [...head, ...stream.push(input.subarray(half))];
    const dt = Float64Array.from({ length: 160 }, (_, k) => (k < 80 ? 1 : 2));
    const expected = evaluate(model, parameters, { input, dt }, { irregular: true })['output']!;
    expect(relativeError(both, expected)).toBeLessThan(1e-12);
  });

  it('of an RC low-pass follows the capacitor', () => {
    // v = 1 − e^{−t/τ}, τ = 10 ms, sampled at 1 kHz and from 20 ms on at 4 kHz.
    const stream = compile(
      continuousLti({ b: [1], a: [0.01, 1] }),
      {},
      { sampleRate: 1000, precision: 'float64' },
    );
    const head = stream.push(new Float64Array(20).fill(1));
    stream.setSampleRate(4000);
    const tail = stream.push(new Float64Array(40).fill(1));
    const times = [...head.map((_, k) => (k + 1) / 1000), ...tail.map((_, k) => 0.02 + (k + 1) / 4000)];
    const expected = times.map((t) => -Math.expm1(-t / 0.01));
    expect(relativeError([...head, ...tail], expected)).toBeLessThan(1e-13);
  });

  it('to the rate it runs at changes nothing', () => {
    const model = models['s4d']!;
    const stream = compile(model, initialise(model, 1));
    stream.push(noise(40, 1));
    const saved = stream.snapshot();
    stream.setSampleRate(RATE);
    expect(Buffer.compare(stream.snapshot(), saved)).toBe(0);
  });

  const counting = sequential([
    models['s5']!,
    defineLayer({
      name: 'fir',
      features: 3,
      apply: (t, x) =>
        convolution(
          x,
          t.parameter('taps', [3, 3, 2], () => new Float64Array(18).fill(0.1)),
        ),
    }),
  ]);
  it.each<[string, Layer, CompileOptions, number, new (message: string) => Error, RegExp]>([
    ['a layer that counts frames', counting, {}, 8000, GraphError, /convolution.*counts frames, not time/],
    [
      'a discrete layer',
      lru({ features: 1, states: 2 }),
      { sampleRate: 100 },
      50,
      GraphError,
      /scan.*how long a frame lasts/,
    ],
    [
      'a model that knows no rate',
      s4d({ features: 1, states: 2 }),
      { sampleRate: 100 },
      50,
      GraphError,
      /give the model the sampleRate/,
    ],
    [
      'a stream that knows no rate',
      s4d({ features: 1, states: 2 }),
      {},
      50,
      GraphError,
      /compile it with a sampleRate/,
    ],
    ['a dt by frame', models['s4d']!, { irregular: true }, 8000, GraphError, /another dt/],
    ['a rate that is none', models['s4d']!, {}, 0, ArgumentError, /positive number of hertz/],
    ['a rate below the filter’s edge', models['filter']!, { sampleRate: RATE }, 800, ArgumentError, /500/],
  ])('refuses %s, and leaves the stream as it was', (_, model, options, rate, Class, message) => {
    const stream = compile(model, initialise(model, 1), options);
    const frame = {
      input: new Float32Array(stream.inputChannels).fill(1),
      ...(options.irregular === true ? { dt: Float32Array.of(1) } : {}),
    };
    stream.push(frame);
    const saved = stream.snapshot();
    expect(() => stream.setSampleRate(rate)).toThrow(Class);
    expect(() => stream.setSampleRate(rate)).toThrow(message);
    expect(Buffer.compare(stream.snapshot(), saved)).toBe(0);
    stream.push(frame);
  });
});

describe('restore with another rate', () => {
  const model = models['s4d']!;
  const parameters = initialise(model, 1);
  const saved = compile(model, parameters).snapshot();

  it('is refused unless it is asked for', () => {
    const stream = compile(model, parameters, { sampleRate: 8000 });
    expect(() => stream.restore(saved)).toThrow(SnapshotError);
    expect(() => stream.restore(saved)).toThrow(/16000.*8000.*sampleRate: 'convert'/);
    stream.restore(saved, { sampleRate: 'convert' });
  });

  it('still refuses other weights, another precision, and a rate that nobody knows', () => {
    const other = compile(model, initialise(model, 2), { sampleRate: 8000 });
    expect(() => other.restore(saved, { sampleRate: 'convert' })).toThrow(/model hash/);
    const wide = compile(model, parameters, { sampleRate: 8000, precision: 'float64' });
    expect(() => wide.restore(saved, { sampleRate: 'convert' })).toThrow(/precision/);
    const unknown = s4d({ features: 4, states: 8 });
    const timeless = compile(unknown, parameters).snapshot();
    const known = compile(unknown, parameters, { sampleRate: 8000 });
    expect(() => known.restore(timeless, { sampleRate: 'convert' })).toThrow(/what is unknown can't be/);
  });

  it('tells filters of other edges apart, whose numbers come from the rate alone', () => {
    const at = (cutoff: number, sampleRate: number): Stream =>
      compile(filter({ family: 'butterworth', order: 2, type: 'lowpass', cutoff }), {}, { sampleRate });
    const low = at(300, 16_000).snapshot();
    expect(() => at(400, 8000).restore(low, { sampleRate: 'convert' })).toThrow(/model hash/);
    at(300, 8000).restore(low, { sampleRate: 'convert' });
  });
});

describe('a dt by frame', () => {
  it('that runs backwards is refused before anything is taken', () => {
    const model = models['s4d']!;
    const stream = compile(model, initialise(model, 1), { irregular: true });
    stream.push({ input: new Float32Array(8), dt: Float32Array.of(1, 0) });
    const backwards = { input: new Float32Array(12), dt: Float32Array.of(1, -0.5, 1) };
    expect(() => stream.push(backwards)).toThrow(StreamError);
    expect(() => stream.push(backwards)).toThrow(/"dt" is -0\.5 at frame 3: time runs backwards/);
    expect(stream.framesSeen).toBe(2);
  });
});
