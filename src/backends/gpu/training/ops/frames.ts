import type { BackwardCall, ForwardCall, OpKernels } from '../kernels.ts';
import type { Plan } from '../plan.ts';
import { X, Y, Z, type Dims, type Tensor } from '../tensor.ts';

/** `factor` frames side by side as one; what is left over at the end fills no group. */
const gathered = (plan: Plan, label: string, x: Tensor, width: number, dims: Dims): Tensor =>
  plan.run({
    label,
    dims,
    inputs: { x },
    body: `const piece = Math.floor((${X} + 0.5) / ${width});
return x[${Z}][${Y} * ${dims[0] / width} + piece][${X} - piece * ${width}];`,
  });

/** One frame as `factor`; zero where the last group is missing. */
const scattered = (plan: Plan, label: string, x: Tensor, factor: number, dims: Dims): Tensor =>
  plan.run({
    label,
    dims,
    inputs: { x },
    body: `const group = Math.floor((${Y} + 0.5) / ${factor});
if (group < ${x.dims[1]}) { return x[${Z}][group][(${Y} - group * ${factor}) * ${dims[0]} + ${X}]; }
return 0;`,
  });

const factorOf = (call: { readonly attributes: unknown }): number =>
  (call.attributes as { readonly factor: number }).factor;

export const framesToChannels: OpKernels = {
  forward(call) {
    const { plan, label, dims, inputs } = call as ForwardCall;
    return gathered(plan, label, inputs[0]!, inputs[0]!.dims[0], dims);
  },
  adjoint(call) {
    const { plan, label, inputs, dOutput, give } = call as BackwardCall;
    give(0, scattered(plan, label, dOutput, factorOf(call), inputs[0]!.dims));
  },
};

export const channelsToFrames: OpKernels = {
  forward(call) {
    const { plan, label, dims, inputs } = call as ForwardCall;
    return scattered(plan, label, inputs[0]!, factorOf(call), dims);
  },
  adjoint(call) {
    const { plan, label, dims, inputs, dOutput, give } = call as BackwardCall;
    give(0, gathered(plan, label, dOutput, dims[0], inputs[0]!.dims));
  },
};
