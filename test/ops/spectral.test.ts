import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ArgumentError, GraphError } from '../../src/errors.ts';
import { random } from '../../src/init/index.ts';
import { periodicWindow } from '../../src/math/window.ts';
import {
  add,
  inverseStft,
  melFilterBank,
  melSpectrogram,
  mul,
  stft,
  type MelOptions,
  type StftOptions,
} from '../../src/ops/index.ts';
import type { Model } from '../../src/signal/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { opModel, verifyOp } from '../contract/op.ts';
import { relativeError } from '../contract/stream.ts';

/** Figures of librosa; how they were made is said in `note`. */
const librosa = JSON.parse(
  readFileSync(new URL('../../fixtures/spectral/librosa.json', import.meta.url), 'utf8'),
) as {
  readonly x: number[];
  readonly stft: (Required<StftOptions> & { stft: number[][]; masked: number[][]; istft: number[] })[];
  readonly mel: (Required<MelOptions> & { bins: number; bank: number[] })[];
};

const short: [string, StftOptions][] = [
  ['causal, a power of two', { size: 8, hop: 2 }],
  ['causal, a hop that does not divide the window', { size: 12, hop: 5, window: 'hamming' }],
  ['causal, odd', { size: 9, hop: 3, window: 'blackman' }],
  ['centred', { size: 8, hop: 4, padding: 'centre' }],
  ['valid', { size: 10, hop: 3, window: 'hamming', padding: 'valid' }],
  ['without overlap', { size: 4, hop: 4, window: 'rectangular' }],
];
for (const [name, options] of short) {
  verifyOp({
    name: `stft, ${name}`,
    inputs: { input: [1] },
    build: (_t, { input }) => stft(input!, options),
    frames: 700,
  });
  const bins = Math.floor(options.size / 2) + 1;
  verifyOp({
    name: `inverse stft, ${name}`,
    inputs: { input: [2, 2, bins] },
    build: (_t, { input }) => inverseStft(input!, options),
    frames: 200,
  });
  // With a window that does not vanish at its edge, every sample does need what the graph says it waits for.
  const frames: StftOptions = { ...options, window: 'hamming' };
  verifyOp({
    name: `stft and back, ${name}, a mask between`,
    inputs: { input: [2] },
    build: (t, { input }) =>
      inverseStft(mul(stft(input!, frames), t.parameter('mask', [2, 1, bins])), frames),
    frames: 700,
  });
}
verifyOp({
  name: 'stft with hops longer than the window',
  inputs: { input: [1] },
  build: (_t, { input }) => stft(input!, { size: 4, hop: 7 }),
  frames: 700,
});
verifyOp({
  name: 'a residual around a spectral filter waits for it',
  inputs: { input: [1] },
  build: (t, { input }) => {
    const frames: StftOptions = { size: 16, hop: 4, window: 'vorbis' };
    return add(inverseStft(mul(stft(input!, frames), t.parameter('mask', [1, 9])), frames), mul(input!, 0.5));
  },
  frames: 700,
});
verifyOp({
  name: 'mel spectrogram',
  inputs: { input: [2] },
  build: (_t, { input }) => melSpectrogram(input!, { size: 32, hop: 8, mels: 4, sampleRate: 800 }),
  frames: 700,
});
verifyOp({
  name: 'mel spectrogram of magnitudes',
  inputs: { input: [1] },
  build: (_t, { input }) => melSpectrogram(input!, { size: 16, hop: 8, mels: 3, sampleRate: 800, power: 1 }),
  frames: 700,
});

const spectra = (options: StftOptions, channels = 1): Model =>
  opModel({
    name: 'spectra',
    inputs: { input: [channels] },
    build: (_t, { input }) => stft(input!, options),
  });
const inverse = (options: StftOptions): Model =>
  opModel({
    name: 'inverse',
    inputs: { input: [2, Math.floor(options.size / 2) + 1] },
    build: (_t, { input }) => inverseStft(input!, options),
  });
const pair = (options: StftOptions, channels = 1): Model =>
  opModel({
    name: 'pair',
    inputs: { input: [channels] },
    build: (_t, { input }) => inverseStft(stft(input!, options), options),
  });
const noise = (length: number): Float64Array => {
  const source = random(3);
  return Float64Array.from({ length }, () => source.normal());
};

describe('stft against librosa', () => {
  it.each(librosa.stft)(
    '$padding $window of $size by $hop',
    ({ stft: official, masked, istft, ...options }) => {
      const { output } = evaluate(spectra(options), {}, { input: Float64Array.from(librosa.x) });
      expect(relativeError(output!, official.flat())).toBeLessThan(1e-14);
      const back = evaluate(inverse(options), {}, { input: Float64Array.from(masked.flat()) });
      expect(relativeError(back['output']!, istft)).toBeLessThan(1e-12);
    },
  );

  it.each(librosa.mel)('$mels filters, $scale, $norm', ({ bank, bins, ...options }) => {
    expect(relativeError(melFilterBank(bins, options), bank)).toBeLessThan(1e-12);
  });
});

describe('stft', () => {
  it.each([1, 2, 3, 4, 5, 7, 30, 64, 100, 320, 961])('of %s samples is the sum that defines it', (size) => {
    const x = noise(size);
    const { output } = evaluate(spectra({ size, hop: size, window: 'rectangular' }), {}, { input: x });
    const bins = Math.floor(size / 2) + 1;
    const expected = new Float64Array(2 * bins);
    for (let k = 0; k < bins; k++) {
      for (let n = 0; n < size; n++) {
        // k n modulo N keeps the angle small, and so exact.
        const angle = (2 * Math.PI * ((k * n) % size)) / size;
        expected[k]! += x[n]! * Math.cos(angle);
        expected[bins + k]! -= x[n]! * Math.sin(angle);
      }
    }
    expect(relativeError(output!, expected)).toBeLessThan(1e-13);
  });

  it('a causal spectrum is complete with its hop, and the first ones see zeros before the signal', () => {
    const options: StftOptions = { size: 8, hop: 2, window: periodicWindow('hann', 8) };
    const stream = compile(spectra(options), {}, { precision: 'float64' });
    const x = noise(8);
    expect(stream.push(x.subarray(0, 1))).toHaveLength(0);
    const first = stream.push(x.subarray(1, 2));
    const padded = new Float64Array([0, 0, 0, 0, 0, 0, x[0]!, x[1]!]);
    const valid = evaluate(spectra({ ...options, padding: 'valid' }), {}, { input: padded })['output']!;
    expect(first).toEqual(valid);
    expect(stream.latency).toBe(1);
  });

  it('channels do not mix', () => {
    const x = noise(60);
    const both = Float64Array.from({ length: 120 }, (_, i) => (i % 2 === 0 ? x[i >> 1]! : 0));
    const options: StftOptions = { size: 8, hop: 4 };
    const one = evaluate(spectra(options), {}, { input: x })['output']!;
    const two = evaluate(spectra(options, 2), {}, { input: both })['output']!;
    const [width, frames] = [10, one.length / 10];
    for (let j = 0; j < frames; j++) {
      expect(two.subarray(2 * j * width, (2 * j + 1) * width)).toEqual(
        one.subarray(j * width, (j + 1) * width),
      );
      expect(Math.max(...two.subarray((2 * j + 1) * width, (2 * j + 2) * width).map(Math.abs))).toBe(0);
    }
  });

  it('refuses what does not fit, by name', () => {
    const build = (options: StftOptions) => () => evaluate(spectra(options), {}, { input: noise(50) });
    expect(build({ size: 0, hop: 1 })).toThrow(/stft of input.*size is 0/);
    expect(build({ size: 8, hop: 1.5 })).toThrow(/hop is 1\.5/);
    expect(build({ size: 8, hop: 4, window: 'han' as 'hann' })).toThrow(
      /window "han" is unknown; use one of hann/,
    );
    expect(build({ size: 8, hop: 4, window: [1, 2] })).toThrow(/the window has 2 numbers, the spectrum 8/);
    expect(build({ size: 2, hop: 1, window: [1, Number.NaN] })).toThrow(/number 1 is NaN/);
    expect(build({ size: 8, hop: 4, padding: 'same' as 'valid' })).toThrow(/padding "same" is unknown/);
  });
});

describe('stft and back', () => {
  const invertible: [StftOptions, number][] = [
    // Options and, of 203 samples, how many come back.
    [{ size: 32, hop: 8 }, 200 - 24],
    [{ size: 32, hop: 16, window: 'sqrt-hann' }, 192 - 16],
    [{ size: 32, hop: 16, window: 'vorbis' }, 192 - 16],
    [{ size: 30, hop: 8, window: 'hamming' }, 200 - 22],
    [{ size: 31, hop: 7, window: 'blackman' }, 203 - 24],
    [{ size: 10, hop: 10, window: 'rectangular' }, 200],
    [{ size: 32, hop: 8, padding: 'centre' }, 200],
    [{ size: 20, hop: 10, padding: 'centre' }, 200],
    [{ size: 32, hop: 8, window: 'hamming', padding: 'valid' }, 200],
  ];
  it.each(invertible)('%o gives the signal back, at its own time', (options, count) => {
    const x = noise(203 * 2);
    const { output } = evaluate(pair(options, 2), {}, { input: x });
    expect(output!.length / 2).toBe(count);
    expect(relativeError(output!, x.subarray(0, output!.length))).toBeLessThan(1e-12);
    const float32 = compile(pair(options, 2), {});
    const streamed = [...float32.push(Float32Array.from(x)), ...float32.flush()];
    // The edges of a valid sum are divided by a small window.
    expect(relativeError(streamed, x.subarray(0, output!.length))).toBeLessThan(
      options.padding === 'valid' ? 1e-5 : 1e-6,
    );
  });

  it('causal: a hop in, a hop out, size − hop samples behind; no sample could come sooner', () => {
    const [size, hop] = [32, 8];
    const stream = compile(pair({ size, hop }), {});
    for (let n = hop; n < 200; n += hop) {
      const came = stream.push(new Float32Array(hop)).length;
      expect(came).toBe(n <= size - hop ? 0 : hop);
    }
    // Sample t is part of a window that begins with it.
    expect(stream.latency).toBe(size - 1);
  });

  it('appended zeros bring out the last samples', () => {
    const options: StftOptions = { size: 32, hop: 8 };
    const model: Model = {
      ...pair(options),
      endPadding: (frames) => 24 + ((8 - (frames % 8)) % 8),
    };
    const x = noise(203);
    const { output } = evaluate(model, {}, { input: x });
    expect(output!.length).toBe(208);
    expect(relativeError(output!.subarray(0, 203), x)).toBeLessThan(1e-12);
  });

  it('refuses windows that cannot be undone, by name', () => {
    const build = (options: StftOptions) => () => evaluate(pair(options), {}, { input: noise(99) });
    expect(build({ size: 16, hop: 16 })).toThrow(GraphError);
    expect(build({ size: 16, hop: 16 })).toThrow(
      /the hann window of 16 samples with a hop of 16 .* sample 0 \(NOLA\)/,
    );
    expect(build({ size: 16, hop: 4, padding: 'valid' })).toThrow(
      /hann window vanishes at its edge.*padding causal/,
    );
    expect(build({ size: 16, hop: 20 })).toThrow(/a hop of 20 leaves gaps/);
    expect(build({ size: 16, hop: 12, window: 'hamming', padding: 'centre' })).toThrow(
      /use a hop of at most 8/,
    );
    const hole = new Float64Array(8).fill(1).fill(0, 2, 4);
    expect(build({ size: 8, hop: 8, window: hole })).toThrow(/the window of 8 samples.*sample 2 \(NOLA\)/);
    expect(build({ size: 8, hop: 4, window: hole })).not.toThrow();
    expect(() => evaluate(inverse({ size: 8, hop: 4 }), {}, { input: new Float64Array(10) })).not.toThrow();
    const wrong = opModel({
      name: 'm',
      inputs: { input: [2, 4] },
      build: (_t, { input }) => inverseStft(input!, { size: 8, hop: 4 }),
    });
    expect(() => evaluate(wrong, {}, { input: new Float64Array(8) })).toThrow(
      /\(2 × 4\) is no spectrum of 8 samples; give \(2 × 5\)/,
    );
  });
});

describe('mel filters', () => {
  it('scales agree with their published points', () => {
    // A filter's peak stands on a bin where its centre does: 1000 Hz is 15 mel of Slaney, 999.99 of HTK.
    const centre = (scale: 'htk' | 'slaney'): number => {
      const bank = melFilterBank(2001, { mels: 1, sampleRate: 4000, low: 0, high: 2000, scale });
      return bank.indexOf(Math.max(...bank));
    };
    // Half of mel(2000 Hz): 1521.36/2 → 674.9 Hz; (15 + 27 ln 2/ln 6.4)/2 = 12.54 → 836.1 Hz.
    expect(centre('htk')).toBe(675);
    expect(centre('slaney')).toBe(836);
  });

  it('refuses what does not fit, by name', () => {
    const bank =
      (options: Partial<MelOptions>, bins = 65) =>
      () =>
        melFilterBank(bins, { mels: 8, sampleRate: 16_000, ...options });
    expect(bank({ mels: 0 })).toThrow(ArgumentError);
    expect(bank({ high: 9000 })).toThrow(/filters from 0 to 9000 Hz.*8000/);
    expect(bank({ low: 500, high: 400 })).toThrow(/low < high/);
    expect(bank({ sampleRate: 0 })).toThrow(/sampleRate is 0/);
    expect(bank({ scale: 'bark' as 'htk' })).toThrow(/scale "bark" is unknown/);
    expect(bank({ norm: 'slaney' as 'area' })).toThrow(/norm "slaney" is unknown/);
    expect(bank({}, 1)).toThrow(/bins is 1/);
    const mels = (size: number) => () =>
      evaluate(
        opModel({
          name: 'm',
          inputs: { input: [1] },
          build: (_t, { input }) => melSpectrogram(input!, { size, hop: 4, mels: 2, sampleRate: 100 }),
        }),
        {},
        { input: noise(20) },
      );
    expect(mels(9)).toThrow(/size is 9; give an even one/);
    expect(mels(8)).not.toThrow();
  });
});
