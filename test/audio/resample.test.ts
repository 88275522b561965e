import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createResampler, type ResampleQuality, type ResamplerOptions } from '../../src/audio/index.ts';
import { besselI0, kaiser } from '../../src/audio/kaiser.ts';
import { ArgumentError, StreamError } from '../../src/errors.ts';

/** All of the output, with the input cut to blocks of the given numbers of frames, over and over. */
function resample(
  options: ResamplerOptions,
  input: Float32Array,
  cuts: readonly number[] = [1024],
): Float32Array {
  const resampler = createResampler(options);
  const out: number[] = [];
  for (let at = 0, i = 0; at < input.length; i++) {
    const next = at + cuts[i % cuts.length]! * options.channels;
    for (const x of resampler.process(input.subarray(at, next))) out.push(x);
    at = next;
  }
  for (const x of resampler.end()) out.push(x);
  return Float32Array.from(out);
}

const decibels = (power: number): number => 10 * Math.log10(power);
const power = (x: Float32Array): number => x.reduce((sum, v) => sum + v * v, 0) / x.length;
const tone = (hertz: number, rate: number, frames: number): Float32Array =>
  Float32Array.from({ length: frames }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate));

const pairs = [
  [44_100, 48_000],
  [48_000, 44_100],
  [48_000, 16_000],
  [8000, 16_000],
  [22_050, 16_000],
  [16_000, 48_000],
  [44_100, 44_101],
] as const;
/** What the doc comment promises: pass band, error and folding in dB. */
const promises: [ResampleQuality, number, number, number][] = [
  ['fast', 0.85, 99, -99],
  ['good', 0.9, 108, -109.9],
  ['best', 0.95, 130, -129],
];

describe.each(pairs)('%i → %i Hz', (from, to) => {
  const nyquist = Math.min(from, to) / 2;
  const frames = Math.floor(from / 3);

  test.each(promises)(
    '%s: sines up to %d of the band come out at their times, the rest is gone',
    (quality, passband, snr, folding) => {
      const options = { from, to, channels: 1, quality };
      const { latency } = createResampler(options);
      // Clear of both ends, where the signal begins and stops abruptly.
      const edge = Math.ceil((latency * to) / from) + 1;
      for (const share of [0.003, 0.2, 0.5, 0.8, 0.999].map((s) => s * passband)) {
        const hertz = share * nyquist;
        const out = resample(options, tone(hertz, from, frames)).slice(edge, -edge);
        const error = out.map((x, i) => x - 0.5 * Math.sin((2 * Math.PI * hertz * (i + edge)) / to));
        expect(decibels(power(out) / power(error))).toBeGreaterThan(snr);
      }
      for (const hertz of [1.001, 1.05, 1.3, 1.9, 2.9].map((s) => s * nyquist)) {
        if (hertz >= from / 2) continue;
        const out = resample(options, tone(hertz, from, frames)).slice(edge, -edge);
        expect(decibels(power(out) / 0.125)).toBeLessThan(folding);
      }
    },
  );

  test('a swept sine', () => {
    // Phase π·k·t²: from 0 Hz to nine tenths of the band.
    const seconds = 0.5;
    const slope = (0.9 * nyquist) / seconds;
    const at = (t: number): number => 0.5 * Math.sin(Math.PI * slope * t * t);
    const input = Float32Array.from({ length: Math.floor(from * seconds) }, (_, i) => at(i / from));
    const options = { from, to, channels: 1 };
    const edge = 2 * Math.ceil((createResampler(options).latency * to) / from);
    const out = resample(options, input).slice(edge, -edge);
    const error = out.map((x, i) => x - at((i + edge) / to));
    expect(decibels(power(out) / power(error))).toBeGreaterThan(90);
  });

  test('an impulse comes out where it went in, symmetric around its moment', () => {
    const divisor = ((a: number, b: number): number => {
      while (b > 0) [a, b] = [b, a % b];
      return a;
    })(from, to);
    // A frame of the input that falls on a frame of the output.
    const [m, l] = [from / divisor, to / divisor];
    const k = Math.max(1, Math.ceil(600 / m));
    const input = new Float32Array(k * m + 700);
    input[k * m] = 1;
    const out = resample({ from, to, channels: 1 }, input);
    const centre = k * l;
    expect(out.reduce((best, x, i) => (x > out[best]! ? i : best), 0)).toBe(centre);
    for (let d = 1; d < Math.min(200, out.length - centre, centre); d++) {
      expect(Math.abs(out[centre + d]! - out[centre - d]!)).toBeLessThan(1e-6);
    }
  });

  test('any cutting gives the same bits, and ⌈n · to / from⌉ frames', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3000 }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 6 }),
        fc.constantFrom<ResampleQuality>('fast', 'good', 'best'),
        (n, channels, cuts, quality) => {
          const input = Float32Array.from({ length: n * channels }, (_, i) => Math.sin(i * i * 0.01));
          const options = { from, to, channels, quality };
          const whole = resample(options, input, [Math.max(1, n)]);
          expect(whole.length).toBe(Math.ceil((n * to) / from) * channels);
          expect(resample(options, input, cuts)).toEqual(whole);
          expect(resample(options, input, [1])).toEqual(whole);
        },
      ),
      { seed: 20_246, numRuns: 12 },
    );
  });
});

test('channels do not touch each other', () => {
  const a = tone(440, 44_100, 2000);
  const b = tone(1000, 44_100, 2000).map((x) => -x);
  const both = Float32Array.from({ length: 4000 }, (_, i) => (i % 2 === 0 ? a : b)[i >> 1]!);
  const options = { from: 44_100, to: 16_000, channels: 1 };
  const out = resample({ ...options, channels: 2 }, both, [100, 7]);
  expect(out.filter((_, i) => i % 2 === 0)).toEqual(resample(options, a));
  expect(out.filter((_, i) => i % 2 === 1)).toEqual(resample(options, b));
});

test('a constant stays what it is', () => {
  const out = resample({ from: 44_100, to: 48_000, channels: 1 }, new Float32Array(4000).fill(0.75));
  expect(out.slice(200, -200).every((x) => Math.abs(x - 0.75) <= 2 ** -24)).toBe(true);
});

test('latency: an output comes when that many frames after its moment are there, and not before', () => {
  for (const [from, to] of pairs) {
    const resampler = createResampler({ from, to, channels: 1 });
    const { latency } = resampler;
    for (let received = 1, given = 0; received <= latency + 500; received++) {
      given += resampler.process(new Float32Array(1)).length;
      expect(given).toBe(received > latency ? Math.ceil(((received - latency) * to) / from) : 0);
    }
  }
});

test('memory does not grow with time, and ten minutes end on their frame', () => {
  const resampler = createResampler({ from: 11_025, to: 8000, channels: 1, quality: 'fast' });
  const block = new Float32Array(11_025);
  let frames = 0;
  const before = process.memoryUsage().arrayBuffers;
  for (let second = 0; second < 600; second++) frames += resampler.process(block).length;
  frames += resampler.end().length;
  expect(frames).toBe(600 * 8000);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
});

test('equal rates: the same samples, fresh arrays', () => {
  const resampler = createResampler({ from: 16_000, to: 16_000, channels: 2 });
  const input = Float32Array.of(1, 2, 3, 4);
  const out = resampler.process(input);
  expect(out).toEqual(input);
  expect(out.buffer).not.toBe(input.buffer);
  expect(resampler.latency).toBe(0);
  expect(resampler.end().length).toBe(0);
  expect(() => resampler.process(input)).toThrow(StreamError);
});

test('mistakes are named', () => {
  expect(() => createResampler({ from: 0, to: 1, channels: 1 })).toThrow(ArgumentError);
  expect(() => createResampler({ from: 44_100.5, to: 1, channels: 1 })).toThrow('44100.5');
  expect(() => createResampler({ from: 1, to: 2, channels: 0 })).toThrow('channels: 0');
  expect(() => createResampler({ from: 1, to: 2, channels: 1, quality: 'x' as never })).toThrow("'x'");
  const resampler = createResampler({ from: 2, to: 1, channels: 2 });
  expect(() => resampler.process(new Float32Array(3))).toThrow('2 channels');
  resampler.end();
  expect(resampler.end().length).toBe(0);
  expect(() => resampler.process(new Float32Array(2))).toThrow(StreamError);
});

test('the Kaiser window: values of I0 from Abramowitz and Stegun, table 9.8, and its ends', () => {
  // The table lists e^-x I0(x).
  for (const [x, scaled] of [
    [0, 1],
    [1, 0.4657596077],
    [2, 0.3085083225],
    [5, 0.1835408126],
    [10, 0.1278333371],
  ] as const) {
    expect(besselI0(x) * Math.exp(-x)).toBeCloseTo(scaled, 9);
  }
  expect(kaiser(0, 12)).toBe(1);
  expect(kaiser(1, 12)).toBeCloseTo(1 / besselI0(12), 15);
  expect(kaiser(1.01, 12)).toBe(0);
});
