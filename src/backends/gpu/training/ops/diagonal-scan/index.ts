import type { DiagonalScanAttributes } from '../../../../../ops/diagonal-scan.ts';
import type { BackwardCall, ForwardCall, OpKernels } from '../../kernels.ts';
import { MOST_INPUTS } from '../../plan.ts';
import { hasDeviceForm } from './coefficients.ts';
import { scanOf } from './operands.ts';
import { isStill, stillAdjoint, stillForward } from './still.ts';
import { varyingAdjoint, varyingForward } from './varying.ts';

/** x[k] = Ā x[k−1] + B̄ u[k] over chunks of time side by side. */
export const diagonalScan: OpKernels = {
  lacks(attributes) {
    const { method, roles } = attributes as DiagonalScanAttributes;
    // Beside the operands a kernel reads the carries of both directions and the output's gradient.
    if (roles.length + 3 > MOST_INPUTS) return `diagonal-scan with ${roles.length} operands`;
    return hasDeviceForm(method) ? undefined : `diagonal-scan with ${method.name}`;
  },
  forward(call, save) {
    if (isStill(scanOf(call))) return stillForward(call as ForwardCall, save);
    return varyingForward(call as ForwardCall, save);
  },
  adjoint(call) {
    if (isStill(scanOf(call))) stillAdjoint(call as BackwardCall);
    else varyingAdjoint(call as BackwardCall);
  },
};
