import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dbfs, fromDbfs, peak, rms, siSdr, snr } from '../../src/audio/index.ts';
import { ArgumentError } from '../../src/errors.ts';

const sine = (n: number, cycles: number, amplitude = 1): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => amplitude * Math.sin((2 * Math.PI * cycles * i) / n));

test('a full-scale sine is at −3.01 dBFS and peaks at 0', () => {
  const x = sine(1000, 10);
  expect(dbfs(rms(x))).toBeCloseTo(10 * Math.log10(0.5), 9);
  expect(dbfs(peak(x))).toBeCloseTo(0, 9);
  expect(dbfs(peak([0.25, -0.5]))).toBeCloseTo(-6.0206, 4);
  expect([rms([]), peak([]), dbfs(0)]).toEqual([0, 0, -Infinity]);
  expect(fromDbfs(dbfs(0.3))).toBeCloseTo(0.3, 14);
});

describe('signal to noise', () => {
  const speech = sine(4000, 7, 0.5);
  const noise = sine(4000, 123, 0.05);
  const noisy = speech.map((x, i) => x + noise[i]!);

  test('orthogonal noise a tenth as large: 20 dB, by both measures', () => {
    expect(snr(noisy, speech)).toBeCloseTo(20, 9);
    expect(siSdr(noisy, speech)).toBeCloseTo(20, 9);
  });

  test('SI-SDR does not see gain and offset, SNR does', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 50, noNaN: true }),
        fc.double({ min: -1, max: 1, noNaN: true }),
        (gain, offset) => {
          expect(
            siSdr(
              noisy.map((x) => -gain * x + offset),
              speech,
            ),
          ).toBeCloseTo(20, 6);
        },
      ),
      { seed: 20_247, numRuns: 50 },
    );
    expect(
      snr(
        speech.map((x) => 2 * x),
        speech,
      ),
    ).toBeCloseTo(0, 9);
  });

  test('equal is infinite, nothing in common is −infinite, silence cannot be compared with', () => {
    expect(snr(speech, speech)).toBe(Infinity);
    expect(snr([0, 0], [1, -1])).toBe(0);
    expect(siSdr([1, -1], [1, -1])).toBe(Infinity);
    expect(siSdr([1, 1, -1, -1], [1, -1, -1, 1])).toBe(-Infinity);
    expect(() => siSdr([1, 2], [0.5, 0.5])).toThrow(ArgumentError);
    expect(() => snr([1], [1, 2])).toThrow('1 samples');
  });
});
