/**
 * Arithmetic on the text of expressions. Zeros and ones fold away, so that one formula for complex numbers
 * gives the real one where the imaginary parts are absent.
 */
export type Complex = readonly [re: string, im: string];

export const ZERO = '0';
export const ONE = '1';

export const isAtom = (value: string): boolean => /^[\w.]+$/.test(value);

export const add = (a: string, b: string): string => (a === ZERO ? b : b === ZERO ? a : `(${a} + ${b})`);

export const subtract = (a: string, b: string): string =>
  b === ZERO ? a : a === ZERO ? negate(b) : `(${a} - ${b})`;

export const negate = (a: string): string => (a === ZERO ? ZERO : `(0 - ${a})`);

export const multiply = (a: string, b: string): string =>
  a === ZERO || b === ZERO ? ZERO : a === ONE ? b : b === ONE ? a : `(${a} * ${b})`;

export const real = (re: string): Complex => [re, ZERO];
export const conjugate = ([re, im]: Complex): Complex => [re, negate(im)];
export const scale = (by: string, [re, im]: Complex): Complex => [multiply(by, re), multiply(by, im)];
export const plus = (a: Complex, b: Complex): Complex => [add(a[0], b[0]), add(a[1], b[1])];
export const realOfProduct = (a: Complex, b: Complex): string =>
  subtract(multiply(a[0], b[0]), multiply(a[1], b[1]));
export const times = (a: Complex, b: Complex): Complex => [
  realOfProduct(a, b),
  add(multiply(a[0], b[1]), multiply(a[1], b[0])),
];
