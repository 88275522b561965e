import { describe, expect, it } from 'vitest';
import { bilinear, euler, zoh } from '../../src/discretize/index.ts';
import { ArgumentError, GraphError } from '../../src/errors.ts';
import { designFilter, designSections, zpkToTf } from '../../src/filters/index.ts';
import { biquadFilter, filter, lti } from '../../src/layers/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';

const butter = { family: 'butterworth', order: 4, type: 'bandpass', cutoff: [300, 3400] } as const;
const sections = designSections({ ...butter, sampleRate: 16_000 });
const zpk = designFilter({ ...butter, sampleRate: 16_000 });
const doubleIntegrator = {
  A: [
    [0, 1],
    [0, 0],
  ],
  B: [[0], [1]],
  C: [[1, 0]],
  D: [[0]],
};

verifyStream({ name: 'lti, sections', model: lti({ sections }), parameters: {} });
verifyStream({ name: 'lti, three channels', model: lti({ sections }, { channels: 3 }), parameters: {} });
verifyStream({
  name: 'lti, two inputs and three outputs',
  model: lti({
    A: [
      [0.5, 0.2],
      [-0.3, 0.4],
    ],
    B: [
      [1, 0],
      [0.5, 1],
    ],
    C: [
      [1, 0],
      [0, 1],
      [1, 1],
    ],
    D: [
      [0, 0],
      [1, 0],
      [0, 0.5],
    ],
  }),
  parameters: {},
});
verifyStream({
  name: 'lti, continuous',
  model: lti({ b: [1], a: [0.01, 1] }, { domain: 'continuous' }),
  parameters: {},
  options: { sampleRate: 1000 },
});
verifyStream({
  name: 'filter',
  model: filter(butter, { channels: 2 }),
  parameters: {},
  options: { sampleRate: 44_100 },
});
verifyStream({
  name: 'biquad filter',
  model: biquadFilter([50, 150].map((frequency) => ({ type: 'notch', frequency, Q: 30 }))),
  parameters: {},
  options: { sampleRate: 16_000 },
});

const impulse = Float64Array.from({ length: 512 }, (_, k) => Number(k === 0));
const respond = (model: Parameters<typeof evaluate>[0], sampleRate?: number): Float64Array =>
  evaluate(model, {}, { input: impulse }, { sampleRate })['output']!;

describe('lti', () => {
  it('is one system in every form', () => {
    const expected = respond(lti({ sections }));
    expect(relativeError(respond(lti(zpk)), expected)).toBeLessThan(1e-12);
    expect(relativeError(respond(lti(zpkToTf(zpk))), expected)).toBeLessThan(1e-9);
    expect(relativeError(respond(filter(butter), 16_000), expected)).toBeLessThan(1e-12);
  });

  it('y[k] sees x[k] before the input enters: the first output of a strictly proper system is 0', () => {
    const y = evaluate(lti({ A: [[0.5]], B: [[1]], C: [[1]], D: [[0]] }), {}, { input: impulse })['output']!;
    expect([...y.subarray(0, 4)]).toEqual([0, 1, 0.5, 0.25]);
  });

  it('discretises a double integrator exactly: position is ½ t² under a constant force', () => {
    const model = lti(doubleIntegrator, { domain: 'continuous', discretization: zoh });
    const y = evaluate(model, {}, { input: new Float64Array(101).fill(1) }, { sampleRate: 10 })['output']!;
    expect(y[100]).toBeCloseTo(50, 12);
  });

  it('follows the rate: the same time constant at 1 and at 4 kHz', () => {
    const model = lti({ b: [1], a: [0.01, 1] }, { domain: 'continuous' });
    const step = (rate: number): number =>
      evaluate(model, {}, { input: new Float64Array(rate).fill(1) }, { sampleRate: rate })['output']![
        rate / 100
      ]!;
    expect(step(1000)).toBeCloseTo(1 - Math.exp(-1), 12);
    expect(step(4000)).toBeCloseTo(1 - Math.exp(-1), 12);
  });

  it('discretises an analog filter by a method of choice', () => {
    const low = { family: 'butterworth', order: 2, type: 'lowpass', cutoff: 100 } as const;
    const ofBilinear = respond(filter(low, { discretization: bilinear }), 48_000);
    const prewarped = respond(filter(low), 48_000);
    // Far below half the rate, warping hardly matters; Euler is off by more.
    expect(relativeError(ofBilinear, prewarped)).toBeLessThan(1e-3);
    expect(relativeError(respond(filter(low, { discretization: euler }), 48_000), prewarped)).toBeGreaterThan(
      1e-3,
    );
  });

  it('refuses b and a in float32 that no longer say which filter they are, and takes them in float64', () => {
    const tf = zpkToTf(
      designFilter({
        family: 'elliptic',
        order: 8,
        type: 'bandpass',
        cutoff: [300, 3400],
        ripple: 1,
        attenuation: 60,
        sampleRate: 48_000,
      }),
    );
    expect(() => lti(tf, { arithmetic: 'signal' })).toThrow(ArgumentError);
    expect(() => lti(tf, { arithmetic: 'signal' })).toThrow(/second-order sections/);
    expect(lti(zpkToTf(zpk)).inputs).toEqual({ input: [1] });
  });

  it('names the value, the place and the cure', () => {
    expect(() => compile(filter(butter), {})).toThrow(/hertz.*sampleRate/);
    expect(() => compile(filter(butter), {}, { sampleRate: 6000 })).toThrow(/3400/);
    expect(() => compile(lti({ sections }, { sampleRate: 16_000 }), {}, { sampleRate: 8000 })).toThrow(
      GraphError,
    );
    expect(() => compile(lti({ sections }, { sampleRate: 16_000 }), {}, { sampleRate: 8000 })).toThrow(
      /resample the input to 16000 Hz/,
    );
    expect(() => lti({ A: [[1, 2]], B: [[1]], C: [[1]], D: [[0]] })).toThrow(ArgumentError);
    expect(() => lti({ A: [[0.5]], B: [[1, 1]], C: [[1]], D: [[0, 0]] }, { channels: 2 })).toThrow(
      /2 inputs/,
    );
  });
});
