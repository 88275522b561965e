import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bessel,
  designFilter,
  designSections,
  elliptic,
  frequencyResponse,
  sosInitialState,
  tfToSos,
  tfToSs,
  type AnalogFilterSpec,
  type DigitalFilterSpec,
  type Section,
} from '../../src/filters/index.ts';
import { expectClose } from '../support/close.ts';
import { rootError, withConjugates } from './support.ts';

type Half = [number, number][];
interface Design<Spec> {
  spec: Spec;
  zeros: Half;
  poles: Half;
  gain: number;
  sos?: number[][];
}
interface Figures {
  designs: Design<DigitalFilterSpec>[];
  hard: Design<DigitalFilterSpec>[];
  analog: Design<AnalogFilterSpec>[];
  bessel: { order: number; poles: Half }[];
  elliptic: { order: number; ripple: number; attenuation: number; zeros: Half; poles: Half; gain: number }[];
  conversions: {
    family: string;
    b: number[];
    a: number[];
    sos: Section[];
    A: number[][];
    B: number[];
    C: number[];
    D: number;
    zi: number[][];
    frequencies: number[];
    magnitude: number[];
    phase: number[];
    groupDelay: number[];
    sampleRate: number;
  }[];
}
const figures = JSON.parse(
  readFileSync(new URL('../../fixtures/filters/scipy.json', import.meta.url), 'utf8'),
) as Figures;

const name = ({ family, order, type, cutoff }: DigitalFilterSpec | AnalogFilterSpec) =>
  `${family} ${order} ${type} ${JSON.stringify(cutoff)}`;

describe('designs against scipy.signal', () => {
  it('covers every family and type at orders 1 to 10', () => {
    expect(figures.designs.length).toBe(5 * 4 * 10);
  });

  it.each(figures.designs.map((design) => [name(design.spec), design] as const))(
    '%s: zeros, poles, gain, sections',
    (_, { spec, zeros, poles, gain, sos }) => {
      const got = designFilter(spec);
      expect(rootError(got.zeros, withConjugates(zeros), 1)).toBeLessThan(1e-12);
      expect(rootError(got.poles, withConjugates(poles))).toBeLessThan(1e-12);
      expect(Math.abs(got.gain / gain - 1)).toBeLessThan(1e-12);
      const sections = designSections(spec);
      expect(sections.length).toBe(sos!.length);
      for (const [i, row] of sections.entries()) {
        expectClose(row.slice(0, 3), sos![i].slice(0, 3), 1e-12, `section ${i}, b`);
        expectClose(row.slice(3), sos![i].slice(3), 1e-12, `section ${i}, a`);
      }
    },
  );

  it.each(
    figures.hard.map((design) => [`${name(design.spec)} at ${design.spec.sampleRate}`, design] as const),
  )('narrow, low, high and wide: %s', (_, { spec, zeros, poles, gain }) => {
    const got = designFilter(spec);
    expect(rootError(got.zeros, withConjugates(zeros), 1)).toBeLessThan(1e-12);
    expect(rootError(got.poles, withConjugates(poles))).toBeLessThan(1e-12);
    expect(Math.abs(got.gain / gain - 1)).toBeLessThan(1e-12);
  });

  it.each(figures.analog.map((design) => [name(design.spec), design] as const))(
    'analog: %s',
    (_, { spec, zeros, poles, gain }) => {
      const got = designFilter(spec);
      const largest = Math.max(...withConjugates(zeros).map(({ re, im }) => Math.hypot(re, im)), 0);
      expect(rootError(got.zeros, withConjugates(zeros), largest)).toBeLessThan(1e-12);
      // scipy takes the smaller root of a wide band's quadratic as a difference and loses up to five digits of it.
      expect(rootError(got.poles, withConjugates(poles))).toBeLessThan(1e-11);
      expect(Math.abs(got.gain / gain - 1)).toBeLessThan(1e-12);
      const inRadians = (edge: number) => 2 * Math.PI * edge;
      const cutoff: AnalogFilterSpec['cutoff'] =
        typeof spec.cutoff === 'number'
          ? inRadians(spec.cutoff)
          : [inRadians(spec.cutoff[0]), inRadians(spec.cutoff[1])];
      expect(designFilter({ ...spec, cutoff, unit: 'rad/s' as const })).toEqual(got);
    },
  );

  it.each(figures.bessel)('bessel prototype of order $order', ({ order, poles }) => {
    expect(rootError(bessel(order).poles, withConjugates(poles))).toBeLessThan(1e-13);
  });

  it.each(figures.elliptic)('elliptic $order, $ripple dB, $attenuation dB', (figure) => {
    const got = elliptic(figure.order, figure.ripple, figure.attenuation);
    expect(rootError(got.zeros, withConjugates(figure.zeros))).toBeLessThan(1e-12);
    expect(rootError(got.poles, withConjugates(figure.poles))).toBeLessThan(1e-12);
    expect(Math.abs(got.gain / figure.gain - 1)).toBeLessThan(1e-12);
  });
});

describe.each(figures.conversions)('conversions of $family against scipy.signal', (figure) => {
  const { b, a } = figure;

  it('tf2ss', () => {
    const got = tfToSs({ b, a });
    expectClose(got.A.flat(), figure.A.flat(), 1e-15, 'A');
    expectClose(got.B, figure.B, 0, 'B');
    expectClose(got.C, figure.C, 1e-14, 'C');
    expect(got.D).toBe(figure.D);
  });

  it('sections out of b and a', () => {
    const got = tfToSos({ b, a });
    for (const [i, row] of got.entries()) {
      // b and a to an ulp; what their rounding has moved is amplified by the roots' sensitivity.
      expectClose(row.slice(0, 3), figure.sos[i].slice(0, 3), 1e-11, `section ${i}, b`);
      expectClose(row.slice(3), figure.sos[i].slice(3), 1e-11, `section ${i}, a`);
    }
  });

  it('sosfilt_zi', () => {
    expectClose(sosInitialState(figure.sos).flat(), figure.zi.flat(), 1e-12, 'zi');
  });

  it('magnitude, phase and group delay, from sections and from b and a', () => {
    const got = frequencyResponse(figure.sos, figure.frequencies, figure.sampleRate);
    expectClose(got.magnitude, figure.magnitude, 1e-12, 'magnitude');
    expectClose(got.phase, figure.phase, 1e-12, 'phase');
    expectClose(got.groupDelay, figure.groupDelay, 1e-11, 'group delay');
    // b and a have lost digits near their zeros: there the phase of what is left means nothing.
    const passed = figure.frequencies.map((_, i) => i).filter((i) => figure.magnitude[i] > 0.1);
    expect(passed.length).toBeGreaterThan(1);
    const at = (values: ArrayLike<number>) => passed.map((i) => values[i]);
    const direct = frequencyResponse({ b, a }, at(figure.frequencies), figure.sampleRate);
    expectClose(direct.magnitude, at(figure.magnitude), 1e-10, 'magnitude');
    expectClose(direct.phase, at(figure.phase), 1e-10, 'phase');
    expectClose(direct.groupDelay, at(figure.groupDelay), 1e-9, 'group delay');
  });
});
