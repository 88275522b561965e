/**
 * Elementary functions for kernels in float32, within 3e-7 relative (of the modulus) wherever they are used.
 * Devices promise far less: WGSL allows sin and cos an error of 2^-11, and gpu.js's expm1 is exp(x) − 1.
 *
 * Sine and cosine subtract multiples of π in three parts whose products are exact (Cody & Waite 1980, ch. 8; the
 * split of Cephes' sinf) and sum the Taylor series to x¹¹ and x¹² on ±π/2.
 */
const reduce = `
  const turns = Math.floor(x * 0.3183098861837907 + 0.5);
  const r = ((x - turns * 3.140625) - turns * 0.00096750259399414062) - turns * 0.00000015099579909783765;
  const rr = r * r;
  const sign = 1 - 2 * (turns - 2 * Math.floor(turns * 0.5));`;

export const deviceFunctions: readonly string[] = [
  `function growth(x) {
  if (x > 0.5) { return Math.exp(x) - 1; }
  if (x < -0.5) { return Math.exp(x) - 1; }
  return x * (1 + x * (0.5 + x * (0.16666666666666666 + x * (0.041666666666666664 + x * (0.008333333333333333
    + x * (0.001388888888888889 + x * (0.0001984126984126984 + x * 0.0000248015873015873)))))));
}`,
  `function sine(x) {${reduce}
  return sign * r * (1 + rr * (-0.16666666666666666 + rr * (0.008333333333333333 + rr * (-0.0001984126984126984
    + rr * (0.000002755731922398589 - rr * 0.00000002505210838544172)))));
}`,
  `function cosine(x) {${reduce}
  return sign * (1 + rr * (-0.5 + rr * (0.041666666666666664 + rr * (-0.001388888888888889
    + rr * (0.0000248015873015873 + rr * (-0.0000002755731922398589 + rr * 0.000000002087675698786810))))));
}`,
];
