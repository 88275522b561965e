export { adjoint } from './adjoint';
export { contract } from './contract';
export { forward } from './forward';
export { depthwise, linear, linearByRows } from './linear';
export { matrixScan } from './matrix';
export { move } from './move';
export { normalise } from './normalise';
export { binary, binaryConstant, binaryRows, unary } from './pointwise';
export { runKernel } from './plan';
