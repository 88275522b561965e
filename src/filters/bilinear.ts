import { ArgumentError } from '../errors.ts';
import { add, complex, divide, product, subtract } from './complex.ts';
import { splitConjugates } from './conjugates.ts';
import { requirePositive } from './validate.ts';
import type { Complex, ZerosPolesGain } from './types.ts';

/**
 * The bilinear (Tustin) transform s = (2/dt)(z - 1)/(z + 1) of poles and zeros; zeros at infinity go to z = -1.
 *
 * @param dt seconds per frame; {@link prewarp} gives the one that keeps the response at a frequency
 * @throws ArgumentError for more zeros than poles, or a pole at s = 2/dt
 * @example bilinear({ zeros: [], poles: [{ re: -1, im: 0 }], gain: 1 }, 0.01)
 */
export function bilinear({ zeros, poles, gain }: ZerosPolesGain, dt: number): ZerosPolesGain {
  requirePositive(dt, 'dt (s)', 'bilinear');
  const degree = poles.length - zeros.length;
  if (degree < 0) {
    throw new ArgumentError(
      `bilinear: ${zeros.length} zeros and ${poles.length} poles: an analog filter with more zeros than poles ` +
        `has no bounded response; add poles`,
    );
  }
  splitConjugates(zeros, 'bilinear: zeros');
  splitConjugates(poles, 'bilinear: poles');
  const corner = { re: 2 / dt, im: 0 };
  for (const pole of poles) {
    if (pole.im === 0 && pole.re === corner.re) {
      throw new ArgumentError(
        `bilinear: the pole at ${pole.re} rad/s equals 2/dt and has no image: change dt`,
      );
    }
  }
  const image = (root: Complex) => divide(add(corner, root), subtract(corner, root));
  // Pole by pole, so that products of large numbers do not overflow at high orders.
  let scaled: Complex = { re: gain, im: 0 };
  for (let i = 0; i < poles.length; i++) {
    const factor = i < zeros.length ? subtract(corner, zeros[i]) : { re: 1, im: 0 };
    scaled = divide(product([scaled, factor]), subtract(corner, poles[i]));
  }
  return {
    zeros: [...zeros.map(image), ...Array.from({ length: degree }, () => complex(-1))],
    poles: poles.map(image),
    gain: scaled.re,
  };
}

/**
 * The dt for which the bilinear transform, run at `dt`, gives H(jω) exactly at ω = `frequency`:
 * tan(ω dt/2) = ω dt'/2.
 *
 * @param frequency rad/s, above 0 and below π/dt
 * @returns dt' in seconds
 * @example bilinear(analog, prewarp(2 * Math.PI * 1000, 1 / 48_000))
 */
export function prewarp(frequency: number, dt: number): number {
  requirePositive(dt, 'dt (s)', 'prewarp');
  if (!(frequency > 0 && frequency * dt < Math.PI)) {
    throw new ArgumentError(
      `prewarp: frequency is ${frequency} rad/s at dt = ${dt} s: ` +
        `give one above 0 and below π/dt = ${Math.PI / dt} rad/s`,
    );
  }
  return (2 * Math.tan((frequency * dt) / 2)) / frequency;
}
