import { beforeAll, describe, expect, test } from 'vitest';
import type * as Models from '../../examples/web/models.ts';
import type { ModelName } from '../../examples/web/messages.ts';
import { realDft } from '../../src/math/real-dft.ts';
import {
  LiveProcessor,
  messageReader,
  MessageTap,
  scope,
  StateProbe,
  WorkMeter,
  type LiveModel,
  type Tap,
} from '../../src/web/index.ts';
import { snapshotNumbers } from '../../src/stream/index.ts';
import { pageModels, randomModels, scratch, weightsIn } from './support.ts';

const RATE = 48_000;
const QUANTUM = 128;
const context = { sampleRate: RATE, quantum: QUANTUM };
const folder = scratch();
let models: typeof Models;

beforeAll(async () => {
  randomModels(folder);
  models = await pageModels(folder);
});

const modelOf = (name: ModelName): LiveModel =>
  models.liveModel(name, name === 'resonator' ? undefined : weightsIn(folder, name), context);

/** Keeps nothing. */
const deaf: Tap = { scope: new Float32Array(scope.SCOPE_SIZE), dropped: 0, write() {}, publish() {} };

/** A sound through a processor, quantum by quantum; `before` is called ahead of each. */
function hear(
  processor: LiveProcessor,
  input: Float32Array,
  before: (quantum: number) => void = () => undefined,
): Float32Array {
  const output = new Float32Array(input.length);
  for (let at = 0; at < input.length; at += QUANTUM) {
    before(at / QUANTUM);
    const planes = [new Float32Array(QUANTUM)];
    processor.process(input.subarray(at, at + QUANTUM), planes);
    output.set(planes[0]!, at);
  }
  return output;
}

const sine = (hertz: number, seconds: number): Float32Array =>
  Float32Array.from({ length: Math.round(seconds * RATE) }, (_, k) =>
    Math.sin((2 * Math.PI * hertz * k) / RATE),
  );

/** dB of the loudest component more than `away` Hz from `hertz`, below the loudest of all. */
function spurious(output: Float32Array, hertz: number, away: number): number {
  const size = 2 ** 15;
  const dft = realDft(size);
  const [re, im] = [new Float64Array(dft.bins), new Float64Array(dft.bins)];
  // Blackman–Harris, four terms: side lobes at −92 dB.
  const window = Float64Array.from({ length: size }, (_, n) =>
    [0.35875, -0.48829, 0.14128, -0.01168].reduce(
      (sum, a, j) => sum + a * Math.cos((2 * Math.PI * j * n) / size),
      0,
    ),
  );
  let [peak, worst] = [0, 0];
  for (let at = 0; at + size <= output.length; at += size / 4) {
    dft.forward(
      window.map((w, n) => w * output[at + n]!),
      re,
      im,
    );
    for (let k = 0; k < dft.bins; k++) {
      const level = Math.hypot(re[k]!, im[k]!);
      if (Math.abs((k * RATE) / size - hertz) > away) worst = Math.max(worst, level);
      else peak = Math.max(peak, level);
    }
  }
  return 20 * Math.log10(worst / peak);
}

/** A slider as a hand moves it: a value at each picture of the screen, 60 a second. */
function sweep(set: (value: number) => void, low: number, high: number): (quantum: number) => void {
  let picture = -1;
  return (quantum) => {
    const now = Math.floor((quantum * QUANTUM * 60) / RATE);
    if (now === picture) return;
    picture = now;
    const phase = (now / 60) % 2;
    set(low * (high / low) ** (phase < 1 ? phase : 2 - phase));
  };
}

describe('a 1 kHz sine while a control moves has no components beside it above −80 dB', () => {
  const input = sine(1000, 3);
  const start = (): LiveProcessor => {
    const processor = new LiveProcessor(context, deaf);
    processor.load(modelOf('resonator'));
    return processor;
  };

  test('frequency, over four octaves in a second and back', () => {
    const processor = start();
    const output = hear(
      processor,
      input,
      sweep((hertz) => processor.set('frequency', hertz), 300, 5000),
    );
    expect(spurious(output, 1000, 200)).toBeLessThan(-80);
  });

  test('damping, over two decades', () => {
    const processor = start();
    const output = hear(
      processor,
      input,
      sweep((zeta) => processor.set('damping', zeta), 0.005, 0.5),
    );
    expect(spurious(output, 1000, 200)).toBeLessThan(-80);
  });

  test('zero-order hold and bilinear, to and fro', () => {
    const processor = start();
    processor.set('frequency', 8000);
    const output = hear(processor, input, (quantum) => {
      if (quantum % 100 === 0) processor.set('bilinear', (quantum / 100) % 2);
    });
    expect(spurious(output.subarray(RATE / 2), 1000, 200)).toBeLessThan(-80);
  });

  test('bypass, on and off', () => {
    const processor = start();
    processor.set('frequency', 1100);
    const output = hear(processor, input, (quantum) => {
      if (quantum % 100 === 0) processor.set('mix', (quantum / 100) % 2);
    });
    expect(spurious(output.subarray(RATE / 2), 1000, 200)).toBeLessThan(-80);
  });

  test('which a control that jumps would have', () => {
    const gain = sweep((value) => (jumping = value), 0.1, 1);
    let jumping = 1;
    const output = input.map((x, k) => {
      if (k % QUANTUM === 0) gain(k / QUANTUM);
      return x * jumping;
    });
    expect(spurious(output, 1000, 200)).toBeGreaterThan(-80);
  });
});

describe.each<ModelName>(['denoiser', 'digits', 'resonator'])('%s', (name) => {
  test('a click comes out after the declared latency, and bypassed it comes out at the same time', () => {
    const input = new Float32Array(200 * QUANTUM);
    const click = 9600;
    input[click] = 1;
    const peakAt = (mix: number): number => {
      const processor = new LiveProcessor(context, deaf);
      processor.load(modelOf(name));
      processor.set('mix', mix);
      // A sound before it, so that the crossover has come to rest.
      const output = hear(processor, input);
      return output.reduce((best, x, i) => (Math.abs(x) > Math.abs(output[best]!) ? i : best), 0);
    };
    const { latency } = modelOf(name);
    expect(peakAt(0)).toBe(click + latency);
    // A resonance is loudest a little after it was struck, 1 kHz: a quarter of a period.
    expect(Math.abs(peakAt(1) - click - latency)).toBeLessThanOrEqual(name === 'resonator' ? 12 : 2);
  });

  test('what the scope shows is the state that a snapshot has', () => {
    const model = modelOf(name);
    const input = Float32Array.from({ length: 40 * QUANTUM }, (_, k) => Math.sin(k / 9));
    const output = new Float32Array(QUANTUM);
    for (let at = 0; at < input.length; at += QUANTUM)
      model.process(input.subarray(at, at + QUANTUM), output);
    const probe = new StateProbe(model.streams);
    const shown = new Float32Array(scope.SCOPE_SIZE);
    probe.read(shown, scope.STATE);
    const saved = snapshotNumbers(model.streams[0]!.snapshot());
    expect(probe.sections.length).toBeGreaterThan(0);
    let loudest = 0;
    for (const { path, at, length } of probe.sections) {
      const from = scope.STATE + at;
      const wanted = Float32Array.from(saved.get(`${path}:x`)!);
      expect(shown.slice(from, from + length)).toEqual(wanted);
      loudest = wanted.reduce((most, x) => Math.max(most, Math.abs(x)), loudest);
    }
    expect(loudest).toBeGreaterThan(0);
  });
});

test('both ways to the page bring every frame, and count those that there is no room for', () => {
  const sent: { message: unknown; transfer: unknown[] }[] = [];
  let listener: (event: { data: unknown }) => void = () => undefined;
  const tap = new MessageTap({ postMessage: (message, transfer) => void sent.push({ message, transfer }) });
  const back: unknown[] = [];
  const reader = messageReader({
    postMessage: (message) => void back.push(message),
    addEventListener: (_type, hearer) => (listener = hearer),
  });
  const before = Float32Array.from({ length: QUANTUM }, (_, k) => k);
  const after = before.map((x) => -x);
  const quanta = 100;
  for (let i = 0; i < quanta; i++) tap.write(before, after);
  // Buffers change hands: the worklet keeps none of what it sent.
  for (const { message, transfer } of sent) {
    expect(transfer.length).toBe(2);
    listener({ data: message });
  }
  const got: number[] = [];
  reader.read((block) => got.push(...block));
  expect(got.length).toBe(2 * 2048 * Math.floor((quanta * QUANTUM) / 2048));
  expect(got.slice(0, 8)).toEqual([0, -0, 1, -1, 2, -2, 3, -3]);
  expect(back.length).toBe(sent.length);
  expect(tap.dropped).toBe(0);
  // Nobody sends them back any more: 64 batches, then frames are lost, one by one counted.
  sent.length = 0;
  for (const batch of back) tap.take(batch as never);
  const room = 64 * 2048 - ((quanta * QUANTUM) % 2048);
  for (let frames = 0; frames < room + 10 * QUANTUM; frames += QUANTUM) tap.write(before, after);
  expect(tap.dropped).toBe(10 * QUANTUM);
});

test('a gate cuts words out of a sound, and a word gets the scores of its own frames', () => {
  const model = modelOf('digits');
  const tone = (seconds: number, level: number): Float32Array =>
    sine(440, seconds).map((x, k) => level * x * (1 + 0.5 * Math.sin(k / 700)));
  const parts = [tone(0.5, 0.001), tone(0.4, 0.5), tone(0.6, 0.001), tone(0.3, 0.4), tone(0.6, 0.001)];
  const sound = Float32Array.from(parts.flatMap((part) => [...part]));
  const output = new Float32Array(QUANTUM);
  const answers: number[][] = [];
  let words = 0;
  for (let at = 0; at + QUANTUM <= sound.length; at += QUANTUM) {
    model.process(sound.subarray(at, at + QUANTUM), output);
    expect(output).toEqual(sound.subarray(at, at + QUANTUM));
    const results = [...model.results!];
    const heard = results[11] ?? 0;
    if (heard === words) continue;
    words = heard;
    answers.push(results.slice(0, 10));
  }
  expect(words).toBe(2);
  expect(answers[0]).not.toEqual(answers[1]);
  expect(answers.flat().every(Number.isFinite)).toBe(true);
});

test('percentiles of work are upper bounds by no more than a bin', () => {
  const meter = new WorkMeter(2667);
  for (let i = 0; i < 999; i++) meter.record(100);
  meter.record(3000);
  expect(meter.percentile(0.999)).toBe(104);
  expect(meter.percentile(1)).toBe(3000);
  expect(meter.late).toBe(1);
  expect(meter.load).toBeCloseTo((999 * 100 + 3000) / 1000 / 2667, 12);
});

test('half the bits of the weights change the sound by less than −50 dB', async () => {
  const weights = weightsIn(folder, 'denoiser');
  const rounded = modelOf('denoiser');
  const blurred = new Map(
    [...weights.parameters].map(([key, values]) => [
      key,
      values.map((w, i) => w * (1 + 2 ** -11 * Math.sin(i))),
    ]),
  );
  const exact = models.liveModel('denoiser', { ...weights, parameters: blurred }, context);
  const input = sine(440, 0.5);
  const [a, b] = [rounded, exact].map((model) => {
    const output = new Float32Array(input.length);
    const quantum = new Float32Array(QUANTUM);
    for (let at = 0; at + QUANTUM <= input.length; at += QUANTUM) {
      model.process(input.subarray(at, at + QUANTUM), quantum);
      output.set(quantum, at);
    }
    return output;
  });
  const power = (x: Float32Array): number => x.reduce((sum, value) => sum + value * value, 0);
  expect(10 * Math.log10(power(a!.map((x, i) => x - b![i]!)) / power(a!))).toBeLessThan(-50);
});
