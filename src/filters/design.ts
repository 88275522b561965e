import { ArgumentError } from '../errors.ts';
import { bilinear } from './bilinear.ts';
import { bessel } from './prototypes/bessel.ts';
import { butterworth } from './prototypes/butterworth.ts';
import { chebyshev1 } from './prototypes/chebyshev1.ts';
import { chebyshev2 } from './prototypes/chebyshev2.ts';
import { elliptic } from './prototypes/elliptic.ts';
import { toBandpass, toBandstop, toHighpass, toLowpass } from './transform.ts';
import type { Section, ZerosPolesGain } from './types.ts';
import { requireBelowNyquist, requirePositive } from './validate.ts';
import { zpkToSos } from './zpk-to-sos.ts';

export type FilterFamily = 'butterworth' | 'chebyshev1' | 'chebyshev2' | 'elliptic' | 'bessel';
export type FilterType = 'lowpass' | 'highpass' | 'bandpass' | 'bandstop';

/** What a classical filter is designed from. */
export interface FilterSpec {
  family: FilterFamily;
  /** of the lowpass prototype; a bandpass or bandstop has twice as many poles */
  order: number;
  type: FilterType;
  /**
   * One edge, or [low, high] for a bandpass or bandstop. At an edge: butterworth -3 dB; chebyshev1 and elliptic the
   * end of the rippled passband; chebyshev2 the beginning of the stopband; bessel the middle of the phase.
   */
  cutoff: number | readonly [low: number, high: number];
  /** peak-to-peak ripple of the passband, dB: chebyshev1 and elliptic */
  ripple?: number;
  /** of the stopband, dB: chebyshev2 and elliptic */
  attenuation?: number;
}

/** The filter at a sample rate: cutoffs in Hz. */
export interface DigitalFilterSpec extends FilterSpec {
  sampleRate: number;
  analog?: false;
}

/** The continuous filter, to be discretised elsewhere. */
export interface AnalogFilterSpec extends FilterSpec {
  analog: true;
  /** of `cutoff`; the result is in rad/s either way. Default: 'Hz' */
  unit?: 'Hz' | 'rad/s';
}

type Needs = readonly ('ripple' | 'attenuation')[];
const families: Record<FilterFamily, { needs: Needs; design(order: number, dB: number[]): ZerosPolesGain }> =
  {
    butterworth: { needs: [], design: (order) => butterworth(order) },
    chebyshev1: { needs: ['ripple'], design: (order, dB) => chebyshev1(order, dB[0]) },
    chebyshev2: { needs: ['attenuation'], design: (order, dB) => chebyshev2(order, dB[0]) },
    elliptic: { needs: ['ripple', 'attenuation'], design: (order, dB) => elliptic(order, dB[0], dB[1]) },
    bessel: { needs: [], design: (order) => bessel(order) },
  };

type Transform = (prototype: ZerosPolesGain, edges: number[]) => ZerosPolesGain;
const types: Record<FilterType, { edges: 1 | 2; transform: Transform }> = {
  lowpass: { edges: 1, transform: (prototype, [edge]) => toLowpass(prototype, edge!) },
  highpass: { edges: 1, transform: (prototype, [edge]) => toHighpass(prototype, edge!) },
  bandpass: { edges: 2, transform: (prototype, [low, high]) => toBandpass(prototype, low!, high!) },
  bandstop: { edges: 2, transform: (prototype, [low, high]) => toBandstop(prototype, low!, high!) },
};

/**
 * Zeros, poles and gain of a classical filter: digital by the bilinear transform with prewarped edges (as
 * scipy.signal.butter, cheby1, cheby2, ellip and bessel with `norm='phase'`), or the analog filter itself.
 * Agrees with scipy to about 1e-12.
 *
 * @throws ArgumentError for an edge outside (0, sampleRate/2), an order below 1, a missing or superfluous ripple
 * @example
 * designFilter({ family: 'elliptic', order: 5, type: 'highpass', cutoff: 4000, ripple: 0.5, attenuation: 60,
 *   sampleRate: 48_000 });
 * designFilter({ family: 'bessel', order: 4, type: 'bandpass', cutoff: [300, 3400], analog: true });
 */
export function designFilter(spec: DigitalFilterSpec | AnalogFilterSpec): ZerosPolesGain {
  const prototype = designPrototype(spec);
  const edges = readEdges(spec);
  const { transform } = types[spec.type];
  if (spec.analog === true) {
    const inRadians = spec.unit === 'rad/s' ? edges : edges.map((edge) => 2 * Math.PI * edge);
    return requireRange(transform(prototype, inRadians), spec);
  }
  const { sampleRate } = spec;
  requirePositive(sampleRate, 'sampleRate (Hz)', 'designFilter');
  for (const edge of edges) requireBelowNyquist(edge, sampleRate, 'cutoff', 'designFilter');
  // With dt = 2 the bilinear transform is s = (z - 1)/(z + 1), and an edge is tan(πf/fs): no scale enters.
  const warped = edges.map((edge) => Math.tan((Math.PI * edge) / sampleRate));
  return requireRange(bilinear(transform(prototype, warped), 2), spec);
}

/** The gain goes with the cutoff to the power of the order, and may leave float64's range where no pole does. */
function requireRange(zpk: ZerosPolesGain, { order, cutoff }: FilterSpec): ZerosPolesGain {
  if (Number.isFinite(zpk.gain) && zpk.gain !== 0) return zpk;
  throw new ArgumentError(
    `designFilter: the gain of order ${order} at ${JSON.stringify(cutoff)} is ${zpk.gain} in float64: ` +
      `lower the order, or cascade several filters`,
  );
}

/** {@link designFilter} as second-order sections, scipy's `output='sos'`. */
export const designSections = (spec: DigitalFilterSpec): Section[] => zpkToSos(designFilter(spec));

function designPrototype(spec: FilterSpec): ZerosPolesGain {
  if (!Object.hasOwn(families, spec.family)) {
    throw new ArgumentError(
      `designFilter: family is '${spec.family}': give one of ${Object.keys(families).join(', ')}`,
    );
  }
  const { needs, design } = families[spec.family];
  for (const name of ['ripple', 'attenuation'] as const) {
    if (needs.includes(name) && spec[name] === undefined) {
      throw new ArgumentError(`designFilter: ${name} is missing: ${spec.family} needs it, in dB`);
    }
    if (!needs.includes(name) && spec[name] !== undefined) {
      throw new ArgumentError(
        `designFilter: ${name} is ${spec[name]} dB: ${spec.family} has none; leave it out`,
      );
    }
  }
  return design(
    spec.order,
    needs.map((name) => spec[name]!),
  );
}

function readEdges(spec: FilterSpec): number[] {
  if (!Object.hasOwn(types, spec.type)) {
    throw new ArgumentError(
      `designFilter: type is '${spec.type}': give one of ${Object.keys(types).join(', ')}`,
    );
  }
  const wanted = types[spec.type].edges;
  const edges = typeof spec.cutoff === 'number' ? [spec.cutoff] : [...spec.cutoff];
  if (edges.length !== wanted) {
    throw new ArgumentError(
      `designFilter: cutoff is ${JSON.stringify(spec.cutoff)}: ` +
        `a ${spec.type} needs ${wanted === 1 ? 'one frequency' : 'two, [low, high]'}`,
    );
  }
  for (const edge of edges) requirePositive(edge, 'cutoff', 'designFilter');
  if (wanted === 2 && edges[0] >= edges[1]) {
    throw new ArgumentError(`designFilter: cutoff is [${edges.join(', ')}]: give the lower edge first`);
  }
  return edges;
}
