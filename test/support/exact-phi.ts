/**
 * φ-functions of a complex float64 number in fixed-point integers of 600 bits: an oracle that shares no rounding and
 * no formula with the code under test. φₖ(z) = Σⱼ zʲ/(j + k)!, φₖ′(z) = Σⱼ (j + 1) zʲ/(j + 1 + k)!.
 */
const BITS = 600n;
const ONE = 1n << BITS;

/** A float64 as a fixed-point integer: exact from 2^-540 on, 0 below. */
function fixed(x: number): bigint {
  if (Math.abs(x) < 2 ** -540) return 0n; // below 2^-600 of any result
  const exponent = Math.floor(Math.log2(Math.abs(x)));
  const mantissa = BigInt(x * 2 ** (52 - exponent)); // an integer below 2^54: exact
  const shift = BITS - 52n + BigInt(exponent);
  return shift >= 0n ? mantissa << shift : mantissa >> -shift;
}

const toNumber = (x: bigint): number => {
  // 64 significant bits, then one rounding.
  const size = (x < 0n ? -x : x).toString(2).length;
  const drop = BigInt(Math.max(0, size - 64));
  return Number(x >> drop) * 2 ** (Number(drop) - Number(BITS));
};

/** Σ coefficient(j) zʲ / (j + k)! until the terms vanish; [re, im]. */
function series(
  zRe: number,
  zIm: number,
  k: number,
  coefficient: (j: number) => bigint,
): [re: number, im: number] {
  const [x, y] = [fixed(zRe), fixed(zIm)];
  let factorial = 1n;
  for (let i = 2n; i <= BigInt(k); i++) factorial *= i;
  let [re, im] = [ONE / factorial, 0n]; // zʲ/(j + k)!
  let [sumRe, sumIm] = [0n, 0n];
  for (let j = 0; j < 2000 && (re !== 0n || im !== 0n); j++) {
    sumRe += coefficient(j) * re;
    sumIm += coefficient(j) * im;
    const next = BigInt(j + k + 1);
    [re, im] = [((re * x - im * y) >> BITS) / next, ((re * y + im * x) >> BITS) / next];
  }
  return [toNumber(sumRe), toNumber(sumIm)];
}

/** φₖ(z). k = 0 is e^z. */
export const exactPhi = (k: number, zRe: number, zIm: number): [number, number] =>
  series(zRe, zIm, k, () => 1n);

/** φₖ′(z) = Σⱼ (j + 1) zʲ/(j + k + 1)!. */
export const exactPhiPrime = (k: number, zRe: number, zIm: number): [number, number] =>
  series(zRe, zIm, k + 1, (j) => BigInt(j + 1));
