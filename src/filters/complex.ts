import type { Complex } from './types.ts';

/** Complex arithmetic on plain `{ re, im }` pairs: for designing filters, where clarity counts, not for signals. */

export const ZERO: Complex = { re: 0, im: 0 };
export const ONE: Complex = { re: 1, im: 0 };

export const complex = (re: number, im = 0): Complex => ({ re, im });
export const add = (x: Complex, y: Complex): Complex => ({ re: x.re + y.re, im: x.im + y.im });
export const subtract = (x: Complex, y: Complex): Complex => ({ re: x.re - y.re, im: x.im - y.im });
export const scale = (x: Complex, by: number): Complex => ({ re: x.re * by, im: x.im * by });
export const conjugate = (x: Complex): Complex => ({ re: x.re, im: -x.im });
export const magnitude = (x: Complex): number => Math.hypot(x.re, x.im);
export const distance = (x: Complex, y: Complex): number => Math.hypot(x.re - y.re, x.im - y.im);

export const multiply = (x: Complex, y: Complex): Complex => ({
  re: x.re * y.re - x.im * y.im,
  im: x.re * y.im + x.im * y.re,
});

/** x / y without overflow of |y|² (Smith, CACM 5(8), 1962). */
export function divide(x: Complex, y: Complex): Complex {
  if (Math.abs(y.re) >= Math.abs(y.im)) {
    const ratio = y.im / y.re;
    const denominator = y.re + y.im * ratio;
    return { re: (x.re + x.im * ratio) / denominator, im: (x.im - x.re * ratio) / denominator };
  }
  const ratio = y.re / y.im;
  const denominator = y.re * ratio + y.im;
  return { re: (x.re * ratio + x.im) / denominator, im: (x.im * ratio - x.re) / denominator };
}

export function exp(x: Complex): Complex {
  const r = Math.exp(x.re);
  return { re: r * Math.cos(x.im), im: x.im === 0 ? 0 : r * Math.sin(x.im) };
}

/** Principal square root; sqrt(conj x) = conj sqrt(x) off the negative real axis, where it is exactly imaginary. */
export function sqrt(x: Complex): Complex {
  if (x.im === 0) return x.re >= 0 ? { re: Math.sqrt(x.re), im: 0 } : { re: 0, im: Math.sqrt(-x.re) };
  // The sum in the larger part has no cancellation; the other follows from 2·re·im = x.im.
  const larger = Math.sqrt((magnitude(x) + Math.abs(x.re)) / 2);
  const smaller = Math.abs(x.im) / (2 * larger);
  const sign = Math.sign(x.im);
  return x.re >= 0 ? { re: larger, im: sign * smaller } : { re: smaller, im: sign * larger };
}

/** Π values, 1 for none. */
export const product = (values: readonly Complex[]): Complex => values.reduce(multiply, ONE);
