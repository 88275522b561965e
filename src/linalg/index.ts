export { identity, matmul, norm1, solve, transpose } from './real.ts';
export { adjoint, complexMatmul, complexPower, complexSolve, complexZeros } from './complex.ts';
export type { Complex } from './complex.ts';
export { eigHermitian } from './eigen.ts';
export type { HermitianEigen } from './eigen.ts';
export { expm } from './expm.ts';
