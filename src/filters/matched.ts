import { ArgumentError } from '../errors.ts';
import { complex, divide, exp, magnitude, multiply, ONE, scale, subtract } from './complex.ts';
import { splitConjugates } from './conjugates.ts';
import type { Complex, ZerosPolesGain } from './types.ts';
import { requirePositive } from './validate.ts';

export interface MatchedOptions {
  /** the frequency whose gain is kept, rad/s, from 0 to below π/dt. Default: 0 */
  frequency?: number;
  /** where zeros at infinity go: all to z = -1 (the default), or all but one, which leaves a frame of delay */
  delay?: boolean;
}

/**
 * The matched z-transform: each pole and zero goes to e^{s dt}, zeros at infinity to z = -1, and the gain is set so
 * that |H| is kept at one frequency (Franklin, Powell and Workman, Digital Control of Dynamic Systems, 3rd ed.,
 * §6.2). Poles and zeros at s = 0 leave no gain there; they are taken out of the comparison as s ≈ (z - 1)/dt, so
 * that an integrator keeps its slope.
 *
 * @param dt seconds per frame
 * @throws ArgumentError for more zeros than poles, a root at or beyond half the sample rate (it would fold over),
 *   or a zero or pole exactly at `frequency`
 * @example matchedZ({ zeros: [], poles: [{ re: 0, im: 1 }, { re: 0, im: -1 }], gain: 1 }, 1) // 1/(s² + 1)
 */
export function matchedZ(
  { zeros, poles, gain }: ZerosPolesGain,
  dt: number,
  options: MatchedOptions = {},
): ZerosPolesGain {
  const { frequency = 0, delay = false } = options;
  requirePositive(dt, 'dt (s)', 'matchedZ');
  if (!(frequency >= 0 && frequency * dt < Math.PI)) {
    throw new ArgumentError(
      `matchedZ: frequency is ${frequency} rad/s at dt = ${dt} s: give one from 0 to below π/dt = ${Math.PI / dt}`,
    );
  }
  const degree = poles.length - zeros.length;
  if (degree < 0) {
    throw new ArgumentError(`matchedZ: ${zeros.length} zeros and ${poles.length} poles: add poles`);
  }
  splitConjugates(zeros, 'matchedZ: zeros');
  splitConjugates(poles, 'matchedZ: poles');
  for (const root of [...zeros, ...poles]) {
    if (Math.abs(root.im) * dt >= Math.PI) {
      throw new ArgumentError(
        `matchedZ: the root at ${root.re} + ${root.im}i rad/s lies beyond half the sample rate ` +
          `(π/dt = ${Math.PI / dt} rad/s) and would fold over: shorten dt`,
      );
    }
  }
  const image = (root: Complex) => exp(scale(root, dt));
  const atNyquist = Math.max(degree - (delay ? 1 : 0), 0);
  const digital = {
    zeros: [...zeros.map(image), ...Array.from({ length: atNyquist }, () => complex(-1))],
    poles: poles.map(image),
  };
  const s = complex(0, frequency);
  const z = exp(scale(s, dt));
  const wanted = response(zeros, poles, s, (root) => subtract(s, root));
  const got = response(digital.zeros, digital.poles, z, (root) => scale(subtract(z, root), 1 / dt));
  // At frequency 0 the ratio is real and keeps the sign; elsewhere only the magnitude can be kept.
  const ratio = divide(wanted, got);
  const kept = frequency === 0 ? ratio.re : magnitude(ratio);
  // `got` measured every factor of H(z) in units of 1/dt.
  const units = dt ** (digital.poles.length - digital.zeros.length);
  if (!Number.isFinite(kept) || kept === 0) {
    throw new ArgumentError(
      `matchedZ: a pole or zero lies exactly at ${frequency} rad/s, where the gain is to be kept: ` +
        `choose another frequency`,
    );
  }
  return { ...digital, gain: gain * kept * units };
}

/** Π factor(zero) / Π factor(pole), without the roots that stand for s = 0 when the gain is matched there. */
function response(
  zeros: readonly Complex[],
  poles: readonly Complex[],
  at: Complex,
  factor: (root: Complex) => Complex,
): Complex {
  const atOrigin = (root: Complex) => at.im === 0 && root.re === at.re && root.im === at.im;
  const over = (roots: readonly Complex[]) =>
    roots.filter((root) => !atOrigin(root)).reduce((sum, root) => multiply(sum, factor(root)), ONE);
  return divide(over(zeros), over(poles));
}
