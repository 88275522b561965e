import { describe, expect, it } from 'vitest';
import { ArgumentError, ParameterError } from '../../src/errors.ts';
import {
  bessel,
  designFilter,
  designSections,
  frequencyResponse,
  isStable,
  type FilterFamily,
  type FilterType,
} from '../../src/filters/index.ts';
import { completeIntegral, inverseSc, jacobi, moduliFromNome } from '../../src/filters/elliptic-functions.ts';
import { requireStable } from '../../src/filters/stability.ts';
import { pair, real } from './support.ts';

const spec = { family: 'butterworth', order: 4, type: 'lowpass', cutoff: 1000, sampleRate: 8000 } as const;
const decibels = (magnitude: number) => 20 * Math.log10(magnitude);

describe('what each family promises', () => {
  const passband = Array.from({ length: 400 }, (_, i) => 1 + i * 2.4975);
  const stopband = Array.from({ length: 400 }, (_, i) => 1000 + i * 7.5);

  it('butterworth: -3 dB at the edge, falling', () => {
    const { magnitude } = frequencyResponse(designSections(spec), [1000], 8000);
    expect(magnitude[0]).toBeCloseTo(Math.SQRT1_2, 13);
    const all = frequencyResponse(designSections(spec), passband, 8000).magnitude;
    for (let i = 1; i < all.length; i++) expect(all[i]).toBeLessThan(all[i - 1] + 1e-15);
  });

  it.each([4, 7])('chebyshev1, order %i: ripple fills its band, the edge ends it', (order) => {
    const sections = designSections({ ...spec, family: 'chebyshev1', order, ripple: 2 });
    const gains = [...frequencyResponse(sections, passband, 8000).magnitude].map(decibels);
    expect(Math.max(...gains)).toBeLessThan(1e-9);
    expect(Math.max(...gains)).toBeGreaterThan(-1e-3);
    expect(Math.min(...gains)).toBeGreaterThan(-2 - 1e-9);
    expect(Math.min(...gains)).toBeLessThan(-2 + 1e-2);
    expect(decibels(frequencyResponse(sections, [1000], 8000).magnitude[0])).toBeCloseTo(-2, 11);
  });

  it.each([4, 7])('chebyshev2, order %i: the stopband begins at the edge and stays below', (order) => {
    const sections = designSections({ ...spec, family: 'chebyshev2', order, attenuation: 40 });
    const gains = [...frequencyResponse(sections, stopband, 8000).magnitude].map(decibels);
    expect(gains[0]).toBeCloseTo(-40, 10);
    expect(Math.max(...gains)).toBeLessThan(-40 + 1e-9);
    expect(Math.max(...gains.slice(50))).toBeGreaterThan(-40.1);
  });

  it.each([4, 7])('elliptic, order %i: ripple before the edge, attenuation after its own', (order) => {
    const sections = designSections({ ...spec, family: 'elliptic', order, ripple: 1, attenuation: 50 });
    const gains = [...frequencyResponse(sections, passband, 8000).magnitude].map(decibels);
    expect(Math.max(...gains)).toBeLessThan(1e-9);
    expect(Math.min(...gains)).toBeGreaterThan(-1 - 1e-9);
    expect(decibels(frequencyResponse(sections, [1000], 8000).magnitude[0])).toBeCloseTo(-1, 11);
    const after = [...frequencyResponse(sections, stopband, 8000).magnitude].map(decibels);
    const start = after.findIndex((gain) => gain <= -50);
    expect(start).toBeGreaterThan(0);
    expect(Math.max(...after.slice(start))).toBeLessThan(-50 + 1e-9);
    expect(Math.max(...after.slice(start + 5))).toBeGreaterThan(-50.1);
  });

  it('bessel: poles sum and multiply as the polynomial says, up to order 50', () => {
    for (let order = 1; order <= 50; order++) {
      const { poles } = bessel(order);
      expect(poles).toHaveLength(order);
      let logarithm = 0;
      for (let n = 1; n <= order; n++) logarithm += Math.log(2 * n - 1);
      const radius = Math.exp(logarithm / order);
      const sum = poles.reduce((total, { re }) => total + re * radius, 0);
      expect(sum / ((-order * (order + 1)) / 2)).toBeCloseTo(1, 13);
      expect(poles.reduce((total, { re, im }) => total + Math.log(Math.hypot(re, im)), 0)).toBeCloseTo(0, 11);
      expect(isStable({ zeros: [], poles, gain: 1 }, { analog: true })).toBe(true);
      // Distinct poles: no two roots of the iteration have met.
      expect(new Set(poles.map(({ re, im }) => `${re.toPrecision(8)} ${im.toPrecision(8)}`)).size).toBe(
        order,
      );
    }
  });
});

describe('elliptic functions', () => {
  it('at moduli where they are elementary', () => {
    expect(completeIntegral(1)).toBeCloseTo(Math.PI / 2, 15);
    // K(1/√2) = Γ(1/4)² / (4√π)
    expect(completeIntegral(Math.SQRT1_2)).toBeCloseTo(1.8540746773013719, 14);
    const { sn, cn, dn } = jacobi(0.7, 0, 1);
    expect([sn, cn, dn]).toEqual([Math.sin(0.7), Math.cos(0.7), 1]);
    expect(jacobi(0.7, 1, 1e-300).sn).toBeCloseTo(Math.tanh(0.7), 14);
    expect(jacobi(0.7, 1, 1e-300).dn).toBeCloseTo(1 / Math.cosh(0.7), 14);
  });

  it('invert each other', () => {
    for (const complement of [1e-6, 0.01, 0.5, 0.999]) {
      const modulus = Math.sqrt((1 - complement) * (1 + complement));
      for (const share of [0.1, 0.5, 0.9]) {
        const u = share * completeIntegral(complement);
        const { sn, cn, dn } = jacobi(u, modulus, complement);
        expect(inverseSc(sn / cn, complement) / u).toBeCloseTo(1, 9);
        expect(dn * dn + modulus * modulus * sn * sn).toBeCloseTo(1, 14);
      }
      const logNome = (-Math.PI * completeIntegral(modulus)) / completeIntegral(complement);
      const moduli = moduliFromNome(logNome);
      expect(moduli.complement / complement).toBeCloseTo(1, 13);
      expect(moduli.modulus / modulus).toBeCloseTo(1, 13);
    }
  });
});

describe('refusals', () => {
  it.each<[object, RegExp]>([
    [{ cutoff: 4000 }, /cutoff is 4000 Hz at 8000 Hz: .* below half the sample rate \(4000 Hz\)/],
    [{ cutoff: 5000 }, /5000 Hz/],
    [{ cutoff: 0 }, /cutoff is 0/],
    [{ cutoff: -1 }, /cutoff is -1/],
    [{ cutoff: NaN }, /cutoff is NaN/],
    [{ cutoff: [100, 200] }, /a lowpass needs one frequency/],
    [{ type: 'bandpass' }, /a bandpass needs two/],
    [{ type: 'bandstop', cutoff: [200, 100] }, /lower edge first/],
    [{ type: 'bandpass', cutoff: [100, 4000] }, /4000 Hz/],
    [{ type: 'comb' as FilterType }, /give one of lowpass/],
    [{ family: 'gauss' as FilterFamily }, /give one of butterworth/],
    [{ family: 'toString' as FilterFamily }, /give one of butterworth/],
    [{ order: 0 }, /order is 0/],
    [{ order: 2.5 }, /order is 2.5/],
    [{ ripple: 1 }, /butterworth has none/],
    [{ family: 'chebyshev1' }, /ripple is missing/],
    [{ family: 'chebyshev1', ripple: 0 }, /ripple \(dB\) is 0/],
    [{ family: 'elliptic', ripple: 1 }, /attenuation is missing/],
    [{ family: 'elliptic', ripple: 3, attenuation: 2 }, /raise attenuation/],
    [{ family: 'bessel', order: 51 }, /orders up to 50/],
    [{ family: 'chebyshev2', attenuation: 5000 }, /attenuation is 5000 dB: give at most 1000 dB/],
    [{ order: 400, cutoff: 1 }, /gain of order 400 at 1 is 0/],
    [{ sampleRate: 0 }, /sampleRate \(Hz\) is 0/],
  ])('%j', (change, message) => {
    expect(() => designFilter({ ...spec, ...change })).toThrow(message);
    expect(() => designFilter({ ...spec, ...change })).toThrow(ArgumentError);
  });

  it('of unstable filters', () => {
    expect(isStable([[1, 0, 0, 1, -1.9, 0.95]])).toBe(true);
    expect(isStable([[1, 0, 0, 1, -2, 1]])).toBe(false);
    expect(isStable([[1, 0, 0, 1, 0, 1.01]])).toBe(false);
    expect(isStable([[1, 0, 0, 1, -1, 0]])).toBe(false);
    expect(isStable({ b: [1], a: [2, -1.9] })).toBe(true);
    expect(isStable({ b: [1], a: [1, -2.2, 1.4, -0.1] })).toBe(false);
    expect(isStable({ b: [1], a: [1, 2, 3, 1] }, { analog: true })).toBe(true);
    expect(isStable({ b: [1], a: [1, 1, 1, 1] }, { analog: true })).toBe(false);
    expect(isStable({ b: [1], a: [1, 0, 1] }, { analog: true })).toBe(false);
    expect(isStable({ zeros: [], poles: pair(0.6, 0.81), gain: 1 })).toBe(false);
    expect(isStable({ zeros: [], poles: [real(-1)], gain: 1 }, { analog: true })).toBe(true);
    expect(() => isStable([[1, 0, 0, 1, 0, 0]], { analog: true })).toThrow(ArgumentError);
    expect(() => requireStable([[1, 0, 0, 1, -2.5, 1]], 'lti')).toThrow(/pole at 2 \+ 0i has magnitude 2/);
    expect(() => requireStable([[1, 0, 0, 1, -2.5, 1]], 'lti')).toThrow(ParameterError);
    expect(() => requireStable({ b: [1], a: [1, -3] }, 'lti', { analog: true })).toThrow(/3 rad\/s right/);
    requireStable([[1, 0, 0, 1, 0, 0]], 'lti');
  });

  it('agrees with the roots on random denominators', () => {
    // A fixed linear congruential sequence: 400 polynomials on both sides of stability.
    let state = 12345;
    const next = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
    const counts = { stable: 0, unstable: 0 };
    for (let trial = 0; trial < 400; trial++) {
      const radius = 0.7 + 0.6 * next();
      const sections = Array.from({ length: 1 + (trial % 4) }, () => {
        const angle = Math.PI * next();
        const r = radius * Math.sqrt(next());
        return [1, 0, 0, 1, -2 * r * Math.cos(angle), r * r] as const;
      });
      const stable = sections.every((section) => section[5] < 1);
      counts[stable ? 'stable' : 'unstable']++;
      expect(isStable(sections)).toBe(stable);
      let a = [1];
      for (const [, , , , a1, a2] of sections) {
        const longer = [...a, 0, 0];
        a = longer.map(
          (value, k) => value + a1 * (k >= 1 ? longer[k - 1] : 0) + a2 * (k >= 2 ? longer[k - 2] : 0),
        );
      }
      expect(isStable({ b: [1], a })).toBe(stable);
    }
    expect(Math.min(counts.stable, counts.unstable)).toBeGreaterThan(20);
  });
});

describe('frequencyResponse', () => {
  it('gives the delay of a delay, and the limit at a zero on the circle', () => {
    const delay = frequencyResponse({ b: [0, 0, 0, 1], a: [1] }, [10, 400], 1000);
    for (const value of delay.groupDelay) expect(value).toBeCloseTo(3, 12);
    // (1 + z^-1)³ delays by 1.5 frames everywhere, at its zero too.
    const zeros = frequencyResponse({ b: [1, 3, 3, 1], a: [1] }, [100, 499, 500], 1000);
    expect(zeros.groupDelay[0]).toBeCloseTo(1.5, 12);
    expect(zeros.groupDelay[2]).toBeCloseTo(1.5, 9);
    expect(zeros.magnitude[2]).toBeLessThan(1e-15);
  });

  it('is the derivative of the phase', () => {
    const sections = designSections(spec);
    const step = 1e-3;
    for (const frequency of [10, 500, 1000, 2000]) {
      const { phase } = frequencyResponse(sections, [frequency - step, frequency + step], 8000);
      // The phase of the fourth order passes π at its edge.
      const turn = phase[1] - phase[0] - 2 * Math.PI * Math.round((phase[1] - phase[0]) / (2 * Math.PI));
      const slope = -turn / ((2 * Math.PI * 2 * step) / 8000);
      expect(frequencyResponse(sections, [frequency], 8000).groupDelay[0]).toBeCloseTo(slope, 5);
    }
  });

  it('refuses frequencies that are none', () => {
    expect(() => frequencyResponse(designSections(spec), [1, NaN], 8000)).toThrow(/frequencies\[1\] is NaN/);
    expect(() => frequencyResponse(designSections(spec), [1], 0)).toThrow(ArgumentError);
  });
});
