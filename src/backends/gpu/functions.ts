/**
 * Elementary functions for kernels in float32, within 3e-7 relative (of the modulus) wherever they are used.
 * Devices promise far less: WGSL allows sin and cos an error of 2^-11, and gpu.js's expm1 is exp(x) − 1.
 *
 * Sine and cosine subtract multiples of π in three parts whose products are exact (Cody & Waite 1980, ch. 8; the
 * split of Cephes' sinf) and sum the Taylor series to x¹¹ and x¹² on ±π/2.
 */
const reduce = `
  const turns = Math.floor(x * 0.3183098861837907 + 0.5);
  const r = (((x - turns * 3.140625) - turns * 0.00096750259399414062) - turns * 0.00000015099579909783765) + low;
  const rr = r * r;
  const sign = 1 - 2 * (turns - 2 * Math.floor(turns * 0.5));`;

export const deviceFunctions: readonly string[] = [
  `function growth(x) {
  if (x > 0.5) { return Math.exp(x) - 1; }
  if (x < -0.5) { return Math.exp(x) - 1; }
  return x * (1 + x * (0.5 + x * (0.16666666666666666 + x * (0.041666666666666664 + x * (0.008333333333333333
    + x * (0.001388888888888889 + x * (0.0001984126984126984 + x * 0.0000248015873015873)))))));
}`,
  // Of x + low, the second far below the first: an angle in two parts keeps what their sum would round away.
  `function sineOf(x, low) {${reduce}
  return sign * r * (1 + rr * (-0.16666666666666666 + rr * (0.008333333333333333 + rr * (-0.0001984126984126984
    + rr * (0.000002755731922398589 - rr * 0.00000002505210838544172)))));
}`,
  `function cosineOf(x, low) {${reduce}
  return sign * (1 + rr * (-0.5 + rr * (0.041666666666666664 + rr * (-0.001388888888888889
    + rr * (0.0000248015873015873 + rr * (-0.0000002755731922398589 + rr * 0.000000002087675698786810))))));
}`,
  `function sine(x) { return sineOf(x, 0); }`,
  `function cosine(x) { return cosineOf(x, 0); }`,
  // The leading 12 bits of a number (Veltkamp's splitting; in mode cpu numbers are float64 until they are told), whose products with whole numbers to 4096 are exact.
  `function leading(x) {
  const c = Math.fround(x * 4097);
  return Math.fround(c - Math.fround(c - x));
}`,
  // What float32 cuts off the leading 12 bits of a product, from products that are exact (Dekker 1971).
  `function productLess(a, b, lead) {
  const ah = leading(a);
  const al = a - ah;
  const bh = leading(b);
  const bl = b - bh;
  return ((ah * bh - lead) + ah * bl + al * bh) + al * bl;
}`,
  // 2ⁿ for whole n, exactly.
  `function powerOfTwo(n) {
  let m = Math.abs(n);
  let p = 1;
  if (m >= 64) { p = p * (n < 0 ? 5.421010862427522e-20 : 18446744073709552000); m = m - 64; }
  if (m >= 32) { p = p * (n < 0 ? 2.3283064365386963e-10 : 4294967296); m = m - 32; }
  if (m >= 16) { p = p * (n < 0 ? 0.0000152587890625 : 65536); m = m - 16; }
  if (m >= 8) { p = p * (n < 0 ? 0.00390625 : 256); m = m - 8; }
  if (m >= 4) { p = p * (n < 0 ? 0.0625 : 16); m = m - 4; }
  if (m >= 2) { p = p * (n < 0 ? 0.25 : 4); m = m - 2; }
  if (m >= 1) { p = p * (n < 0 ? 0.5 : 2); }
  return p;
}`,
  // eˣ to an ulp or two, for what everything else depends on: a device's own may be 3 + 2|x| of them off. ln 2 comes
  // in two parts, as in Cephes' expf.
  `function exponential(x) {
  const n = Math.floor(Math.min(Math.max(x, -87), 88) * 1.4426950408889634 + 0.5);
  const r = (x - n * 0.693359375) + n * 0.00021219444005469057;
  const e = 1 + r * (1 + r * (0.5 + r * (0.16666666666666666 + r * (0.041666666666666664 + r * (0.008333333333333333
    + r * (0.001388888888888889 + r * 0.0001984126984126984))))));
  return e * powerOfTwo(n);
}`,
  `function squared(x) { return x * x; }`,
  `function signum(x) {
  if (x > 0) { return 1; }
  if (x < 0) { return -1; }
  return 0;
}`,
  `function rectifier(x) { return Math.max(x, 0); }`,
  `function stepped(x) {
  if (x > 0) { return 1; }
  return 0;
}`,
  `function within(x, low, high) {
  if (x < low) { return 0; }
  if (x > high) { return 0; }
  return 1;
}`,
  `function bell(y) { return y * (1 - y); }`,
  // ln(1 + u): the logarithm's own series where 1 + u would round u away; never below ln of the least float.
  `function logOfOnePlus(u) {
  if (u > 0.05) { return Math.log(1 + u); }
  if (u < -0.05) { return Math.log(Math.max(1 + u, 1e-37)); }
  return u * (1 - u * (0.5 - u * (0.3333333333333333 - u * (0.25 - u * (0.2 - u * (0.16666666666666666
    - u * 0.14285714285714285))))));
}`,
  `function logistic(x) {
  if (x < 0) { const e = Math.exp(Math.max(x, -80)); return e / (1 + e); }
  return 1 / (1 + Math.exp(-x));
}`,
  `function rectified(x) {
  return Math.max(x, 0) + logOfOnePlus(Math.exp(-Math.abs(x)));
}`,
  `function tangent(x) {
  const xx = x * x;
  if (xx < 0.0625) {
    return x * (1 + xx * (-0.3333333333333333 + xx * (0.13333333333333333 + xx * (-0.05396825396825397
      + xx * (0.021869488536155203 - xx * 0.008863235529902197)))));
  }
  const e = Math.exp(-2 * Math.min(Math.abs(x), 20));
  const t = (1 - e) / (1 + e);
  return x < 0 ? 0 - t : t;
}`,
  // Φ(x) by erfc's rational Chebyshev form (Press et al., Numerical Recipes, §6.2), within 1.2e-7 of its own size.
  `function normalCdf(x) {
  const z = Math.abs(x) * 0.7071067811865476;
  const t = 1 / (1 + 0.5 * z);
  const tail = 0.5 * t * Math.exp(0 - z * z - 1.26551223 + t * (1.00002368 + t * (0.37409196 + t * (0.09678418
    + t * (-0.18628806 + t * (0.27886807 + t * (-1.13520398 + t * (1.48851587 + t * (-0.82215223
    + t * 0.17087277)))))))));
  return x < 0 ? tail : 1 - tail;
}`,
  `function gelu(x) { return x * normalCdf(x); }`,
  `function geluSlope(x) {
  return normalCdf(x) + x * Math.exp(0 - 0.5 * x * x) * 0.3989422804014327;
}`,
  `function silu(x) { return x * logistic(x); }`,
  `function siluSlope(x) {
  const s = logistic(x);
  return s * (1 + x * (1 - s));
}`,
  `function geluTanh(x) {
  return 0.5 * x * (1 + tangent(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}`,
  `function geluTanhSlope(x) {
  const t = tangent(0.7978845608028654 * (x + 0.044715 * x * x * x));
  return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * 0.7978845608028654 * (1 + 0.134145 * x * x);
}`,
];
