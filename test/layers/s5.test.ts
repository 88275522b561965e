import { describe, expect, it } from 'vitest';
import { bilinear, foh } from '../../src/discretize/index.ts';
import { ArgumentError, GraphError } from '../../src/errors.ts';
import { hippoEigen } from '../../src/init/index.ts';
import { initialise, s5 } from '../../src/layers/index.ts';
import { compile } from '../../src/stream/index.ts';
import { evaluate } from '../../src/train/index.ts';
import { verifyAdjoint } from '../contract/op.ts';
import { relativeError, verifyStream } from '../contract/stream.ts';
import { verifyGolden } from '../support/verify-golden.ts';

const plain = s5({ features: 3, states: 16, blocks: 2, sampleRate: 16_000 });
const full = s5({
  features: 2,
  states: 6,
  conjugates: false,
  discretization: bilinear,
  clipEigenvalues: true,
});
const both = s5({ features: 2, states: 8, bidirectional: true });
const complex = s5({ features: 2, states: 4, bidirectional: true, readOut: 'complex' });

verifyGolden('s5');
verifyStream({ name: 's5', model: plain, parameters: initialise(plain, 1) });
verifyStream({
  name: 's5 at another rate',
  model: plain,
  parameters: initialise(plain, 1),
  options: { sampleRate: 44_100 },
});
verifyStream({
  name: 's5 in irregular time',
  model: plain,
  parameters: initialise(plain, 1),
  options: { irregular: true },
});
verifyStream({ name: 's5 with all states, bilinear', model: full, parameters: initialise(full, 2) });
verifyAdjoint({ name: 's5', model: plain, parameters: initialise(plain, 3) });
verifyAdjoint({ name: 's5 with all states, bilinear', model: full, parameters: initialise(full, 4) });
verifyAdjoint({ name: 's5 in both directions', model: both, parameters: initialise(both, 5) });
verifyAdjoint({ name: 's5 in both directions, one C', model: complex, parameters: initialise(complex, 6) });

describe('s5', () => {
  it('starts from copies of HiPPO-LegS, of which V⁻¹ B and C V are real again in its own coordinates', () => {
    const parameters = initialise(plain, 7);
    const { W, V } = hippoEigen('legs', 8);
    const re = parameters.get('Lambda_re')!;
    const im = parameters.get('Lambda_im')!;
    expect([...re]).toEqual([...W.re.subarray(0, 4), ...W.re.subarray(0, 4)]);
    expect([...im]).toEqual([...W.im.subarray(0, 4), ...W.im.subarray(0, 4)]);
    // With all states kept, V (V⁻¹ B) is the real B that was drawn: its imaginary part vanishes.
    const one = s5({ features: 1, states: 8, conjugates: false });
    const B = initialise(one, 8).get('B')!;
    let largest = 0;
    for (let i = 0; i < 8; i++) {
      let [sumRe, sumIm] = [0, 0];
      for (let p = 0; p < 8; p++) {
        sumRe += V.re[i * 8 + p] * B[2 * p] - V.im[i * 8 + p] * B[2 * p + 1];
        sumIm += V.re[i * 8 + p] * B[2 * p + 1] + V.im[i * 8 + p] * B[2 * p];
      }
      largest = Math.max(largest, Math.abs(sumRe));
      expect(Math.abs(sumIm)).toBeLessThan(1e-14);
    }
    expect(largest).toBeGreaterThan(0.05);
  });

  it('with half of the pairs is the same system as with all of them', () => {
    const half = s5({ features: 2, states: 8 });
    const all = s5({ features: 2, states: 8, conjugates: false });
    const parameters = initialise(half, 9);
    const doubled = new Map(parameters);
    const mirror = (name: string, outer: number, inner: number, sign: (i: number) => number): void => {
      // Each run of `inner` numbers, and behind it its conjugate.
      const values = parameters.get(name)!;
      const result: number[] = [];
      for (let o = 0; o < outer; o++) {
        const run = [...values.subarray(o * inner, (o + 1) * inner)];
        result.push(...run, ...run.map((value, i) => sign(i) * value));
      }
      doubled.set(name, Float64Array.from(result));
    };
    const conjugate = (i: number): number => (i % 2 === 1 ? -1 : 1);
    mirror('Lambda_re', 1, 4, () => 1);
    mirror('Lambda_im', 1, 4, () => -1);
    mirror('log_step', 1, 4, () => 1);
    mirror('B', 1, 16, conjugate);
    mirror('C', 2, 8, conjugate);
    const input = Float64Array.from({ length: 400 }, (_, i) => Math.sin(i * 0.37));
    const [a, b] = [evaluate(half, parameters, { input }), evaluate(all, doubled, { input })];
    expect(relativeError(b['output'], a['output'])).toBeLessThan(1e-12);
  });

  it('looks back in both directions in irregular time as in regular', () => {
    const parameters = initialise(both, 10);
    const input = Float64Array.from({ length: 60 }, (_, i) => Math.cos(i * 0.7));
    const regular = evaluate(both, parameters, { input })['output'];
    const dt = new Float64Array(30).fill(1);
    expect(evaluate(both, parameters, { input, dt }, { irregular: true })['output']).toEqual(regular);
    // And the port is not ignored.
    dt[10] = 0;
    const without = evaluate(both, parameters, { input, dt }, { irregular: true })['output'];
    expect(relativeError(without, regular)).toBeGreaterThan(1e-3);
  });

  it.each([
    ['float64', 1e-9],
    ['float32', 1e-5],
  ] as const)('one dt or the same in n parts, on a constant input, in %s', (precision, tolerance) => {
    const parameters = initialise(plain, 6);
    const open = () => compile(plain, parameters, { irregular: true, precision });
    for (const parts of [2, 7, 64]) {
      const once = open().push({ input: Float64Array.of(0.7, -0.2, 1), dt: Float64Array.of(32) });
      const input = Float64Array.from({ length: 3 * parts }, (_, i) => [0.7, -0.2, 1][i % 3]);
      const split = open().push({ input, dt: new Float64Array(parts).fill(32 / parts) });
      expect(relativeError(split.subarray(-3), once)).toBeLessThan(tolerance);
    }
  });

  it('clips Re Λ to −1e-4 where it is told to', () => {
    const model = s5({ features: 1, states: 2, clipEigenvalues: true });
    const unclipped = s5({ features: 1, states: 2 });
    const parameters = initialise(model, 1).set('Lambda_re', Float64Array.of(0.5));
    const limit = new Map(parameters).set('Lambda_re', Float64Array.of(-1e-4));
    const input = Float64Array.of(1, 0, 0, 0, 2);
    expect(evaluate(model, parameters, { input })).toEqual(evaluate(unclipped, limit, { input }));
  });

  it('refuses what does not fit, by name', () => {
    expect(() => compile(both, initialise(both, 1))).toThrow(GraphError);
    expect(() => compile(both, initialise(both, 1))).toThrow(/reverse.*bidirectional: false/);
    expect(() => s5({ features: 1, states: 12, blocks: 4 })).toThrow(ArgumentError);
    expect(() => s5({ features: 1, states: 12, blocks: 4 })).toThrow(/12 states in 4 blocks.*even/);
    const held = s5({ features: 1, states: 4, discretization: foh });
    expect(compile(held, initialise(held, 1)).push(new Float32Array(4))).toHaveLength(4);
  });
});
