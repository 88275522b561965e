/*
 * beta         shape of the Kaiser window                   scalar
 * attenuation  depth of the stop band, dB                   scalar
 * x            position in the window, −1 … 1               scalar
 *
 * J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window function", ISCAS 1974;
 * the formulas as in Oppenheim and Schafer, "Discrete-Time Signal Processing", section 7.5.3.
 */

/** The shape that reaches `attenuation` dB (beyond 50 dB, which is all that is used here). */
export const kaiserBeta = (attenuation: number): number => 0.1102 * (attenuation - 8.7);

/** How many samples long a filter has to be whose transition band is `width` rad a sample wide. */
export const kaiserLength = (attenuation: number, width: number): number =>
  (attenuation - 7.95) / (2.285 * width) + 1;

/** The window at x, 1 in the middle, 0 outside −1 … 1. */
export function kaiser(x: number, beta: number): number {
  const inside = 1 - x * x;
  return inside < 0 ? 0 : besselI0(beta * Math.sqrt(inside)) / besselI0(beta);
}

/** Modified Bessel function of the first kind, order 0, by its power series (all terms positive: no cancellation). */
export function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let sum = 1;
  for (let k = 1, term = 1; term > sum * 1e-17; k++) {
    term *= quarter / (k * k);
    sum += term;
  }
  return sum;
}
