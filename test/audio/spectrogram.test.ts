import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createSpectrogram, type Spectrogram, type SpectrogramOptions } from '../../src/audio/index.ts';
import { ArgumentError, StreamError } from '../../src/errors.ts';

function take(
  options: SpectrogramOptions,
  input: Float32Array,
  cuts: readonly number[] = [997],
): Spectrogram {
  const builder = createSpectrogram(options);
  const channels = options.channels ?? 1;
  for (let at = 0, i = 0; at < input.length; i++) {
    const next = at + cuts[i % cuts.length]! * channels;
    builder.push(input.subarray(at, next));
    at = next;
  }
  return builder.end();
}
const noise = (n: number): Float32Array => {
  let state = 12_345;
  return Float32Array.from({ length: n }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 31 - 1;
  });
};

test('is the transform by its definition, window, padding and scale', () => {
  const [n, size, hop] = [150, 32, 8];
  const x = noise(n);
  const s = take({ sampleRate: 1000, fftSize: size, hop }, x);
  expect(s).toMatchObject({
    bins: 17,
    columns: Math.ceil(n / hop),
    secondsPerColumn: 0.008,
    seconds: 0.15,
    fftSize: 32,
  });
  const window = Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  const sum = window.reduce((a, b) => a + b);
  for (let c = 0; c < s.columns; c++) {
    for (let k = 0; k <= size / 2; k++) {
      let [re, im] = [0, 0];
      for (let i = 0; i < size; i++) {
        const v = (x[c * hop - size / 2 + i] ?? 0) * window[i]!;
        re += v * Math.cos((2 * Math.PI * k * i) / size);
        im -= v * Math.sin((2 * Math.PI * k * i) / size);
      }
      const one = k === 0 || k === size / 2 ? 1 : 2;
      const expected = (re * re + im * im) * (one / sum) ** 2;
      expect(Math.abs(s.power[c * s.bins + k]! - expected)).toBeLessThan(1e-6);
    }
  }
});

test('a full-scale sine on a bin is 1 there, −6.02 dB beside it, and nothing elsewhere', () => {
  const x = Float32Array.from({ length: 8192 }, (_, i) => Math.sin((2 * Math.PI * 40 * i) / 512));
  const s = take({ sampleRate: 16_000 }, x);
  expect([s.fftSize, s.bins]).toEqual([512, 257]);
  const column = s.power.slice(20 * s.bins, 21 * s.bins);
  expect(column[40]).toBeCloseTo(1, 5);
  expect(column[39]).toBeCloseTo(0.25, 5);
  expect(column[41]).toBeCloseTo(0.25, 5);
  expect(column.reduce((a, b, k) => a + (Math.abs(k - 40) > 1 ? b : 0), 0)).toBeLessThan(1e-10);
});

test('channels: the mean of their powers, not the power of their mean', () => {
  const x = noise(4000);
  const opposite = Float32Array.from({ length: 8000 }, (_, i) => (i % 2 === 0 ? 1 : -1) * x[i >> 1]!);
  const stereo = take({ sampleRate: 8000, channels: 2 }, opposite);
  const mono = take({ sampleRate: 8000 }, x);
  expect(stereo.power.every((p, i) => Math.abs(p - mono.power[i]!) <= 1e-6 * mono.power[i]!)).toBe(true);
});

describe('streams', () => {
  test('any cutting gives the same bits', () => {
    const x = noise(6000);
    const options = { sampleRate: 8000, fftSize: 64, maxColumns: 50 };
    const whole = take(options, x, [6000]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }), (cuts) => {
        expect(take(options, x, cuts)).toEqual(whole);
      }),
      { seed: 20_248, numRuns: 20 },
    );
  });

  test('long input: at most maxColumns columns, each the mean of what it stands for', () => {
    const x = noise(50_000);
    const fine = take({ sampleRate: 8000, fftSize: 64, maxColumns: 1e6 }, x);
    for (const maxColumns of [1, 7, 50, 64, 3125, 3126]) {
      const coarse = take({ sampleRate: 8000, fftSize: 64, maxColumns }, x);
      expect(coarse.columns).toBeLessThanOrEqual(maxColumns);
      expect(coarse.columns).toBeGreaterThanOrEqual(maxColumns / 2 - 1);
      const group = Math.round(coarse.secondsPerColumn / fine.secondsPerColumn);
      expect(coarse.columns).toBe(Math.ceil(fine.columns / group));
      for (let c = 0; c < coarse.columns; c++) {
        const last = Math.min(fine.columns, (c + 1) * group);
        let sum = 0;
        for (let f = c * group; f < last; f++) sum += fine.power[f * fine.bins + 5]!;
        const mean = sum / (last - c * group);
        expect(Math.abs(coarse.power[c * coarse.bins + 5]! - mean)).toBeLessThan(1e-5 * mean);
      }
    }
  });

  test('an hour fits in what a minute takes', () => {
    const builder = createSpectrogram({ sampleRate: 1000, fftSize: 32, hop: 8, maxColumns: 800 });
    const block = noise(60_000);
    for (let minute = 0; minute < 60; minute++) builder.push(block);
    const s = builder.end();
    expect(s.seconds).toBe(3600);
    expect(s.columns).toBeLessThanOrEqual(800);
    expect(s.columns * s.secondsPerColumn).toBeCloseTo(3600, -1);
  });

  test('shorter than a window, and empty', () => {
    expect(take({ sampleRate: 8000 }, Float32Array.of(1)).columns).toBe(1);
    expect(take({ sampleRate: 8000 }, new Float32Array(0))).toMatchObject({ columns: 0, seconds: 0 });
  });
});

test('mistakes are named', () => {
  expect(() => createSpectrogram({ sampleRate: 0 })).toThrow(ArgumentError);
  expect(() => createSpectrogram({ sampleRate: 8000, fftSize: 100 })).toThrow('fftSize: 100');
  expect(() => createSpectrogram({ sampleRate: 8000, hop: 0 })).toThrow('hop: 0');
  const builder = createSpectrogram({ sampleRate: 8000, channels: 2 });
  expect(() => builder.push(new Float32Array(3))).toThrow('2 channels');
  builder.end();
  expect(() => builder.push(new Float32Array(2))).toThrow(StreamError);
});
