import { lengthText, type BackwardCall, type ForwardCall, type OpKernels } from '../kernels.ts';
import { X, Y, Z } from '../tensor.ts';

/** The last frame that counts of each item. */
export const last: OpKernels = {
  forward(call) {
    const { plan, label, dims, inputs, clocks, items, lengths } = call as ForwardCall;
    return plan.run({
      label,
      dims,
      inputs: { x: inputs[0]!, lengths },
      body: `return x[${Z}][${lengthText('lengths', clocks[0]!, items, Z)} - 1][${X}];`,
    });
  },
  adjoint(call) {
    const { plan, label, inputs, clocks, items, lengths, dOutput, give } = call as BackwardCall;
    give(
      0,
      plan.run({
        label,
        dims: inputs[0]!.dims,
        inputs: { d: dOutput, lengths },
        body: `const end = ${lengthText('lengths', clocks[0]!, items, Z)} - 1;
if (${Y} > end - 0.5 && ${Y} < end + 0.5) { return d[${Z}][0][${X}]; }
return 0;`,
      }),
    );
  },
};
