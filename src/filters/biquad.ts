/**
 * | symbol | name | |
 * | --- | --- | --- |
 * | ω0 | frequency | 2π · frequency · 2^(detune/1200) / sampleRate, radians a frame |
 * | A | amplitude | 10^(gain/40) |
 * | α | half width | sin ω0 / 2Q; lowpass and highpass: sin ω0 / (2 · 10^(Q/20)); shelves: sin ω0 / √2 |
 */
import { ArgumentError } from '../errors.ts';
import type { Section } from './types.ts';
import { requireBelowNyquist, requirePositive } from './validate.ts';

export type BiquadType =
  'lowpass' | 'highpass' | 'bandpass' | 'notch' | 'allpass' | 'peaking' | 'lowshelf' | 'highshelf';

/** The parameters of a Web Audio BiquadFilterNode, with its defaults. */
export interface BiquadSpec {
  type: BiquadType;
  sampleRate: number;
  /** Hz. Default: 350 */
  frequency?: number;
  /** lowpass, highpass: the peak at `frequency` in dB; the shelves ignore it; others: frequency/bandwidth. Default: 1 */
  Q?: number;
  /** dB: peaking and shelves. Default: 0 */
  gain?: number;
  /** cents. Default: 0 */
  detune?: number;
}

type Coefficients = readonly [b0: number, b1: number, b2: number, a0: number, a1: number, a2: number];

/** What the formulas share. `below` is 1 - cos ω0, taken from sin²(ω0/2): at low frequencies the difference would lose digits. */
interface Terms {
  cos: number;
  below: number;
  alpha: number;
  A: number;
}

type Width = 'quality' | 'resonance' | 'slope';
const kinds: Record<BiquadType, { width: Width; coefficients(terms: Terms): Coefficients }> = {
  lowpass: {
    width: 'resonance',
    coefficients: ({ below, ...rest }) => [below / 2, below, below / 2, ...resonator(rest)],
  },
  highpass: {
    width: 'resonance',
    coefficients: (terms) => [
      (1 + terms.cos) / 2,
      -(1 + terms.cos),
      (1 + terms.cos) / 2,
      ...resonator(terms),
    ],
  },
  bandpass: {
    width: 'quality',
    coefficients: (terms) => [terms.alpha, 0, -terms.alpha, ...resonator(terms)],
  },
  notch: { width: 'quality', coefficients: (terms) => [1, -2 * terms.cos, 1, ...resonator(terms)] },
  allpass: {
    width: 'quality',
    coefficients: (terms) => [1 - terms.alpha, -2 * terms.cos, 1 + terms.alpha, ...resonator(terms)],
  },
  peaking: {
    width: 'quality',
    coefficients: ({ cos, alpha, A }) => [
      ...resonator({ cos, alpha: alpha * A }),
      ...resonator({ cos, alpha: alpha / A }),
    ],
  },
  lowshelf: { width: 'slope', coefficients: (terms) => shelf(terms, 1) },
  highshelf: { width: 'slope', coefficients: (terms) => shelf(terms, -1) },
};

const resonator = ({ cos, alpha }: Pick<Terms, 'cos' | 'alpha'>) => [1 + alpha, -2 * cos, 1 - alpha] as const;

/** The two shelves are mirror images: cos ω0 and the sign of the middle coefficients turn. */
function shelf({ cos, alpha, A }: Terms, side: 1 | -1): Coefficients {
  const c = side * cos;
  const root = 2 * Math.sqrt(A) * alpha;
  return [
    A * (A + 1 - (A - 1) * c + root),
    side * 2 * A * (A - 1 - (A + 1) * c),
    A * (A + 1 - (A - 1) * c - root),
    A + 1 + (A - 1) * c + root,
    side * -2 * (A - 1 + (A + 1) * c),
    A + 1 + (A - 1) * c - root,
  ];
}

/**
 * The section of a Web Audio biquad (Web Audio API, "Filters Characteristics", after Bristow-Johnson's Audio EQ
 * Cookbook): the coefficients that a browser's BiquadFilterNode runs.
 *
 * @throws ArgumentError for a frequency outside (0, sampleRate/2), and for Q ≤ 0 where it is a bandwidth
 * @example biquad({ type: 'peaking', frequency: 1000, Q: 2, gain: 6, sampleRate: 48_000 })
 */
export function biquad(spec: BiquadSpec): Section {
  const { type, sampleRate, frequency = 350, Q = 1, gain = 0, detune = 0 } = spec;
  if (!Object.hasOwn(kinds, type)) {
    throw new ArgumentError(`biquad: type is '${type}': give one of ${Object.keys(kinds).join(', ')}`);
  }
  const { width, coefficients } = kinds[type];
  requirePositive(sampleRate, 'sampleRate (Hz)', 'biquad');
  for (const [name, value] of Object.entries({ Q, gain, detune })) {
    if (!Number.isFinite(value)) throw new ArgumentError(`biquad: ${name} is ${value}: give a finite number`);
  }
  requireBelowNyquist(frequency * 2 ** (detune / 1200), sampleRate, 'frequency, detuned,', 'biquad');
  if (width === 'quality') requirePositive(Q, 'Q', `biquad (${type})`);
  const omega = (2 * Math.PI * frequency * 2 ** (detune / 1200)) / sampleRate;
  const sin = Math.sin(omega);
  const widths: Record<Width, number> = {
    quality: sin / (2 * Q),
    resonance: sin / (2 * 10 ** (Q / 20)),
    slope: sin * Math.SQRT1_2,
  };
  const [b0, b1, b2, a0, a1, a2] = coefficients({
    cos: Math.cos(omega),
    below: 2 * Math.sin(omega / 2) ** 2,
    alpha: widths[width],
    A: 10 ** (gain / 40),
  });
  return [b0 / a0, b1 / a0, b2 / a0, 1, a1 / a0, a2 / a0];
}
