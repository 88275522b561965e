import type { StateSpace } from '../../src/discretize/state-space.ts';
import { complexSolve } from '../../src/linalg/complex.ts';
import { identity, matmul } from '../../src/linalg/real.ts';

/** num(s)/den(s), highest power first → controllable canonical form, one input, one output. */
export function toStateSpace(num: readonly number[], den: readonly number[]): StateSpace {
  const n = den.length - 1;
  const a = den.map((c) => c / den[0]);
  const b = [...new Array<number>(den.length - num.length).fill(0), ...num].map((c) => c / den[0]);
  const A = new Float64Array(n * n);
  for (let j = 0; j < n; j++) A[j] = -a[j + 1];
  for (let i = 1; i < n; i++) A[i * n + i - 1] = 1;
  const B = new Float64Array(n);
  B[0] = 1;
  const C = Float64Array.from({ length: n }, (_, j) => b[j + 1] - a[j + 1] * b[0]);
  return { n, inputs: 1, outputs: 1, A, B, C, D: new Float64Array([b[0]]) };
}

/** The transfer function of a system with one input and one output, by Faddeev and LeVerrier's recurrence. */
export function toTransferFunction({ n, A, B, C, D }: StateSpace): { num: number[]; den: number[] } {
  const den = [1];
  const num = [D[0]];
  let M = identity(n);
  for (let k = 1; k <= n; k++) {
    const AM = matmul(A, M, n, n, n);
    let trace = 0;
    for (let i = 0; i < n; i++) trace += AM[i * n + i];
    const c = -trace / k;
    den.push(c);
    num.push(matmul(matmul(C, M, 1, n, n), B, 1, n, 1)[0] + D[0] * c);
    M = AM;
    for (let i = 0; i < n; i++) M[i * n + i] += c;
  }
  return { num, den };
}

/** C (s I − A)⁻¹ B + D at a complex s, one input, one output: [re, im]. */
export function response(system: StateSpace, sRe: number, sIm: number): [number, number] {
  const { n, A, B, C, D } = system;
  const M = { re: A.map((value) => -value), im: new Float64Array(n * n) };
  for (let i = 0; i < n; i++) {
    M.re[i * n + i] += sRe;
    M.im[i * n + i] += sIm;
  }
  const X = complexSolve(M, { re: B, im: new Float64Array(n) }, n, 1);
  return [matmul(C, X.re, 1, n, 1)[0] + D[0], matmul(C, X.im, 1, n, 1)[0]];
}
