import { describe, expect, it } from 'vitest';
import { bilinear } from '../../src/discretize/index.ts';
import { random } from '../../src/init/index.ts';
import { biquadFilter, filter, initialise, resonator, s4d, s5 } from '../../src/layers/index.ts';
import type { Model } from '../../src/signal/index.ts';
import { compile, snapshotNumbers, type Stream } from '../../src/stream/index.ts';
import { greatestLine } from '../support/spectrum.ts';

// A sine of 1 kHz while a slider is drawn from 200 Hz to 8 kHz within two seconds, 60 messages a second.
const RATE = 48_000;
const FRAMES = 2 * RATE;
const STEP = 800;
const [LOW, HIGH] = [200, 8000];

const sine = Float32Array.from({ length: FRAMES }, (_, k) => Math.sin((2 * Math.PI * 1000 * k) / RATE));
const frequencyAfter = (frames: number): number => LOW * (HIGH / LOW) ** (frames / FRAMES);
const decibels = (value: number): number => 20 * Math.log10(value);

function sweep(stream: Stream, move: (stream: Stream, frame: number) => void): Float64Array {
  const output = new Float64Array(FRAMES);
  for (let k = 0; k < FRAMES; k += STEP) {
    move(stream, k + STEP);
    stream.process(sine.subarray(k, k + STEP), output.subarray(k, k + STEP));
  }
  return output;
}

/**
 * The ideal: a state-variable filter whose frequency moves with every sample, after V. Zavalishin, "The Art of VA Filter
 * Design", §4.2; g and k by frame, and what goes out of its input, band and low.
 */
function ideal(
  angle: (frequency: number) => number,
  k: number,
  mix: (u: number, band: number, low: number) => number,
): Float64Array {
  let [s1, s2] = [0, 0];
  return Float64Array.from(sine, (u, frame) => {
    const g = angle(frequencyAfter(frame + 1));
    const band = (s1 + g * (u - s2)) / (1 + g * (g + k));
    const low = s2 + g * band;
    [s1, s2] = [2 * band - s1, 2 * low - s2];
    return mix(u, band, low);
  });
}

const prewarped = (frequency: number): number => Math.tan((Math.PI * frequency) / RATE);
const A = 10 ** (18 / 40);

const filters: readonly {
  name: string;
  model: Model;
  control: string;
  expected: () => Float64Array;
}[] = [
  {
    name: 'a resonant low-pass of 18 dB',
    model: biquadFilter([{ type: 'lowpass', frequency: LOW, Q: 18 }]),
    control: 'frequency',
    expected: () => ideal(prewarped, 1 / 10 ** (18 / 20), (_u, _band, low) => low),
  },
  {
    name: 'a peak of 18 dB',
    model: biquadFilter([{ type: 'peaking', frequency: LOW, Q: 8, gain: 18 }]),
    control: 'frequency',
    expected: () => ideal(prewarped, 1 / (8 * A), (u, band) => u + ((A * A - 1) / (8 * A)) * band),
  },
  {
    name: 'a resonator, bilinear and unwarped',
    model: resonator({ frequency: LOW, damping: 0.06, discretization: bilinear }),
    control: 'frequency',
    expected: () =>
      ideal(
        (frequency) => (Math.PI * frequency) / RATE,
        0.12,
        (_u, _band, low) => low,
      ),
  },
  {
    name: 'a Butterworth low-pass',
    model: filter({ family: 'butterworth', order: 2, type: 'lowpass', cutoff: LOW }),
    control: 'cutoff',
    expected: () => ideal(prewarped, Math.SQRT2, (_u, _band, low) => low),
  },
];

const nearTheSine = (frequency: number): boolean => Math.abs(frequency - 1000) < 200;

describe.each(filters)('$name, swept', ({ model, control, expected }) => {
  it('is the filter that moves with every sample, to −90 dB of the sine', () => {
    const stream = compile(model, {}, { sampleRate: RATE });
    const y = sweep(stream, (to, frame) => to.set(control, frequencyAfter(frame), { ramp: STEP }));
    const wanted = expected();
    const worst = y.reduce((most, value, k) => Math.max(most, Math.abs(value - wanted[k]!)), 0);
    expect(decibels(worst)).toBeLessThan(-90);
  });

  it('adds nothing beside the sine above −120 dB, and without a ramp a great deal', () => {
    const smooth = sweep(compile(model, {}, { sampleRate: RATE }), (to, frame) =>
      to.set(control, frequencyAfter(frame), { ramp: STEP }),
    );
    expect(greatestLine(smooth, RATE, nearTheSine)).toBeLessThan(-120);
    const stepped = sweep(compile(model, {}, { sampleRate: RATE }), (to, frame) =>
      to.set(control, frequencyAfter(frame)),
    );
    expect(greatestLine(stepped, RATE, nearTheSine)).toBeGreaterThan(-60);
  });
});

it.each([
  [
    'an elliptic low-pass of order 7',
    filter({ family: 'elliptic', order: 7, type: 'lowpass', ripple: 1, attenuation: 80, cutoff: LOW }),
    'cutoff',
  ],
  ['a resonator, zoh', resonator({ frequency: LOW, damping: 0.06 }), 'frequency'],
] as const)('%s, swept, adds nothing beside the sine above −120 dB', (_, model, control) => {
  const y = sweep(compile(model, {}, { sampleRate: RATE }), (to, frame) =>
    to.set(control, frequencyAfter(frame), { ramp: STEP }),
  );
  expect(greatestLine(y, RATE, nearTheSine)).toBeLessThan(-120);
});

it('never makes a state longer, however its controls are thrown about', () => {
  for (const model of [
    resonator({ frequency: 500, damping: 0.01 }),
    biquadFilter([{ type: 'peaking', Q: 30, gain: 20 }]),
  ]) {
    const stream = compile(model, {}, { sampleRate: RATE, precision: 'float64' });
    const source = random(5);
    stream.push(Float64Array.from({ length: 1000 }, () => source.normal()));
    const size = (): number =>
      [...snapshotNumbers(stream.snapshot())]
        .filter(([name]) => name.endsWith(':x'))
        .reduce((sum, [, x]) => sum + x.reduce((all, value) => all + value * value, 0), 0);
    let last = size();
    const [first, second] = stream.controls;
    for (let round = 0; round < 300; round++) {
      stream.set(first!.name, 20 * 1000 ** source.uniform(0, 1), { ramp: Math.floor(source.uniform(0, 90)) });
      const next = second!.name === 'damping' ? 10 ** source.uniform(-4, 1) : source.uniform(-2000, 0);
      stream.set(second!.name, next, { ramp: Math.floor(source.uniform(0, 90)) });
      stream.push(new Float64Array(Math.floor(source.uniform(1, 60))));
      expect(size()).toBeLessThanOrEqual(last * (1 + 1e-12));
      last = size();
    }
  }
});

describe('a crossfade between layers of many modes', () => {
  // What the gates of S4D make of one sine are its harmonics.
  const besideHarmonics = (width: number) => (frequency: number) =>
    Math.abs(frequency - 1000 * Math.round(frequency / 1000)) < width;
  const swept = (
    model: Model,
    name: string,
    to: (base: Float64Array) => (part: number) => Float64Array,
  ): Float64Array => {
    const parameters = initialise(model, 1);
    const at = to(Float64Array.from(parameters.get(name)!));
    const stream = compile(model, parameters, { sampleRate: RATE, warmUp: false });
    return sweep(stream, (target, frame) => {
      expect(target.set(name, at(frame / FRAMES), { ramp: STEP }).by).toBe('crossfade');
    });
  };
  const towards = (model: Model, name: string) => {
    const end = initialise(model, 2).get(name)!;
    return (base: Float64Array) => (part: number) => base.map((value, i) => value + (end[i]! - value) * part);
  };
  const twiceAsSlow = (base: Float64Array) => (part: number) =>
    base.map((value) => value + Math.LN2 * (part - 0.5));

  it.each([
    ['s4d 32, read-out', s4d({ features: 1, states: 32 }), 'kernel.C', 100, -120],
    ['s5 32, read-out', s5({ features: 1, states: 32 }), 'C', 100, -120],
    ['s5 32, time constants doubled', s5({ features: 1, states: 32 }), 'log_step', 100, -80],
    ['s4d 32, time constants doubled', s4d({ features: 1, states: 32 }), 'kernel.log_dt', 200, -80],
  ] as const)('%s', (_, model, name, width, most) => {
    const isTime = name === 'log_step' || name === 'kernel.log_dt';
    const y = swept(model, name, isTime ? twiceAsSlow : towards(model, name));
    expect(greatestLine(y, RATE, besideHarmonics(width))).toBeLessThan(most);
  });
});
