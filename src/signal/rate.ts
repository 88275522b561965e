/**
 * Frames of a signal for each frame of the model's input, as a fraction in lowest terms:
 * 1/2 behind a stride of two, 2/1 behind a transposed stride of two.
 */
export interface Rate {
  readonly numerator: number;
  readonly denominator: number;
}

export const unitRate: Rate = { numerator: 1, denominator: 1 };

export function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

export const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b;

/** The rate behind an op that writes `emit` frames for every `stride` frames it takes. */
export function scaleRate(rate: Rate, emit: number, stride: number): Rate {
  const numerator = rate.numerator * emit;
  const denominator = rate.denominator * stride;
  const divisor = greatestCommonDivisor(numerator, denominator);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

export const sameRate = (a: Rate, b: Rate): boolean =>
  a.numerator === b.numerator && a.denominator === b.denominator;

export const formatRate = (rate: Rate): string =>
  rate.denominator === 1 ? `${rate.numerator}` : `${rate.numerator}/${rate.denominator}`;
