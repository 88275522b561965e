/**
 * Functions of one number in float64, exact for large, small and negative arguments.
 */

export const sigmoid = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

/** ln(1 + eˣ): x itself for large x, eˣ for very negative x (where 1 + eˣ would round to 1). */
export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** The x of softplus(x) = y, y > 0: y + ln(1 − e^−y), exact where e^y − 1 would cancel or overflow. */
export function inverseSoftplus(y: number): number {
  return y + Math.log(-Math.expm1(-y));
}

/**
 * The error function, to about 1e-15.
 *
 * Below 2 the Maclaurin series in its positive form, erf x = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!;
 * above, the continued fraction of erfc (Abramowitz & Stegun 7.1.6 and 7.1.14).
 */
export function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude > 6) return Math.sign(x);
  const gauss = Math.exp(-x * x);
  if (magnitude < 2) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return ((2 * gauss) / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = magnitude;
  for (let n = 60; n >= 1; n--) fraction = magnitude + n / 2 / fraction;
  return Math.sign(x) * (1 - gauss / (Math.sqrt(Math.PI) * fraction));
}

/** The standard normal distribution's cumulative function. */
export const normalCdf = (x: number): number => 0.5 * (1 + erf(x * Math.SQRT1_2));

export const normalPdf = (x: number): number => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
