/**
 * The zeros of a real polynomial: eigenvalues of its balanced companion matrix, then Newton steps for the
 * zeros that stand alone.
 *
 * Zeros in a cluster are left as the eigenvalue solver gave them. Their product is then the polynomial of
 * nearby coefficients (Edelman & Murakami, "Polynomial roots from companion matrix eigenvalues", Math. Comp. 64,
 * 1995), which is what factoring a filter into sections needs; moved one by one, each within its own
 * uncertainty (ε^{1/m} for multiplicity m), their product would drift.
 *
 * | symbol | meaning | shape |
 * | --- | --- | --- |
 * | p | coefficients, highest power first | degree + 1 |
 * | C | companion matrix of the monic polynomial | degree × degree |
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { ArgumentError } from '../errors.ts';
import type { Complex } from './complex.ts';

/**
 * Zeros of p[0] z^d + … + p[d]. Complex zeros come in exact conjugate pairs, the one with Im > 0 first; zeros
 * at 0 that the trailing coefficients show are exact. Leading zero coefficients lower the degree.
 *
 * ```ts
 * polynomialRoots([1, 0, 1]); // { re: [0, 0], im: [1, -1] }
 * ```
 *
 * @throws {ArgumentError} when a coefficient is not finite, all of them are 0, or the zeros overflow.
 */
export function polynomialRoots(coefficients: ArrayLike<number>): Complex {
  const all = Float64Array.from(coefficients);
  const bad = all.findIndex((c) => !Number.isFinite(c));
  if (bad >= 0)
    throw new ArgumentError(`polynomialRoots: coefficient ${bad} is ${all[bad]}; every one has to be finite`);
  const start = all.findIndex((c) => c !== 0);
  if (start < 0)
    throw new ArgumentError(
      `polynomialRoots: all ${all.length} coefficients are 0; every number is a zero of that polynomial`,
    );
  let end = all.length;
  while (all[end - 1] === 0) end--;
  const p = all.subarray(start, end);
  const { re, im } = rootsAwayFromZero(p);
  const zeros = all.length - end;
  return {
    re: Float64Array.from([...re, ...new Float64Array(zeros)]),
    im: Float64Array.from([...im, ...new Float64Array(zeros)]),
  };
}

function rootsAwayFromZero(p: Float64Array): { re: number[]; im: number[] } {
  const degree = p.length - 1;
  if (degree === 0) return { re: [], im: [] };
  if (degree === 1) return { re: [-p[1] / p[0]], im: [0] };
  const { re, im } = companionEigenvalues(p);
  // Every zero is polished against the unpolished others: the gaps are those of the eigenvalues.
  const polished = re.map((_, i) => polish(p, re, im, i));
  const out = { re: [] as number[], im: [] as number[] };
  for (const [x, y] of polished) {
    if (y < 0) continue; // the mirror image of a zero above the axis
    out.re.push(x);
    out.im.push(y);
    if (y === 0) continue;
    out.re.push(x);
    out.im.push(-y);
  }
  return out;
}

function companionEigenvalues(p: Float64Array): { re: number[]; im: number[] } {
  const degree = p.length - 1;
  const C = new Float64Array(degree * degree);
  for (let j = 0; j < degree; j++) C[j] = -p[j + 1] / p[0];
  // The eigenvalue solver would never end on an infinity.
  if (!C.every(Number.isFinite))
    throw new ArgumentError(
      `polynomialRoots: the leading coefficient ${p[0]} is too small beside the others, its zeros overflow; ` +
        'drop it or scale the variable',
    );
  for (let i = 1; i < degree; i++) C[i * degree + i - 1] = 1;
  balance(C, degree);
  const matrix = new Matrix(degree, degree);
  for (let i = 0; i < degree; i++) for (let j = 0; j < degree; j++) matrix.set(i, j, C[i * degree + j]);
  const { realEigenvalues: re, imaginaryEigenvalues: im } = new EigenvalueDecomposition(matrix);
  return { re: [...re], im: [...im] };
}

/**
 * Scales rows and columns by powers of two until their norms are alike (Parlett & Reinsch, Numer. Math. 13,
 * 1969). Without it the small zeros of polynomials with widely spread coefficients are lost.
 */
function balance(C: Float64Array, n: number): void {
  for (let changed = true; changed;) {
    changed = false;
    for (let i = 0; i < n; i++) {
      let column = 0;
      let row = 0;
      for (let j = 0; j < n; j++) {
        if (j === i) continue;
        column += Math.abs(C[j * n + i]);
        row += Math.abs(C[i * n + j]);
      }
      if (column === 0 || row === 0) continue;
      const exponent = Math.round(Math.log2(row / column) / 2);
      const factor = 2 ** exponent;
      if (column * factor + row / factor >= 0.95 * (column + row)) continue;
      changed = true;
      for (let j = 0; j < n; j++) C[i * n + j] /= factor;
      for (let j = 0; j < n; j++) C[j * n + i] *= factor;
    }
  }
}

/** Newton steps from zero i while they are small against the gap to the others and make |p| smaller. */
function polish(p: Float64Array, re: number[], im: number[], i: number): [number, number] {
  let x = re[i];
  let y = im[i];
  let gap = Infinity;
  for (let j = 0; j < re.length; j++) if (j !== i) gap = Math.min(gap, Math.hypot(re[j] - x, im[j] - y));
  let here = evaluate(p, x, y);
  for (let iteration = 0; iteration < 4; iteration++) {
    const [pRe, pIm, dRe, dIm] = here;
    const size = dRe * dRe + dIm * dIm;
    const stepRe = (pRe * dRe + pIm * dIm) / size;
    const stepIm = (pIm * dRe - pRe * dIm) / size;
    if (!(Math.hypot(stepRe, stepIm) < 1e-3 * gap)) break;
    const next = evaluate(p, x - stepRe, y - stepIm);
    if (!(Math.hypot(next[0], next[1]) < Math.hypot(pRe, pIm))) break;
    x -= stepRe;
    y -= stepIm;
    here = next;
  }
  return [x, y];
}

/** p and p′ at x + iy by Horner's rule: [Re p, Im p, Re p′, Im p′]. */
function evaluate(p: Float64Array, x: number, y: number): [number, number, number, number] {
  let [pRe, pIm, dRe, dIm] = [0, 0, 0, 0];
  for (const c of p) {
    [dRe, dIm] = [dRe * x - dIm * y + pRe, dRe * y + dIm * x + pIm];
    [pRe, pIm] = [pRe * x - pIm * y + c, pRe * y + pIm * x];
  }
  return [pRe, pIm, dRe, dIm];
}
