import type { DiagonalScanAttributes } from '../../../../../ops/diagonal-scan.ts';
import type { BackwardCall, ForwardCall, OpKernels } from '../../kernels.ts';
import { MOST_INPUTS } from '../../plan.ts';
import { X, Y, Z, type Tensor } from '../../tensor.ts';
import { hasDeviceForm } from './coefficients.ts';
import { scanOf } from './operands.ts';
import { isStill, stillAdjoint, stillForward } from './still.ts';
import { varyingAdjoint, varyingForward } from './varying.ts';

/** x[k] = Ā x[k−1] + B̄ u[k] over chunks of time side by side. */
export const diagonalScan: OpKernels = {
  lacks(attributes) {
    const { method, roles } = attributes as DiagonalScanAttributes;
    if (arraysOf(roles) > MOST_INPUTS + 1) return `diagonal-scan with ${roles.length} operands`;
    return hasDeviceForm(method) ? undefined : `diagonal-scan with ${method.name}`;
  },
  forward(call, save) {
    const whole = call as ForwardCall;
    if (isStill(scanOf(whole))) return stillForward(whole, save);
    const joined = needsJoin(whole) ? joinInputs(whole) : undefined;
    if (joined) save('joined', joined);
    return varyingForward(withJoined(whole, joined), save);
  },
  adjoint(call) {
    const whole = call as BackwardCall;
    if (isStill(scanOf(whole))) stillAdjoint(whole);
    else varyingAdjoint(withJoined(whole, whole.saved.get('joined')));
  },
};

/** Beside the operands a kernel reads the carries of both directions and the output's gradient. */
const arraysOf = (roles: DiagonalScanAttributes['roles']): number => roles.length + 3;

/** Where there are more arrays than a kernel may have, both parts of the input become one. */
const needsJoin = (call: ForwardCall): boolean => {
  const { roles } = call.attributes as DiagonalScanAttributes;
  return arraysOf(roles) > MOST_INPUTS && roles.includes('uIm');
};

function joinInputs(call: ForwardCall): Tensor {
  const { tensor, channels } = scanOf(call);
  const u = tensor('u')!;
  return call.plan.run({
    label: call.label,
    dims: [2 * channels, u.dims[1]!, u.dims[2]!],
    inputs: { re: u, im: tensor('uIm')! },
    body: `if (${X} < ${channels}) { return re[${Z}][${Y}][${X}]; }\nreturn im[${Z}][${Y}][${X} - ${channels}];`,
  });
}

function withJoined<Call extends ForwardCall>(call: Call, joined: Tensor | undefined): Call {
  if (!joined) return call;
  const { roles } = call.attributes as DiagonalScanAttributes;
  return { ...call, inputs: call.inputs.map((input, i) => (roles[i]!.startsWith('u') ? joined : input)) };
}
