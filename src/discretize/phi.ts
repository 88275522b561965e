/**
 * The φ-functions of exponential integrators for a complex argument, with their derivatives, accurate to a few
 * units in the last place (of the modulus) for every z, z = 0 included. Hochbruck & Ostermann, "Exponential
 * integrators", Acta Numerica 19 (2010), section 2.1.
 *
 * | symbol | meaning |
 * | --- | --- |
 * | e^z | φ₀ |
 * | φ₁ | (e^z − 1)/z, 1 at z = 0 |
 * | φ₂ | (φ₁ − 1)/z, ½ at z = 0 |
 * | φ₃ | (φ₂ − ½)/z, ⅙ at z = 0 |
 *
 * φₖ = 1/k! + z φₖ₊₁ and φₖ′ = φₖ − k φₖ₊₁. Dividing (e^z − 1) by z is wrong by ε/|z|; so inside the unit disc all
 * come from the Taylor series of φ₃, outside from the quotients.
 */

/** Where `phi` puts what: real part at the index, imaginary part after it. */
export const EXP = 0;
export const PHI1 = 2;
export const PHI1_PRIME = 4;
export const PHI2 = 6;
export const PHI2_PRIME = 8;

/** Entries that `phi` writes. */
export const PHI_LENGTH = 10;

/** 1/k! for k = 3 … 20: the first term left out, |z|¹⁸/21!, is 2e-20. */
const SERIES = inverseFactorials(3, 20);

function inverseFactorials(first: number, last: number): Float64Array {
  const out = new Float64Array(last - first + 1);
  let factorial = 1;
  for (let k = 1; k <= last; k++) {
    factorial *= k; // exact up to 22!
    if (k >= first) out[k - first] = 1 / factorial;
  }
  return out;
}

/** Writes e^z, φ₁, φ₁′, φ₂, φ₂′ of z = zRe + i·zIm to `out` (PHI_LENGTH entries). Allocates nothing. */
export function phi(zRe: number, zIm: number, out: Float64Array): void {
  const growth = Math.exp(zRe);
  const eRe = growth * Math.cos(zIm);
  const eIm = growth * Math.sin(zIm);
  out[EXP] = eRe;
  out[EXP + 1] = eIm;
  if (zRe * zRe + zIm * zIm < 1) inside(zRe, zIm, out);
  else outside(zRe, zIm, eRe, eIm, out);
}

function inside(zRe: number, zIm: number, out: Float64Array): void {
  let p3Re = 0;
  let p3Im = 0;
  for (let k = SERIES.length - 1; k >= 0; k--) {
    const re = p3Re * zRe - p3Im * zIm + SERIES[k];
    p3Im = p3Re * zIm + p3Im * zRe;
    p3Re = re;
  }
  const p2Re = 0.5 + (p3Re * zRe - p3Im * zIm);
  const p2Im = p3Re * zIm + p3Im * zRe;
  const p1Re = 1 + (p2Re * zRe - p2Im * zIm);
  const p1Im = p2Re * zIm + p2Im * zRe;
  out[PHI1] = p1Re;
  out[PHI1 + 1] = p1Im;
  out[PHI1_PRIME] = p1Re - p2Re;
  out[PHI1_PRIME + 1] = p1Im - p2Im;
  out[PHI2] = p2Re;
  out[PHI2 + 1] = p2Im;
  out[PHI2_PRIME] = p2Re - 2 * p3Re;
  out[PHI2_PRIME + 1] = p2Im - 2 * p3Im;
}

function outside(zRe: number, zIm: number, eRe: number, eIm: number, out: Float64Array): void {
  const size = zRe * zRe + zIm * zIm;
  const invRe = zRe / size;
  const invIm = -zIm / size;
  // e^z − 1 = (expm1(x) cos y − 2 sin²(y/2)) + i e^x sin y: no cancellation near z = 2πi k.
  const half = Math.sin(zIm / 2);
  const mRe = Math.expm1(zRe) * Math.cos(zIm) - 2 * half * half;
  const p1Re = mRe * invRe - eIm * invIm;
  const p1Im = mRe * invIm + eIm * invRe;
  const d1Re = (eRe - p1Re) * invRe - (eIm - p1Im) * invIm;
  const d1Im = (eRe - p1Re) * invIm + (eIm - p1Im) * invRe;
  const p2Re = (p1Re - 1) * invRe - p1Im * invIm;
  const p2Im = (p1Re - 1) * invIm + p1Im * invRe;
  out[PHI1] = p1Re;
  out[PHI1 + 1] = p1Im;
  out[PHI1_PRIME] = d1Re;
  out[PHI1_PRIME + 1] = d1Im;
  out[PHI2] = p2Re;
  out[PHI2 + 1] = p2Im;
  out[PHI2_PRIME] = (d1Re - p2Re) * invRe - (d1Im - p2Im) * invIm;
  out[PHI2_PRIME + 1] = (d1Re - p2Re) * invIm + (d1Im - p2Im) * invRe;
}
