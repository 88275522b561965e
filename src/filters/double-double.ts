/**
 * Sums and products in twice the precision of a float64: a value is an unevaluated sum high + low, |low| ≤ ulp/2 of
 * high, about 106 bits (Dekker, Numer. Math. 18, 1971; Knuth, TAOCP 2, §4.2.2). For polynomials whose value is all
 * cancellation.
 */
export type DoubleDouble = readonly [high: number, low: number];

/** 2^27 + 1: splits 53 bits into two halves whose products are exact. */
const SPLITTER = 134217729;

/** a + b exactly. */
export function twoSum(a: number, b: number): DoubleDouble {
  const sum = a + b;
  const part = sum - a;
  return [sum, a - (sum - part) + (b - part)];
}

/** a · b exactly, short of overflow (|a|, |b| < 2^996) and underflow. */
export function twoProduct(a: number, b: number): DoubleDouble {
  const product = a * b;
  const [ta, tb] = [SPLITTER * a, SPLITTER * b];
  const [ah, bh] = [ta - (ta - a), tb - (tb - b)];
  const [al, bl] = [a - ah, b - bh];
  return [product, al * bl - (product - ah * bh - al * bh - ah * bl)];
}

export function addDouble(x: DoubleDouble, y: DoubleDouble): DoubleDouble {
  const [high, low] = twoSum(x[0], y[0]);
  const [lowHigh, lowLow] = twoSum(x[1], y[1]);
  const [sum, rest] = fastTwoSum(high, low + lowHigh);
  return fastTwoSum(sum, rest + lowLow);
}

export function scaleDouble(x: DoubleDouble, by: number): DoubleDouble {
  const [high, low] = twoProduct(x[0], by);
  return fastTwoSum(high, low + x[1] * by);
}

/** a + b exactly, for |a| ≥ |b|. */
function fastTwoSum(a: number, b: number): DoubleDouble {
  const sum = a + b;
  return [sum, b - (sum - a)];
}
