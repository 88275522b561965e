export { adjoint } from './adjoint';
export { contract } from './contract';
export { forward } from './forward';
export { matrixScan } from './matrix';
