import type { BackwardCall, ForwardCall, OpKernels } from '../kernels.ts';
import { sumSlices } from '../sums.ts';
import { X, Y, Z, widthOf } from '../tensor.ts';

/** Rows of a table by number. Numbers are not checked here: `fit` reads the data that they come from. */
export const embedding: OpKernels = {
  forward(call) {
    const { plan, label, types, dims, inputs } = call as ForwardCall;
    const features = types[1]!.shape[1]!;
    return plan.run({
      label,
      dims,
      inputs: { tokens: inputs[0]!, w: inputs[1]! },
      body: `const token = Math.floor((${X} + 0.5) / ${features});
return w[tokens[${Z}][${Y}][token] * ${features} + ${X} - token * ${features}];`,
    });
  },
  adjoint(call) {
    const { plan, label, types, dims, inputs, dOutput, wanted, give } = call as BackwardCall;
    if (!wanted(1)) return;
    const [rows, features] = types[1]!.shape as [number, number];
    const count = widthOf(inputs[0]!);
    const [, frames, items] = dims as readonly [number, number, number];
    const RUN = Math.min(frames, 256);
    const blocks = Math.ceil(frames / RUN);
    const partial = plan.run({
      label,
      dims: [features, rows, blocks * items],
      inputs: { tokens: inputs[0]!, d: dOutput },
      body: `const item = Math.floor((${Z} + 0.5) / ${blocks});
const first = (${Z} - item * ${blocks}) * ${RUN};
let sum = 0;
for (let k = 0; k < ${RUN}; k++) {
  const frame = first + k;
  if (frame < ${frames}) {
    for (let t = 0; t < ${count}; t++) {
      const away = tokens[item][frame][t] - ${Y};
      if (away > 0 - 0.5 && away < 0.5) { sum += d[item][frame][t * ${features} + ${X}]; }
    }
  }
}
return sum;`,
    });
    give(1, sumSlices(plan, label, partial));
  },
};
