/**
 * Text that discretises a lane in float32, by the method's family.
 *
 * | symbol | name | |
 * | --- | --- | --- |
 * | z = dt·a | | |
 * | f(z) − 1 | `decay` | near f = 1 float32 holds f − 1 to 24 bits, f itself to 6e-8, which would misplace a slow lane |
 * | g(z) | `gain` | B̄ = dt g b |
 * | ln f(z) | `rate` | whose multiples are the logarithms of f's powers |
 */
import type { ScanMethod } from '../../../../../ops/diagonal-scan.ts';
import {
  ONE,
  ZERO,
  add,
  multiply,
  plus,
  real,
  scale,
  subtract,
  times,
  type Complex,
} from '../../../expression.ts';
import type { Source } from '../../../source.ts';

/** Families whose f and g are written here. */
export const hasDeviceForm = ({ family, usesPreviousInput }: ScanMethod): boolean =>
  usesPreviousInput !== true &&
  (family.kind !== 'exponential' || ['phi1', 'one', 'exp'].includes(family.input));

export interface Coefficients {
  readonly z: Complex;
  readonly decay: Complex;
  readonly gain: Complex;
}

export function coefficients(source: Source, { family }: ScanMethod, dt: string, a: Complex): Coefficients {
  const z = source.letComplex('z', scale(dt, a));
  if (family.kind === 'given') return { z, decay: [subtract(z[0], ONE), z[1]], gain: real(ONE) };
  if (family.kind === 'rational') {
    const gain = resolvent(source, z, family.alpha);
    return { z, decay: source.letComplex('decay', times(z, gain)), gain };
  }
  const decay = source.letComplex('decay', lessOne(source, z));
  if (family.input === 'one') return { z, decay, gain: real(ONE) };
  if (family.input === 'exp') return { z, decay, gain: plus(decay, real(ONE)) };
  return { z, decay, gain: phi1(source, z, decay) };
}

/** f′ and g′, where `coefficients` has been. */
export function slopes(
  source: Source,
  { family }: ScanMethod,
  { z, decay, gain }: Coefficients,
): { readonly decaySlope: Complex; readonly gainSlope: Complex } {
  if (family.kind === 'given') return { decaySlope: real(ONE), gainSlope: real(ZERO) };
  if (family.kind === 'rational') {
    const square = source.letComplex('square', times(gain, gain));
    return {
      decaySlope: square,
      gainSlope: family.alpha === 0 ? real(ZERO) : scale(`${family.alpha}`, square),
    };
  }
  const grown = source.letComplex('grown', plus(decay, real(ONE)));
  if (family.input === 'one') return { decaySlope: grown, gainSlope: real(ZERO) };
  if (family.input === 'exp') return { decaySlope: grown, gainSlope: grown };
  return { decaySlope: grown, gainSlope: phi1Slope(source, z, grown, gain) };
}

/**
 * ln f: its real part, and an angle that is 0 where everything is real and positive. The angle comes in two parts, the
 * leading 12 bits and the rest: its multiples would turn the rounding of one float into a wrong phase.
 */
export function logDecay(
  source: Source,
  { family }: ScanMethod,
  dt: string,
  a: Complex,
  decay: Complex,
): { readonly size: string; readonly angle: string; readonly angleLow: string } {
  if (family.kind === 'exponential') {
    const size = source.let('size', multiply(dt, a[0]));
    if (a[1] === ZERO) return { size, angle: ZERO, angleLow: ZERO };
    const angle = source.let('angle', `leading(${multiply(dt, a[1])})`);
    return { size, angle, angleLow: `productLess(${dt}, ${a[1]}, ${angle})` };
  }
  // ln |f| = ½ ln(1 + (|f|² − 1)) with |f|² − 1 = 2 Re d + |d|², d = f − 1.
  const square = add(multiply(decay[0], decay[0]), multiply(decay[1], decay[1]));
  const excess = source.let('excess', add(multiply('2', decay[0]), square));
  const size = source.let('size', `(0.5 * logOfOnePlus(${excess}))`);
  const whole = source.let('whole', `Math.atan2(${decay[1]}, ${add(decay[0], ONE)})`);
  const angle = source.let('angle', `leading(${whole})`);
  return { size, angle, angleLow: `(${whole} - ${angle})` };
}

/** ∂ ln f/∂z */
export function logDecaySlope(source: Source, method: ScanMethod, found: Coefficients): Complex {
  if (method.family.kind === 'exponential') return real(ONE);
  const { decaySlope } = slopes(source, method, found);
  return source.letComplex('rateSlope', divide(source, decaySlope, plus(found.decay, real(ONE))));
}

/** a / b */
export function divide(source: Source, a: Complex, b: Complex): Complex {
  if (b[1] === ZERO) return source.letComplex('ratio', over(a, b[0]));
  const size = source.let('size', add(multiply(b[0], b[0]), multiply(b[1], b[1])));
  return source.letComplex('ratio', over(times(a, [b[0], `(0 - ${b[1]})`]), size));
}

/** 1 / (1 − α z) */
function resolvent(source: Source, z: Complex, alpha: number): Complex {
  if (alpha === 0) return real(ONE);
  const re = source.let('dRe', subtract(ONE, multiply(`${alpha}`, z[0])));
  if (z[1] === ZERO) return real(source.let('gain', `(1 / ${re})`));
  const im = source.let('dIm', multiply(`${alpha}`, z[1]));
  const size = source.let('size', `(${re} * ${re} + ${im} * ${im})`);
  return source.letComplex('gain', [`(${re} / ${size})`, `(${im} / ${size})`]);
}

/**
 * e^z − 1 = (e^x − 1) cos y − 2 sin²(y/2) + i e^x sin y, of full relative accuracy near 0 and 2πik.
 *
 * @param low is added to y, which may be large.
 */
export function lessOne(source: Source, [x, y]: Complex, low = ZERO): Complex {
  const grown = source.let('grown', `growth(${x})`);
  if (y === ZERO) return real(grown);
  const half = source.let('half', `(${y} * 0.5)`);
  const rest = source.let('rest', low === ZERO ? ZERO : `(${low} * 0.5)`);
  const sine = source.let('sine', `sineOf(${half}, ${rest})`);
  const cosine = source.let('cosine', `cosineOf(${half}, ${rest})`);
  const versine = source.let('versine', `(2 * ${sine} * ${sine})`);
  return [`(${grown} - (${grown} + 1) * ${versine})`, `((${grown} + 1) * 2 * ${sine} * ${cosine})`];
}

/** φ₁ = (e^z − 1)/z, the quotient of two accurate numbers; 1 where z² underflows. */
function phi1(source: Source, z: Complex, decay: Complex): Complex {
  const size = source.let('size', add(multiply(z[0], z[0]), multiply(z[1], z[1])));
  const quotient = source.complexVariable('gain', z[1] !== ZERO, real(ONE));
  source.when(`${size} > 1e-30`, () => {
    if (z[1] === ZERO) source.set(quotient[0], `${decay[0]} / ${z[0]}`);
    else source.setComplex(quotient, over(times(decay, [z[0], `(0 - ${z[1]})`]), size));
  });
  return quotient;
}

/** φ₁′ = (e^z − φ₁)/z, by its series Σ (k+1) zᵏ/(k+2)! inside the unit disc, where the quotient cancels. */
function phi1Slope(source: Source, z: Complex, grown: Complex, gain: Complex): Complex {
  const size = source.let('size', add(multiply(z[0], z[0]), multiply(z[1], z[1])));
  const slope = source.complexVariable('slope', z[1] !== ZERO);
  source.when(`${size} < 1`, () => {
    source.setComplex(slope, real(`${SLOPE_SERIES.at(-1)!}`));
    for (const term of SLOPE_SERIES.slice(0, -1).toReversed()) {
      source.setComplex(slope, plus(times(slope, z), real(`${term}`)));
    }
  });
  source.when(`${size} >= 1`, () => {
    const difference = plus(grown, scale('(0 - 1)', gain));
    if (z[1] === ZERO) source.set(slope[0], `${difference[0]} / ${z[0]}`);
    else source.setComplex(slope, over(times(difference, [z[0], `(0 - ${z[1]})`]), size));
  });
  return slope;
}

/** (k+1)/(k+2)! for k = 0 … 9: what is left out is below 3e-8 at |z| = 1. */
const SLOPE_SERIES = Array.from({ length: 10 }, (_, k) => {
  let factorial = 1;
  for (let i = 2; i <= k + 2; i++) factorial *= i;
  return (k + 1) / factorial;
});

const over = ([re, im]: Complex, by: string): Complex => [
  `(${re} / ${by})`,
  im === ZERO ? ZERO : `(${im} / ${by})`,
];
