import type { DiagonalScanAttributes } from '../../../../../ops/diagonal-scan.ts';
import type { BackwardCall, ForwardCall, OpKernels } from '../../kernels.ts';
import { hasDeviceForm } from './coefficients.ts';
import { scanOf } from './operands.ts';
import { isStill, stillAdjoint, stillForward } from './still.ts';

/** x[k] = Ā x[k−1] + B̄ u[k] over chunks of time side by side. */
export const diagonalScan: OpKernels = {
  lacks(attributes) {
    const { method } = attributes as DiagonalScanAttributes;
    return hasDeviceForm(method) ? undefined : `diagonal-scan with ${method.name}`;
  },
  forward(call, save) {
    if (isStill(scanOf(call))) return stillForward(call as ForwardCall, save);
    throw new Error('varying');
  },
  adjoint(call) {
    if (isStill(scanOf(call))) return stillAdjoint(call as BackwardCall);
    throw new Error('varying');
  },
};
