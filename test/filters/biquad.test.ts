import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import {
  biquad,
  frequencyResponse,
  isStable,
  sosToTf,
  tfToSos,
  type BiquadType,
} from '../../src/filters/index.ts';
import { missingShared, shared } from '../support/shared.ts';
import { impulse, runDifferenceEquation, runSections } from './support.ts';

/** The cookbook's analog prototypes at s = jω, unit cutoff: numerator and denominator, descending. */
const prototypes: Record<BiquadType, (Q: number, A: number) => [number[], number[]]> = {
  lowpass: (Q) => [
    [0, 0, 1],
    [1, 1 / Q, 1],
  ],
  highpass: (Q) => [
    [1, 0, 0],
    [1, 1 / Q, 1],
  ],
  bandpass: (Q) => [
    [0, 1 / Q, 0],
    [1, 1 / Q, 1],
  ],
  notch: (Q) => [
    [1, 0, 1],
    [1, 1 / Q, 1],
  ],
  allpass: (Q) => [
    [1, -1 / Q, 1],
    [1, 1 / Q, 1],
  ],
  peaking: (Q, A) => [
    [1, A / Q, 1],
    [1, 1 / (A * Q), 1],
  ],
  lowshelf: (_, A) => [
    [A, A * Math.sqrt(2 * A), A * A],
    [A, Math.sqrt(2 * A), 1],
  ],
  highshelf: (_, A) => [
    [A * A, A * Math.sqrt(2 * A), A],
    [1, Math.sqrt(2 * A), A],
  ],
};
const types = Object.keys(prototypes) as BiquadType[];

/** |p(jω)| and its angle for a quadratic. */
const at = ([p2, p1, p0]: number[], omega: number): [number, number] => [p0 - p2 * omega * omega, p1 * omega];

describe.each(types)('biquad %s', (type) => {
  it.each([
    [350, 1, 0, 0, 24_000],
    [350, 10, 10, 0, 24_000],
    [5000, 0.7, -12, 300, 48_000],
    [20, 3, 6, -1200, 96_000],
    [20_000, 2, 3, 100, 44_100],
  ])(
    'is the bilinear image of its prototype: %f Hz, Q %f, %f dB, %f cents at %f Hz',
    (f, Q, gain, detune, rate) => {
      const section = biquad({ type, frequency: f, Q, gain, detune, sampleRate: rate });
      expect(isStable([section])).toBe(true);
      const centre = f * 2 ** (detune / 1200);
      const quality = type === 'lowpass' || type === 'highpass' ? 10 ** (Q / 20) : Q;
      const [b, a] = prototypes[type](quality, 10 ** (gain / 40));
      // Coefficients near 1 and 2 say 1 - cos ω0 to an ulp of 2: that much of the response float64 cannot hold.
      const tolerance = Math.max(1e-12, (16 * Number.EPSILON) / ((2 * Math.PI * centre) / rate) ** 2);
      for (const ratio of [0.2, 0.7, 0.95, 1.05, 1.09]) {
        const warped = Math.tan((Math.PI * centre * ratio) / rate) / Math.tan((Math.PI * centre) / rate);
        const [br, bi] = at(b, warped);
        const [ar, ai] = at(a, warped);
        const got = frequencyResponse([section], [centre * ratio], rate);
        const square = ar * ar + ai * ai;
        const wanted = [(br * ar + bi * ai) / square, (bi * ar - br * ai) / square];
        const size = Math.hypot(...wanted);
        expect(Math.abs(got.magnitude[0] * Math.cos(got.phase[0]) - wanted[0]) / size).toBeLessThan(
          tolerance,
        );
        expect(Math.abs(got.magnitude[0] * Math.sin(got.phase[0]) - wanted[1]) / size).toBeLessThan(
          tolerance,
        );
      }
    },
  );
});

describe('biquad', () => {
  it('has the defaults of a BiquadFilterNode', () => {
    expect(biquad({ type: 'peaking', sampleRate: 48_000 })).toEqual(
      biquad({ type: 'peaking', sampleRate: 48_000, frequency: 350, Q: 1, gain: 0, detune: 0 }),
    );
  });

  it('refuses what has no section', () => {
    const spec = { type: 'bandpass', sampleRate: 48_000 } as const;
    expect(() => biquad({ ...spec, frequency: 24_000 })).toThrow(/24000 Hz at 48000 Hz/);
    expect(() => biquad({ ...spec, frequency: 0 })).toThrow(ArgumentError);
    expect(() => biquad({ ...spec, frequency: 20_000, detune: 1200 })).toThrow(ArgumentError);
    expect(() => biquad({ ...spec, Q: 0 })).toThrow(/Q is 0/);
    expect(() => biquad({ ...spec, gain: NaN })).toThrow(/gain is NaN/);
    expect(() => biquad({ ...spec, type: 'resonator' as BiquadType })).toThrow(/give one of lowpass/);
    expect(() => biquad({ ...spec, sampleRate: -1 })).toThrow(ArgumentError);
    // In lowpass and highpass Q is in dB, so 0 and below are fine.
    expect(isStable([biquad({ ...spec, type: 'lowpass', Q: -3 })])).toBe(true);
  });
});

describe.skipIf(missingShared('vectors', 'wpt-iirfilter'))(
  'Web Platform Tests, iirfilter (needs ../shared)',
  () => {
    interface Figures {
      sampleRate: number;
      frames: number;
      one_zero: { ff: number[]; fb: number[]; expected_first: number[]; rest: number };
      one_pole: { ff: number[]; fb: number[]; absThreshold: number };
      coefficient_normalization: { ff: number[]; fb: number[]; scale: number; absThreshold: number };
      biquad_equivalence: {
        freq: number;
        Q: number;
        gain: number;
        snr_dB_min: Record<BiquadType, number>;
        relThreshold: Record<BiquadType, number>;
        absThreshold: Partial<Record<BiquadType, number>>;
      };
      fourth_order: { absThreshold: number; relThreshold: number; snr_dB_min: number };
      bad_arguments: { ff: number[] | string; fb: number[] | string; error: string }[];
    }
    const figures = missingShared('vectors', 'wpt-iirfilter')
      ? ({} as Figures)
      : (JSON.parse(readFileSync(shared('vectors', 'wpt-iirfilter', 'iirfilter.json'), 'utf8')) as Figures);

    const signalToNoise = (got: Float64Array, wanted: Float64Array): number => {
      const power = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0);
      const noise = power(got.map((value, k) => value - wanted[k]));
      return noise === 0 ? Infinity : 10 * Math.log10(power(wanted) / noise);
    };
    const worst = (got: Float64Array, wanted: Float64Array, relative: boolean): number =>
      got.reduce(
        (most, value, k) =>
          wanted[k] === 0 && relative
            ? most
            : Math.max(most, Math.abs(value - wanted[k]) / (relative ? Math.abs(wanted[k]) : 1)),
        0,
      );

    it('normalises by a[0]', () => {
      const { ff, fb, scale, absThreshold } = figures.coefficient_normalization;
      const one = runSections(tfToSos({ b: ff, a: fb }), impulse(figures.frames));
      const two = runSections(
        tfToSos({ b: ff, a: fb.map((value) => value * scale) }),
        impulse(figures.frames),
      );
      expect(
        worst(
          two.map((value) => value * scale),
          one,
          false,
        ),
      ).toBeLessThanOrEqual(absThreshold);
    });

    it('one zero', () => {
      const { ff, fb, expected_first, rest } = figures.one_zero;
      const got = runSections(tfToSos({ b: ff, a: fb }), impulse(figures.frames));
      expect([...got.subarray(0, 2)]).toEqual(expected_first);
      expect(got.subarray(2).every((value) => value === rest)).toBe(true);
    });

    it('one pole: (-0.9)^n', () => {
      const { ff, fb, absThreshold } = figures.one_pole;
      const frames = Math.floor(Math.log(1e-20) / Math.log(0.9));
      const got = runSections(tfToSos({ b: ff, a: fb }), impulse(frames));
      const wanted = Float64Array.from({ length: frames }, (_, k) => (-0.9) ** k);
      expect(worst(got, wanted, false)).toBeLessThan(absThreshold);
    });

    it.each(types)('%s as a biquad and as b and a', (type) => {
      const { freq, Q, gain, snr_dB_min, relThreshold, absThreshold } = figures.biquad_equivalence;
      const section = biquad({ type, frequency: freq, Q, gain, sampleRate: figures.sampleRate });
      const ones = new Float64Array(figures.frames).fill(1);
      const wanted = runDifferenceEquation(sosToTf([section]), ones);
      const got = runSections([section], ones).map(Math.fround);
      expect(signalToNoise(got, wanted)).toBeGreaterThan(snr_dB_min[type]);
      // Either threshold passes, as in the original.
      const close = got.every(
        (value, k) =>
          Math.abs(value - wanted[k]) <=
          Math.max(relThreshold[type] * Math.abs(wanted[k]), absThreshold[type] ?? 0),
      );
      expect(close).toBe(true);
    });

    it('two lowpasses as one filter of the fourth order, factored again', () => {
      const section = biquad({ type: 'lowpass', frequency: 350, Q: 5, sampleRate: figures.sampleRate });
      const { absThreshold, relThreshold, snr_dB_min } = figures.fourth_order;
      const input = impulse(figures.frames);
      const wanted = runSections([section, section], input);
      const got = runSections(tfToSos(sosToTf([section, section])), input);
      expect(signalToNoise(got, wanted)).toBeGreaterThan(snr_dB_min);
      const close = got.every(
        (value, k) =>
          Math.abs(value - wanted[k]) <= Math.max(relThreshold * Math.abs(wanted[k]), absThreshold),
      );
      expect(close).toBe(true);
    });

    it('bad arguments', () => {
      const bad = figures.bad_arguments.filter(({ ff, fb }) => Array.isArray(ff) && Array.isArray(fb));
      expect(bad).toHaveLength(4);
      for (const { ff, fb } of bad) {
        expect(() => tfToSos({ b: ff as number[], a: fb as number[] })).toThrow(ArgumentError);
      }
    });
  },
);
