/**
 * From the lowpass at 1 rad/s to the wanted band (Constantinides' analog transforms; Parks and Burrus 1987, §7.3).
 *
 * | type | s becomes |
 * | --- | --- |
 * | lowpass | s/ω0 |
 * | highpass | ω0/s |
 * | bandpass | (s² + ω0²)/(B s) |
 * | bandstop | B s/(s² + ω0²) |
 *
 * Gains stay what the prototype had at its own zero frequency.
 */
import { add, divide, magnitude, multiply, product, scale, sqrt, subtract } from './complex.ts';
import type { Complex, ZerosPolesGain } from './types.ts';

/** Roots of x² - 2 h x + w²; exact conjugates for real h, no cancellation otherwise. */
function bandRoots(half: Complex, centre: number): Complex[] {
  const discriminant = subtract(multiply(half, half), { re: centre * centre, im: 0 });
  const root = sqrt(discriminant);
  const [plus, minus] = [add(half, root), subtract(half, root)];
  if (half.im === 0 && root.re === 0) return [plus, minus];
  const larger = magnitude(plus) >= magnitude(minus) ? plus : minus;
  return [larger, divide({ re: centre * centre, im: 0 }, larger)];
}

const zerosAt = (root: Complex, count: number): Complex[] => new Array<Complex>(count).fill(root);
const negated = (roots: readonly Complex[]) => roots.map((root) => scale(root, -1));
const gainOfInverse = ({ zeros, poles, gain }: ZerosPolesGain): number =>
  (gain * product(negated(zeros)).re) / product(negated(poles)).re;
const inverted = (roots: readonly Complex[], by: number) =>
  roots.map((root) => divide({ re: by, im: 0 }, root));

/** Cutoff from 1 rad/s to `cutoff` rad/s. */
export function toLowpass({ zeros, poles, gain }: ZerosPolesGain, cutoff: number): ZerosPolesGain {
  return {
    zeros: zeros.map((zero) => scale(zero, cutoff)),
    poles: poles.map((pole) => scale(pole, cutoff)),
    gain: gain * cutoff ** (poles.length - zeros.length),
  };
}

/** A highpass of the cutoff `cutoff` rad/s. */
export function toHighpass(prototype: ZerosPolesGain, cutoff: number): ZerosPolesGain {
  const { zeros, poles } = prototype;
  return {
    zeros: [...inverted(zeros, cutoff), ...zerosAt({ re: 0, im: 0 }, poles.length - zeros.length)],
    poles: inverted(poles, cutoff),
    gain: gainOfInverse(prototype),
  };
}

/** A bandpass between `low` and `high` rad/s; twice the order. */
export function toBandpass(
  { zeros, poles, gain }: ZerosPolesGain,
  low: number,
  high: number,
): ZerosPolesGain {
  const width = high - low;
  const centre = Math.sqrt(low * high);
  const degree = poles.length - zeros.length;
  const split = (roots: readonly Complex[]) =>
    roots.flatMap((root) => bandRoots(scale(root, width / 2), centre));
  return {
    zeros: [...split(zeros), ...zerosAt({ re: 0, im: 0 }, degree)],
    poles: split(poles),
    gain: gain * width ** degree,
  };
}

/** A bandstop between `low` and `high` rad/s; twice the order. */
export function toBandstop(prototype: ZerosPolesGain, low: number, high: number): ZerosPolesGain {
  const { zeros, poles } = prototype;
  const width = high - low;
  const centre = Math.sqrt(low * high);
  const degree = poles.length - zeros.length;
  const split = (roots: readonly Complex[]) =>
    inverted(roots, width / 2).flatMap((half) => bandRoots(half, centre));
  return {
    zeros: [
      ...split(zeros),
      ...zerosAt({ re: 0, im: centre }, degree),
      ...zerosAt({ re: 0, im: -centre }, degree),
    ],
    poles: split(poles),
    gain: gainOfInverse(prototype),
  };
}
