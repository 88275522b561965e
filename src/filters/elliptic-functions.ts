/**
 * Jacobi's elliptic functions, as elliptic filters need them.
 *
 * | symbol | name | |
 * | --- | --- | --- |
 * | k, k' | modulus, complementary modulus | k² + k'² = 1 |
 * | K(k) | complete integral of the first kind | quarter period |
 * | q | nome | exp(-π K(k') / K(k)) |
 *
 * Every function takes k and k' where it needs both: 1 - k² would lose all digits near k = 1, which is where steep
 * filters live. Errors are a few ulp (arithmetic-geometric mean: quadratic convergence).
 */

/** K of the modulus whose complement is `complement`: π / (2 AGM(1, k')) (DLMF 19.8.5). */
export function completeIntegral(complement: number): number {
  let [a, g] = [1, complement];
  while (Math.abs(a - g) > 1e-15 * a) [a, g] = [(a + g) / 2, Math.sqrt(a * g)];
  return Math.PI / (a + g);
}

/** Carlson's symmetric integral R_F(x, y, z) by duplication (Carlson, Numer. Algorithms 10, 1995; DLMF 19.36.1). */
export function carlsonRF(x: number, y: number, z: number): number {
  for (;;) {
    const mean = (x + y + z) / 3;
    const [dx, dy, dz] = [1 - x / mean, 1 - y / mean, 1 - z / mean];
    // The series is cut at the sixth order of the deviations.
    if (Math.max(Math.abs(dx), Math.abs(dy), Math.abs(dz)) < 1e-3) {
      const e2 = dx * dy - dz * dz;
      const e3 = dx * dy * dz;
      return (1 - e2 / 10 + e3 / 14 + (e2 * e2) / 24 - (3 * e2 * e3) / 44) / Math.sqrt(mean);
    }
    const lambda = Math.sqrt(x * y) + Math.sqrt(y * z) + Math.sqrt(z * x);
    [x, y, z] = [(x + lambda) / 4, (y + lambda) / 4, (z + lambda) / 4];
  }
}

/** The u with sc(u, k) = w, from k': F(atan w, k) = w R_F(1, 1 + k'² w², 1 + w²) (DLMF 19.25.5, 22.15). */
export const inverseSc = (w: number, complement: number): number =>
  w * carlsonRF(1, 1 + (complement * w) ** 2, 1 + w * w);

/** sn, cn and dn at real u, by descending Landen transformations (Abramowitz and Stegun 16.4). */
export function jacobi(
  u: number,
  modulus: number,
  complement: number,
): { sn: number; cn: number; dn: number } {
  const ratios: number[] = [];
  let [a, g, c] = [1, complement, modulus];
  let power = 1;
  while (Math.abs(c) > Number.EPSILON * a && ratios.length < 32) {
    const previous = a;
    [a, g, c] = [(previous + g) / 2, Math.sqrt(previous * g), (previous - g) / 2];
    ratios.push(c / a);
    power *= 2;
  }
  let phase = power * a * u;
  for (const ratio of ratios.toReversed()) phase = (phase + Math.asin(ratio * Math.sin(phase))) / 2;
  const [sn, cn] = [Math.sin(phase), Math.cos(phase)];
  // dn² = 1 - k² sn² = k'² + k² cn²: the second sum cannot cancel.
  return { sn, cn, dn: Math.hypot(complement, modulus * cn) };
}

/**
 * k and k' of a nome given by its logarithm, by theta series (DLMF 20.2, 22.2.2). Of q and its complement
 * exp(π²/ln q) the smaller is used (at most e^-π), so that four terms reach full precision and nothing cancels.
 *
 * @param logNome ln q, negative
 */
export function moduliFromNome(logNome: number): { modulus: number; complement: number } {
  if (logNome > -Math.PI) {
    const { modulus, complement } = moduliFromNome((Math.PI * Math.PI) / logNome);
    return { modulus: complement, complement: modulus };
  }
  const q = Math.exp(logNome);
  // θ2 = 2 q^(1/4) Σ q^(n(n+1)), θ3 = 1 + 2 Σ q^(n²), θ4 = 1 + 2 Σ (-1)^n q^(n²)
  const theta2 = 2 * Math.exp(logNome / 4) * (1 + q ** 2 + q ** 6 + q ** 12);
  const theta3 = 1 + 2 * (q + q ** 4 + q ** 9 + q ** 16);
  const theta4 = 1 + 2 * (-q + q ** 4 - q ** 9 + q ** 16);
  return { modulus: (theta2 / theta3) ** 2, complement: (theta4 / theta3) ** 2 };
}
