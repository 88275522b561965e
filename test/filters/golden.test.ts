import { describe, expect, it } from 'vitest';
import {
  conditioning,
  designFilter,
  designSections,
  sosInitialState,
  ssToSos,
  ssToTf,
  tfToSos,
  tfToSs,
  zpkToSs,
  zpkToTf,
  type DigitalFilterSpec,
  type SisoStateSpace,
} from '../../src/filters/index.ts';
import { expectClose } from '../support/close.ts';
import { goldenFiles } from '../support/golden-files.ts';
import { readSafetensors } from '../support/read-safetensors.ts';
import { runDifferenceEquation, runSections, runStateSpace } from './support.ts';

const specs: Record<string, DigitalFilterSpec> = {
  butter: { family: 'butterworth', order: 4, type: 'lowpass', cutoff: 1000, sampleRate: 16_000 },
  cheby1: {
    family: 'chebyshev1',
    order: 6,
    type: 'bandpass',
    cutoff: [300, 3400],
    ripple: 1,
    sampleRate: 16_000,
  },
  ellip: {
    family: 'elliptic',
    order: 5,
    type: 'highpass',
    cutoff: 4000,
    ripple: 0.5,
    attenuation: 60,
    sampleRate: 48_000,
  },
};

const files = goldenFiles('filters');

it('has the three golden filters', () => {
  expect(files.map(({ name }) => name)).toEqual(Object.keys(specs));
});

describe.each(files)('golden filter $name', ({ name, path }) => {
  const spec = specs[name];
  const golden = readSafetensors(path);
  const [input, output] = [golden.values('input'), golden.values('output')];
  const b = [...golden.values('b')];
  const a = [...golden.values('a')];
  const n = a.length - 1;
  const system: SisoStateSpace = {
    A: Array.from({ length: n }, (_, i) => Array.from(golden.values('A').subarray(i * n, (i + 1) * n))),
    B: [...golden.values('B')],
    C: [...golden.values('C')],
    D: golden.values('D')[0],
  };
  const designed = designSections(spec);

  it('designs the same sections, row by row', () => {
    expectClose(designed.flat(), golden.values('sos'), 1e-13, 'sos');
    expectClose(sosInitialState(designed).flat(), golden.values('zi'), 1e-12, 'zi');
  });

  it('runs its sections to 1e-12', () => {
    expectClose(runSections(designed, input), output, 1e-12, 'sections');
  });

  it('expands to the same b and a, and the same A, B, C, D', () => {
    const tf = zpkToTf(designFilter(spec));
    expectClose(tf.b, b, 1e-14, 'b');
    expectClose(tf.a, a, 1e-14, 'a');
    const got = tfToSs({ b, a });
    expectClose(got.A.flat(), golden.values('A'), 1e-15, 'A');
    expectClose(got.B, golden.values('B'), 0, 'B');
    expectClose(got.C, golden.values('C'), 1e-14, 'C');
    expect(got.D).toBe(system.D);
  });

  it('factors b and a, and A, B, C, D, into sections that reach 1e-6', () => {
    expectClose(runSections(tfToSos({ b, a }), input), output, 1e-6, 'from b and a');
    expectClose(runSections(ssToSos(system), input), output, 1e-6, 'from A, B, C, D');
    // b and a as they are do no better: what is lost was lost when they were rounded.
    expectClose(runDifferenceEquation({ b, a }, input), output, 1e-6, 'direct form');
  });

  it('builds a state space from zeros and poles that runs, and factors back, to 1e-12', () => {
    const cascade = zpkToSs(designFilter(spec));
    expectClose(runStateSpace(cascade, input), output, 1e-12, 'cascade');
    expectClose(runSections(ssToSos(cascade), input), output, 1e-12, 'factored again');
    const tf = ssToTf(cascade);
    expectClose(tf.a, a, 1e-12, 'a');
  });

  it('is trustworthy as b and a in float64, not in float32', () => {
    const inFull = conditioning({ b, a });
    expect(inFull.trustworthy).toBe(true);
    expect(inFull.residual).toBeLessThan(1e-15);
    expect(conditioning({ b, a }, 'float32').trustworthy).toBe(false);
    // The bound holds for what float64's rounding really did.
    const error = runSections(tfToSos({ b, a }), input).reduce(
      (most, value, k) => Math.max(most, Math.abs(value - output[k])),
      0,
    );
    const peak = output.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(error / peak).toBeLessThan(Math.max(inFull.expectedError, 1e-13));
  });
});
