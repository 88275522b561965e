import type { ForwardCall, OpKernels } from '../kernels.ts';
import { X, Y, Z } from '../tensor.ts';

/** What the parallel form of retention divides by, as its op defines it: a sum over all keys there were, without slope. */
export const retentionParallelScale: OpKernels = {
  forward(call) {
    const { plan, label, dims, attributes, inputs, types } = call as ForwardCall;
    const { gamma } = attributes as { readonly gamma: Float64Array };
    const keys = types[0]!.shape[1]!;
    return plan.run({
      label,
      dims,
      inputs: { q: inputs[0]!, k: inputs[1]!, gamma: plan.literal(gamma) },
      body: `const decay = gamma[${X}];
let s = 0;
let weights = 0;
for (let j = 0; j < ${dims[1]}; j++) {
  if (j <= ${Y}) {
    let score = 0;
    for (let i = 0; i < ${keys}; i++) { score += q[${Z}][${Y}][${X} * ${keys} + i] * k[${Z}][j][${X} * ${keys} + i]; }
    s = s * decay + 1;
    weights = weights * decay + Math.abs(score);
  }
}
const root = Math.sqrt(s);
return root * Math.max(1, Math.min(weights / root, 50000));`,
    });
  },
  adjoint: () => {},
};
