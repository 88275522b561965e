export { logUniformDt, mambaDtBias } from './dt.ts';
export type { DtRange } from './dt.ts';
export { hippo, hippoEigen, hippoMeasures, nplr, rankCorrection } from './hippo.ts';
export type { Hippo, HippoEigen, HippoMeasure, Nplr } from './hippo.ts';
export { orthogonal } from './orthogonal.ts';
export { random } from './random.ts';
export type { Random } from './random.ts';
export { s4d, s4dInits } from './s4d.ts';
export type { S4dInit, S4dParameters } from './s4d.ts';
export {
  fans,
  kaimingUniform,
  lecunNormal,
  normal,
  torchDefault,
  truncatedNormal,
  uniform,
  xavierNormal,
  xavierUniform,
} from './weights.ts';
export type { Fans, Weights } from './weights.ts';
