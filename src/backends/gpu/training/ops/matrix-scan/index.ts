import type { MatrixScanAttributes } from '../../../../../ops/matrix-scan-plan.ts';
import type { BackwardCall, ForwardCall, OpKernels } from '../../kernels.ts';
import { matrixAdjoint } from './adjoint.ts';
import { matrixForward } from './forward.ts';

/**
 * S[t] = diag(w) S[t−1] + Σᵣ kᵣ vᵣᵀ over chunks of time side by side: inside a chunk attention under a mask of decays, from
 * chunk to chunk the matrices. A delta rule's transitions are no diagonal, and chunks of them no products of decays.
 *
 * Source: Dao & Gu, "Transformers are SSMs" (arXiv 2405.21060), §6; per key: Yang et al., "Gated Linear Attention"
 * (arXiv 2312.06635), §4.
 */
export const matrixScan: OpKernels = {
  lacks: (attributes) =>
    (attributes as MatrixScanAttributes).roles.includes('a') ? 'matrix-scan with a delta rule' : undefined,
  forward: (call, save) => matrixForward(call as ForwardCall, save),
  adjoint: (call) => matrixAdjoint(call as BackwardCall),
};
