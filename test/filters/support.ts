import { expect } from 'vitest';
import type { Complex, Section, SisoStateSpace, TransferFunction } from '../../src/filters/index.ts';

/** Sections as the transposed direct form II runs them, in float64. */
export function runSections(
  sections: readonly Section[],
  input: ArrayLike<number>,
  initial: readonly (readonly [number, number])[] = sections.map(() => [0, 0]),
): Float64Array {
  const signal = Float64Array.from(input);
  for (const [i, [b0, b1, b2, , a1, a2]] of sections.entries()) {
    let [s1, s2] = initial[i];
    for (let k = 0; k < signal.length; k++) {
      const u = signal[k];
      const y = b0 * u + s1;
      s1 = b1 * u - a1 * y + s2;
      s2 = b2 * u - a2 * y;
      signal[k] = y;
    }
  }
  return signal;
}

/** b and a as the difference equation says, in float64 (direct form I). */
export function runDifferenceEquation({ b, a }: TransferFunction, input: ArrayLike<number>): Float64Array {
  const y = new Float64Array(input.length);
  for (let k = 0; k < y.length; k++) {
    let sum = 0;
    for (let i = 0; i < b.length && i <= k; i++) sum += b[i] * input[k - i];
    for (let i = 1; i < a.length && i <= k; i++) sum -= a[i] * y[k - i];
    y[k] = sum / a[0];
  }
  return y;
}

/** y[k] = C x[k] + D u[k], then x[k+1] = A x[k] + B u[k], in float64. */
export function runStateSpace({ A, B, C, D }: SisoStateSpace, input: ArrayLike<number>): Float64Array {
  let x = B.map(() => 0);
  return Float64Array.from(input, (u) => {
    const y = C.reduce((sum, value, i) => sum + value * x[i], D * u);
    x = A.map((row, i) => row.reduce((sum, value, j) => sum + value * x[j], B[i] * u));
    return y;
  });
}

/**
 * Largest distance between two sets of roots, matched greedily, relative to the size of the wanted root where that is
 * above `floor`, else to `floor`.
 */
export function rootError(got: readonly Complex[], wanted: readonly Complex[], floor = 0): number {
  expect(got.length, 'number of roots').toBe(wanted.length);
  const left = [...wanted];
  let worst = 0;
  for (const root of got) {
    const gaps = left.map(({ re, im }) => Math.hypot(re - root.re, im - root.im));
    const nearest = gaps.indexOf(Math.min(...gaps));
    const size = Math.max(Math.hypot(left[nearest].re, left[nearest].im), floor);
    worst = Math.max(worst, size === 0 ? gaps[nearest] : gaps[nearest] / size);
    left.splice(nearest, 1);
  }
  return worst;
}

/** Fixtures hold one of each conjugate pair. */
export const withConjugates = (half: readonly (readonly [number, number])[]): Complex[] =>
  half.flatMap(([re, im]) =>
    im === 0
      ? [{ re, im }]
      : [
          { re, im },
          { re, im: -im },
        ],
  );

export const real = (re: number): Complex => ({ re, im: 0 });
export const pair = (re: number, im: number): Complex[] => [
  { re, im },
  { re, im: -im },
];

export const impulse = (frames: number): Float64Array =>
  Float64Array.from({ length: frames }, (_, k) => +(k === 0));

/** Rational function of zeros, poles and gain at a complex point. */
export function evaluateZpk(
  { zeros, poles, gain }: { zeros: readonly Complex[]; poles: readonly Complex[]; gain: number },
  at: Complex,
): Complex {
  let [re, im] = [gain, 0];
  for (const zero of zeros) {
    const [x, y] = [at.re - zero.re, at.im - zero.im];
    [re, im] = [re * x - im * y, re * y + im * x];
  }
  for (const pole of poles) {
    const [x, y] = [at.re - pole.re, at.im - pole.im];
    const square = x * x + y * y;
    [re, im] = [(re * x + im * y) / square, (im * x - re * y) / square];
  }
  return { re, im };
}
