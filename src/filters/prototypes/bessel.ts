import { ArgumentError } from '../../errors.ts';
import { divide, magnitude, multiply, ONE, scale, subtract } from '../complex.ts';
import { requireOrder } from '../validate.ts';
import type { Complex, ZerosPolesGain } from '../types.ts';

/** What the tests vouch for; a Bessel filter's delay is flat to far beyond its passband long before. */
export const MAX_BESSEL_ORDER = 50;

/**
 * Bessel's (Thomson's) analog lowpass, maximally flat group delay, normalised to phase: its asymptotes are those of
 * the Butterworth filter of the same cutoff, and the phase is half way at 1 rad/s (scipy's `norm='phase'`).
 * Poles: roots of the reverse Bessel polynomial θ_N, divided by ((2N)! / (N! 2^N))^(1/N)
 * (Thomson, Proc. IEE 96, 1949).
 *
 * Poles to a few ulp: the polynomial is evaluated in integers, see {@link besselRoots}.
 *
 * @param order 1 to 50
 * @example bessel(4)
 */
export function bessel(order: number): ZerosPolesGain {
  requireOrder(order, 'bessel');
  if (order > MAX_BESSEL_ORDER) {
    throw new ArgumentError(
      `bessel: order is ${order}: orders up to ${MAX_BESSEL_ORDER} are designed; ` +
        `lower the order or cascade two filters`,
    );
  }
  // θ_N(0) = (2N)! / (N! 2^N) = 1·3·5 … (2N-1), the product of the poles' magnitudes.
  let logarithm = 0;
  for (let n = 1; n <= order; n++) logarithm += Math.log(2 * n - 1);
  const radius = Math.exp(logarithm / order);
  return { zeros: [], poles: besselRoots(order).map((root) => scale(root, 1 / radius)), gain: 1 };
}

/**
 * Roots of θ_N by Aberth's iteration, on the upper half plane with each root's mirror image, so that conjugates are
 * exact. Near its roots θ_N is so small beside its terms that float64 loses four digits of the poles at N = 10 and
 * all but four at N = 25; so its value comes from the three-term recurrence θ_n = (2n-1) θ_{n-1} + s² θ_{n-2} in fixed-point
 * integers. Only the quotient θ_N'/θ_N = 1 - s θ_{N-1}/θ_N returns to float64.
 */
function besselRoots(order: number): Complex[] {
  const real = order % 2;
  const count = (order + real) / 2;
  // Near the curve on which the roots lie: an arc round the origin of the left half plane.
  const roots = Array.from({ length: count }, (_, i) => {
    const angle = (Math.PI * (order - 1 - 2 * i)) / (2 * order + 2);
    return { re: -order * 0.7 * Math.cos(angle), im: order * 0.9 * Math.sin(angle) };
  });
  if (real === 1) roots[count - 1] = { re: roots[count - 1].re, im: 0 };
  for (let iteration = 0; iteration < 200; iteration++) {
    let largest = 0;
    for (const [i, root] of roots.entries()) {
      let sum = logarithmicDerivative(order, root);
      for (const [j, other] of roots.entries()) {
        if (j !== i) sum = subtract(sum, divide(ONE, subtract(root, other)));
        if (other.im !== 0) sum = subtract(sum, divide(ONE, subtract(root, { re: other.re, im: -other.im })));
      }
      const step = divide(ONE, sum);
      if (!Number.isFinite(magnitude(step))) continue;
      roots[i] = subtract(root, root.im === 0 ? { re: step.re, im: 0 } : step);
      largest = Math.max(largest, magnitude(step) / magnitude(root));
    }
    if (largest < 4 * Number.EPSILON) break;
  }
  return roots.flatMap((root) => (root.im === 0 ? [root] : [root, { re: root.re, im: -root.im }]));
}

/** Integer and fraction of a complex number in units of 2^-bits. */
type Fixed = { readonly re: bigint; readonly im: bigint };

/** θ_N'(s)/θ_N(s) = 1 - s θ_{N-1}(s)/θ_N(s), both exact to 64 bits below the largest cancellation. */
function logarithmicDerivative(order: number, s: Complex): Complex {
  const bits = 128n + 4n * BigInt(order);
  // 2^60 s is a whole number for every s that float64 holds to an ulp, the roots being of size 1 to N.
  const fixed = (value: number) => BigInt(Math.round(value * 2 ** 60)) << (bits - 60n);
  const point: Fixed = { re: fixed(s.re), im: fixed(s.im) };
  const times = (x: Fixed, y: Fixed): Fixed => ({
    re: (x.re * y.re - x.im * y.im) >> bits,
    im: (x.re * y.im + x.im * y.re) >> bits,
  });
  const square = times(point, point);
  let previous: Fixed = { re: 1n << bits, im: 0n };
  let value: Fixed = { re: (1n << bits) + point.re, im: point.im };
  for (let n = 2n; n <= BigInt(order); n++) {
    const { re, im } = times(square, previous);
    [previous, value] = [value, { re: (2n * n - 1n) * value.re + re, im: (2n * n - 1n) * value.im + im }];
  }
  // The unit 2^-bits drops out of the quotient; at 50 the numbers stay below 2^600.
  const float = ({ re, im }: Fixed): Complex => ({ re: Number(re), im: Number(im) });
  return subtract(ONE, divide(multiply(s, float(previous)), float(value)));
}
