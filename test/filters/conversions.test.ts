import { describe, expect, it } from 'vitest';
import { ArgumentError, ParameterError } from '../../src/errors.ts';
import {
  conditioning,
  designFilter,
  frequencyResponse,
  sectionToSs,
  sosInitialState,
  sosToTf,
  ssToSos,
  ssToTf,
  ssToZpk,
  tfToSos,
  tfToSs,
  tfToZpk,
  zpkToSos,
  zpkToSs,
  zpkToTf,
  type Section,
  type TransferFunction,
} from '../../src/filters/index.ts';
import { complexSolve } from '../../src/linalg/complex.ts';
import { expectClose } from '../support/close.ts';
import {
  evaluateZpk,
  impulse,
  pair,
  real,
  rootError,
  runDifferenceEquation,
  runSections,
  runStateSpace,
} from './support.ts';

describe('b and a to sections', () => {
  const cases: [string, TransferFunction][] = [
    ['one pole', { b: [1], a: [1, 0.9] }],
    ['one zero', { b: [0.5, 0.5], a: [1] }],
    ['a gain', { b: [3], a: [1.5] }],
    ['a finite response', { b: [1, -2, 0.5, 0.25, 3], a: [1] }],
    ['poles only', { b: [0.3], a: [1, -1.2, 0.9, -0.3] }],
    ['a delay', { b: [0, 0, 0, 2], a: [1, -0.5] }],
    ['a delay among equals', { b: [0, 1, 0.5], a: [1, 0, 0.25] }],
    ['a[0] other than 1', { b: [2, 1], a: [4, -2, 1] }],
    ['trailing zeros on both sides', { b: [1, 0.5, 0, 0], a: [1, -0.5, 0] }],
    ['a repeated pole', { b: [1], a: [1, -2, 1.5, -0.5, 0.0625] }],
    ['zeros at both ends of the circle', { b: [1, 0, -3, 0, 3, 0, -1], a: [1, 0.1, 0.2, 0, 0.3, 0, 0.1] }],
  ];

  it.each(cases)('%s runs as the difference equation', (_, tf) => {
    const wanted = runDifferenceEquation(tf, impulse(200));
    expectClose(runSections(tfToSos(tf), impulse(200)), wanted, 1e-13, 'sections');
    expectClose(runStateSpace(tfToSs(tf), impulse(200)), wanted, 1e-13, 'state space');
    expectClose(runDifferenceEquation(zpkToTf(tfToZpk(tf)), impulse(200)), wanted, 1e-13, 'zeros and poles');
    expectClose(runDifferenceEquation(sosToTf(tfToSos(tf)), impulse(200)), wanted, 1e-13, 'expanded again');
    expectClose(runSections(ssToSos(tfToSs(tf)), impulse(200)), wanted, 1e-9, 'factored state space');
  });

  it('keeps zeros at z = ±1 exact', () => {
    const { zeros } = tfToZpk({ b: [1, 0, -3, 0, 3, 0, -1], a: [1] });
    expect(zeros.filter(({ re, im }) => re === 1 && im === 0)).toHaveLength(3);
    expect(zeros.filter(({ re, im }) => re === -1 && im === 0)).toHaveLength(3);
  });

  it('is indifferent to a common scale of b and a', () => {
    expect(tfToSos({ b: [2], a: [2, 1.8] })).toEqual(tfToSos({ b: [1], a: [1, 0.9] }));
  });

  it.each([
    [{ b: [], a: [1] }, /b is empty/],
    [{ b: [1], a: [] }, /a is empty/],
    [{ b: [0, 0], a: [1] }, /all of b is 0/],
    [{ b: [0.5, 0.5], a: [0] }, /all of a is 0/],
    [{ b: [1], a: [0, 1] }, /a\[0\] is 0/],
    [{ b: [1, Infinity], a: [1] }, /b\[1\] is Infinity/],
  ])('refuses %j', (tf, message) => {
    expect(() => tfToSos(tf)).toThrow(message);
    expect(() => tfToSos(tf)).toThrow(ArgumentError);
  });

  it('refuses an improper analog filter', () => {
    expect(() => tfToSs({ b: [1, 0, 0], a: [1, 1] }, { analog: true })).toThrow(/improper/);
    expect(() => tfToZpk({ b: [1, 0, 0], a: [1, 1] }, { analog: true })).toThrow(ArgumentError);
  });
});

describe('zeros, poles and gain to sections', () => {
  it('keeps the delay of missing zeros', () => {
    const filter = { zeros: [], poles: [real(0.5), ...pair(0.1, 0.7)], gain: 2 };
    expectClose(
      runSections(zpkToSos(filter), impulse(50)),
      runDifferenceEquation(zpkToTf(filter), impulse(50)),
      1e-14,
    );
    expect([...runSections(zpkToSos(filter), impulse(4))].slice(0, 4)).toEqual([0, 0, 0, 2]);
  });

  it('writes a gain as one section', () => {
    expect(zpkToSos({ zeros: [], poles: [], gain: 3 })).toEqual([[3, 0, 0, 1, 0, 0]]);
  });

  it('refuses more zeros than poles and widowed roots', () => {
    expect(() => zpkToSos({ zeros: [real(1)], poles: [], gain: 1 })).toThrow(/future input/);
    expect(() => zpkToTf({ zeros: [real(1)], poles: [], gain: 1 })).toThrow(ArgumentError);
    expect(() => zpkToSos({ zeros: [], poles: [{ re: 0.5, im: 0.5 }], gain: 1 })).toThrow(
      /without its conjugate/,
    );
    expect(() => zpkToSos({ zeros: [], poles: [{ re: NaN, im: 0 }], gain: 1 })).toThrow(/finite/);
    expect(() => zpkToSos({ zeros: [], poles: [], gain: NaN })).toThrow(/gain is NaN/);
  });
});

describe('state space', () => {
  it('finds zeros where D is 0, of any relative degree', () => {
    const filter = { zeros: [real(-3)], poles: [real(-1), ...pair(-2, 5), real(-8)], gain: 7 };
    const tf = zpkToTf(filter, { analog: true });
    const got = ssToZpk(tfToSs(tf, { analog: true }));
    expect(rootError(got.zeros, filter.zeros)).toBeLessThan(1e-12);
    expect(rootError(got.poles, filter.poles)).toBeLessThan(1e-12);
    expect(got.gain).toBeCloseTo(7, 11);
    expectClose(ssToTf(tfToSs(tf, { analog: true }), { analog: true }).a, tf.a, 1e-13, 'a');
  });

  it('is the same system in another basis', () => {
    const { A, B, C, D } = tfToSs({ b: [0, 1, 0.5, 0.2], a: [1, -0.3, 0.4, -0.1] });
    // T = unit lower triangle of ones, T⁻¹ = differences.
    const T = (row: readonly number[]) =>
      row.map((_, i) => row.slice(0, i + 1).reduce((sum, value) => sum + value, 0));
    const inverseRight = (row: readonly number[]) => row.map((value, j) => value - (row[j + 1] ?? 0));
    const columns = A.map((_, j) => T(A.map((row) => row[j])));
    const turned = A.map((_, i) => inverseRight(columns.map((column) => column[i])));
    const other = { A: turned, B: T(B), C: inverseRight(C), D };
    expectClose(runStateSpace(other, impulse(60)), runStateSpace({ A, B, C, D }, impulse(60)), 1e-14, 'same');
    expectClose(runSections(ssToSos(other), impulse(60)), runStateSpace({ A, B, C, D }, impulse(60)), 1e-12);
  });

  it('is well-conditioned where b and a are not: an analog bandpass of order 2 × 8', () => {
    const filter = designFilter({
      family: 'elliptic',
      order: 8,
      type: 'bandpass',
      cutoff: [300, 400],
      ripple: 0.5,
      attenuation: 60,
      analog: true,
    });
    const system = zpkToSs(filter);
    const n = system.A.length;
    expect(n).toBe(16);
    for (const frequency of [10, 299, 300, 345, 400, 401, 5000]) {
      const s = { re: 0, im: 2 * Math.PI * frequency };
      const M = { re: Float64Array.from(system.A.flat(), (value) => -value), im: new Float64Array(n * n) };
      for (let i = 0; i < n; i++) M.im[i * n + i] += s.im;
      const X = complexSolve(M, { re: Float64Array.from(system.B), im: new Float64Array(n) }, n, 1);
      const got = system.C.reduce(
        ([re, im], c, i) => [re + c * X.re[i], im + c * X.im[i]] as [number, number],
        [system.D, 0] as [number, number],
      );
      const wanted = evaluateZpk(filter, s);
      expect(Math.hypot(got[0] - wanted.re, got[1] - wanted.im)).toBeLessThan(1e-11);
    }
  });

  it('places real poles and zeros of every count', () => {
    for (const poles of [
      [real(-1)],
      [real(-1), real(-4)],
      [real(-1), real(-4), real(-9)],
      [real(0), real(-2), ...pair(-1, 3)],
    ]) {
      for (let count = 0; count <= poles.length; count++) {
        const filter = {
          zeros: [real(-2.5), real(0.5), real(-7), real(-3)].slice(0, count),
          poles,
          gain: -2,
        };
        const got = ssToZpk(zpkToSs(filter));
        expect(rootError(got.zeros, filter.zeros)).toBeLessThan(1e-10);
        expect(rootError(got.poles, poles, 1)).toBeLessThan(1e-12);
        expect(got.gain).toBeCloseTo(-2, 9);
      }
    }
  });

  it('pairs complex zeros with real poles', () => {
    const filter = { zeros: pair(-1, 2), poles: [real(-1), real(-4), real(-5)], gain: 3 };
    const got = ssToZpk(zpkToSs(filter));
    expect(rootError(got.zeros, filter.zeros)).toBeLessThan(1e-12);
    expect(got.gain).toBeCloseTo(3, 10);
  });

  it('refuses shapes that do not fit and outputs that nothing reaches', () => {
    expect(() => ssToZpk({ A: [[1, 2]], B: [1], C: [1], D: 0 })).toThrow(ArgumentError);
    expect(() => ssToZpk({ A: [[0.5]], B: [1], C: [0], D: 0 })).toThrow(/never reaches/);
    const decoupled = {
      A: [
        [0.5, 0],
        [0, 0.2],
      ],
      B: [1, 0],
      C: [0, 1],
      D: 0,
    };
    expect(() => ssToZpk(decoupled)).toThrow(/never reaches/);
    expect(() => ssToZpk({ A: [[NaN]], B: [1], C: [1], D: 0 })).toThrow(/A\[0\]\[0\] is NaN/);
  });

  it('refuses to factor what it cannot factor', () => {
    // Ten poles within 0.003 of z = 1, as a companion matrix: one ulp of an entry moves them by their own distances.
    const tf = zpkToTf(
      designFilter({ family: 'butterworth', order: 10, type: 'lowpass', cutoff: 20, sampleRate: 48_000 }),
    );
    expect(() => ssToSos(tfToSs(tf))).toThrow(ParameterError);
    expect(() => ssToSos(tfToSs(tf))).toThrow(/too ill-conditioned to factor/);
  });

  it('factors a direct path far below everything else', () => {
    const tf = { b: [1e-300, 0, 0, 1], a: [1, -1.5, 0.75, -0.125] };
    const wanted = runDifferenceEquation(tf, impulse(100));
    expectClose(runSections(ssToSos(tfToSs(tf)), impulse(100)), wanted, 1e-9);
  });
});

describe('single sections', () => {
  it.each<[Section, number]>([
    [[0.2, 0.3, 0.1, 1, -0.9, 0.5], 2],
    [[0.2, 0.3, 0, 1, -0.9, 0], 1],
    [[0.2, 0, 0, 1, 0, 0], 0],
    [[0, 0, 1, 1, 0, 0], 2],
  ])('%j has %i states and the same response', (section, states) => {
    const system = sectionToSs(section);
    expect(system.A).toHaveLength(states);
    expectClose(runStateSpace(system, impulse(40)), runSections([section], impulse(40)), 1e-15);
  });

  it('starts at rest under a constant input', () => {
    const sections = zpkToSos(
      designFilter({ family: 'bessel', order: 5, type: 'lowpass', cutoff: 900, sampleRate: 8000 }),
    );
    const steady = runSections(sections, new Float64Array(50).fill(1), sosInitialState(sections));
    for (const value of steady) expect(value).toBeCloseTo(1, 13);
    expect(() => sosInitialState([[1, 0, 0, 1, -1, 0]])).toThrow(/pole at z = 1/);
  });

  it('refuses rows that are no sections', () => {
    expect(() => sosToTf([])).toThrow(/no sections/);
    expect(() => sosToTf([[1, 0, 0, 2, 0, 0]])).toThrow(/divide the row by a0/);
    expect(() => sosToTf([[1, 0, 0, 0, 1, 0]])).toThrow(/its own future/);
    expect(() => sosToTf([[1, 0, NaN, 1, 0, 0]])).toThrow(ArgumentError);
    expect(() => frequencyResponse([[1, 0, 0, 2, 0, 0]], [1], 8)).toThrow(ArgumentError);
  });
});

describe('conditioning', () => {
  it('accepts orders up to 2 in float32, at any frequency', () => {
    const tf = zpkToTf(
      designFilter({ family: 'butterworth', order: 2, type: 'lowpass', cutoff: 5, sampleRate: 48_000 }),
    );
    expect(conditioning(tf, 'float32').trustworthy).toBe(true);
  });

  it('refuses in float64 what float64 has lost', () => {
    const tf = zpkToTf(
      designFilter({ family: 'butterworth', order: 10, type: 'lowpass', cutoff: 100, sampleRate: 48_000 }),
    );
    expect(conditioning(tf).trustworthy).toBe(false);
  });

  it('accepts a well-spread high order in float32', () => {
    expect(conditioning({ b: [1], a: [1, 0, 0, 0, 0, 0, 0, 0, 0.5] }, 'float32').trustworthy).toBe(true);
  });

  it('judges an integrator over finite time', () => {
    const { amplification, trustworthy } = conditioning({ b: [1, 0, 0, 0], a: [1, -1, 0.25, -0.25] });
    expect(amplification).toBeGreaterThan(1e5);
    expect(amplification).toBeLessThan(1e8);
    expect(trustworthy).toBe(true);
  });

  it('bounds the error that rounding to float32 makes', () => {
    for (const order of [3, 4, 5, 6]) {
      const tf = zpkToTf(
        designFilter({
          family: 'chebyshev1',
          order,
          type: 'lowpass',
          cutoff: 3000,
          ripple: 1,
          sampleRate: 48_000,
        }),
      );
      const rounded = { b: tf.b.map(Math.fround), a: tf.a.map(Math.fround) };
      const grid = Array.from({ length: 2000 }, (_, i) => i * 12);
      const wanted = frequencyResponse(tf, grid, 48_000);
      const got = frequencyResponse(rounded, grid, 48_000);
      const peak = Math.max(...wanted.magnitude);
      const error = Math.max(
        ...grid.map((_, i) =>
          Math.hypot(
            got.magnitude[i] * Math.cos(got.phase[i]) - wanted.magnitude[i] * Math.cos(wanted.phase[i]),
            got.magnitude[i] * Math.sin(got.phase[i]) - wanted.magnitude[i] * Math.sin(wanted.phase[i]),
          ),
        ),
      );
      const { expectedError } = conditioning(tf, 'float32');
      expect(error / peak).toBeLessThan(expectedError);
      // … and is not a bound that refuses everything.
      expect(error / peak).toBeGreaterThan(expectedError / 1000);
    }
  });
});
