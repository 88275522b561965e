/**
 * | symbol | name | |
 * | --- | --- | --- |
 * | ε² | excess power at the ripple's edge | 10^(ripple/10) - 1 |
 * | k1 | discrimination | ε / √(10^(attenuation/10) - 1) |
 * | k | selectivity: passband edge / stopband edge | from N K(k')/K(k) = K(k1')/K(k1) |
 * | v0 | height of the poles' row in the u-plane | sc(v0 N K1 / K; k1') = 1/ε |
 */
import { ArgumentError } from '../../errors.ts';
import { product, scale } from '../complex.ts';
import { excessPower } from '../decibel.ts';
import { completeIntegral, inverseSc, jacobi, moduliFromNome } from '../elliptic-functions.ts';
import { requireDecibels, requireOrder } from '../validate.ts';
import type { Complex, ZerosPolesGain } from '../types.ts';

/**
 * Cauer's analog lowpass: equal ripple in both bands, the passband ending at 1 rad/s
 * (Orfanidis, Lecture Notes on Elliptic Filter Design, 2006, §§3–6; Parks and Burrus 1987, §7.2.7).
 *
 * @param ripple the passband's peak-to-peak ripple, dB
 * @param attenuation of the stopband, dB; above `ripple`
 * @example elliptic(5, 0.5, 60)
 */
export function elliptic(order: number, ripple: number, attenuation: number): ZerosPolesGain {
  requireOrder(order, 'elliptic');
  requireDecibels(ripple, 'ripple', 'elliptic');
  requireDecibels(attenuation, 'attenuation', 'elliptic');
  if (attenuation <= ripple) {
    throw new ArgumentError(
      `elliptic: attenuation is ${attenuation} dB and ripple ${ripple} dB: ` +
        `the stopband must lie below the passband's ripple; raise attenuation`,
    );
  }
  const epsilonSquared = excessPower(ripple);
  const stop = excessPower(attenuation);
  const k1 = Math.sqrt(epsilonSquared / stop);
  const k1c = Math.sqrt((stop - epsilonSquared) / stop);
  const quarter1 = completeIntegral(k1c);
  // The degree equation says that the nomes obey q^N = q1.
  const { modulus: k, complement: kc } = moduliFromNome(
    (-Math.PI * completeIntegral(k1)) / (quarter1 * order),
  );
  const quarter = completeIntegral(kc);
  const v0 = (quarter * inverseSc(1 / Math.sqrt(epsilonSquared), k1)) / (order * quarter1);
  const v = jacobi(v0, kc, k);

  const zeros: Complex[] = [];
  const poles: Complex[] = [];
  for (let j = 1 - (order % 2); j < order; j += 2) {
    const { sn, cn, dn } = jacobi((j * quarter) / order, k, kc);
    // 1 - (dn sv)² = cv² + (k sn sv)²
    const denominator = v.cn ** 2 + (k * sn * v.sn) ** 2;
    const pole = { re: -(cn * dn * v.sn * v.cn) / denominator, im: (sn * v.dn) / denominator };
    if (j === 0) {
      poles.push({ re: pole.re, im: 0 });
      continue;
    }
    poles.push(pole, { re: pole.re, im: -pole.im });
    zeros.push({ re: 0, im: 1 / (k * sn) }, { re: 0, im: -1 / (k * sn) });
  }
  const negated = (roots: Complex[]) => roots.map((root) => scale(root, -1));
  const atZero = order % 2 === 1 ? 1 : 1 / Math.sqrt(1 + epsilonSquared);
  return { zeros, poles, gain: (atZero * product(negated(poles)).re) / product(negated(zeros)).re };
}
