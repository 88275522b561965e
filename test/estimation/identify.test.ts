import { describe, expect, it } from 'vitest';
import { ArgumentError } from '../../src/errors.ts';
import { identify } from '../../src/estimation/index.ts';
import { random } from '../../src/init/index.ts';
import { lti } from '../../src/layers/index.ts';
import { compile } from '../../src/stream/index.ts';
import { relativeError } from '../contract/stream.ts';

/** Poles 0.95 e^{±0.4 i} and 0.7. */
const plant = {
  b: [0.2, 0.5, -0.1, 0.05],
  a: multiply([1, -2 * 0.95 * Math.cos(0.4), 0.95 ** 2], [1, -0.7]),
};
const POLES = [
  { re: 0.7, im: 0 },
  { re: 0.95 * Math.cos(0.4), im: 0.95 * Math.sin(0.4) },
  { re: 0.95 * Math.cos(0.4), im: -0.95 * Math.sin(0.4) },
];

function multiply(a: number[], b: number[]): number[] {
  const product = Array.from({ length: a.length + b.length - 1 }, () => 0);
  a.forEach((x, i) => b.forEach((y, j) => (product[i + j]! += x * y)));
  return product;
}

/** How far the nearest of the poles found is from one that is there. */
const off = (
  poles: readonly { re: number; im: number }[],
  pole: { readonly re: number; readonly im: number },
): number => Math.min(...poles.map(({ re, im }) => Math.hypot(re - pole.re, im - pole.im)));

function record(
  frames: number,
  noise: number,
  seed: number,
): { u: Float64Array; y: Float64Array; clean: Float64Array } {
  const source = random(seed);
  const u = Float64Array.from({ length: frames }, () => source.normal());
  const clean = Float64Array.from(compile(lti(plant), {}, { precision: 'float64' }).push(u));
  const power = Math.hypot(...clean) / Math.sqrt(frames);
  return { u, clean, y: clean.map((value) => value + noise * power * source.normal()) };
}

describe('system identification', () => {
  it('finds a system exactly where there is no noise', () => {
    const { u, y } = record(2000, 0, 1);
    const { poles, fit, system, singularValues } = identify(u, y, { order: 3 });
    for (const pole of POLES) expect(off(poles, pole)).toBeLessThan(1e-9);
    expect(fit).toBeGreaterThan(99.999);
    expect(singularValues[3]! / singularValues[0]!).toBeLessThan(1e-7);
    const impulse = Float64Array.from({ length: 60 }, (_, k) => (k === 0 ? 1 : 0));
    const response = (model: typeof plant | typeof system): Float64Array =>
      Float64Array.from(compile(lti(model), {}, { precision: 'float64' }).push(impulse));
    expect(relativeError(response(system), response(plant))).toBeLessThan(1e-9);
  });

  it.each([
    [0.1, 6e-3, 5e-4],
    [0.3, 2e-2, 1.5e-3],
  ])(
    'finds its poles in noise of %d of the output: the real one to %d, the resonance to %d',
    (noise, real, resonance) => {
      for (const seed of [1, 2, 3]) {
        const { u, y, clean } = record(10_000, noise, seed);
        const { poles, system, singularValues } = identify(u, y, { order: 3 });
        expect(off(poles, POLES[0]!)).toBeLessThan(real);
        expect(off(poles, POLES[1]!)).toBeLessThan(resonance);
        // Three stand out.
        expect(singularValues[2]!).toBeGreaterThan(2 * singularValues[3]!);
        // What is simulated from the input alone is nearer to the clean output than the recording is.
        const simulated = compile(lti(system), {}, { precision: 'float64' }).push(u);
        const error = Math.hypot(...clean.map((value, k) => value - simulated[k]!));
        expect(error / Math.hypot(...clean)).toBeLessThan(noise / 5);
      }
    },
  );

  it('finds several inputs and outputs, and noise inside the system', () => {
    const A = [
      [0.9, 0.2, 0],
      [-0.2, 0.9, 0.1],
      [0, 0, 0.5],
    ];
    const B = [
      [1, 0],
      [0, 0.5],
      [0.3, 1],
    ];
    const C = [
      [1, 0, 0.5],
      [0, 1, 0],
    ];
    const source = random(6);
    const frames = 12_000;
    const u = Float64Array.from({ length: 2 * frames }, () => source.normal());
    const y = new Float64Array(2 * frames);
    let x = [0, 0, 0];
    for (let k = 0; k < frames; k++) {
      for (let o = 0; o < 2; o++)
        y[2 * k + o] = C[o]!.reduce((sum, c, i) => sum + c * x[i]!, 0.1 * source.normal());
      x = A.map(
        (row, i) =>
          row.reduce((sum, a, j) => sum + a * x[j]!, 0.2 * source.normal()) +
          B[i]!.reduce((sum, b, j) => sum + b * u[2 * k + j]!, 0),
      );
    }
    const { poles } = identify(u, y, { order: 3, inputs: 2, outputs: 2 });
    const truth = [
      { re: 0.9, im: 0.2 },
      { re: 0.9, im: -0.2 },
      { re: 0.5, im: 0 },
    ];
    for (const pole of truth) expect(off(poles, pole)).toBeLessThan(0.01);
  });

  it('refuses what can’t be', () => {
    const { u, y } = record(2000, 0, 1);
    expect(() => identify(u.subarray(0, 50), y.subarray(0, 50), { order: 3 })).toThrow(
      /50 frames for 81 unknowns/,
    );
    expect(() => identify(u, y.subarray(1), { order: 3 })).toThrow(ArgumentError);
    expect(() => identify(u, y, { order: 8 })).toThrow(/more than the data show/);
  });
});
