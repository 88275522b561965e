import type { BackwardCall, ForwardCall, OpKernels } from '../kernels.ts';
import { X, Y, Z } from '../tensor.ts';

interface PoolAttributes {
  readonly kind: 'average' | 'max';
  readonly size: number;
  readonly stride: number;
}

/** One frame of every `stride`, from windows of `size` frames without padding. */
export const pool: OpKernels = {
  forward(call) {
    const { plan, label, attributes, dims, inputs } = call as ForwardCall;
    const { kind, size, stride } = attributes as PoolAttributes;
    const value = `x[${Z}][${Y} * ${stride} + k][${X}]`;
    return plan.run({
      label,
      dims,
      inputs: { x: inputs[0]! },
      body:
        kind === 'max'
          ? `let most = x[${Z}][${Y} * ${stride}][${X}];
for (let k = 0; k < ${size}; k++) { most = Math.max(most, ${value}); }
return most;`
          : `let sum = 0;\nfor (let k = 0; k < ${size}; k++) { sum += ${value}; }\nreturn sum / ${size};`,
    });
  },
  adjoint(call) {
    const { plan, label, attributes, dims, inputs, dOutput, give } = call as BackwardCall;
    const { kind, size, stride } = attributes as PoolAttributes;
    // The windows that see a frame begin at most `size − 1` frames before it.
    const windows = Math.ceil(size / stride);
    const share =
      kind === 'average'
        ? `sum += d[${Z}][j][${X}] / ${size};`
        : `let largest = j * ${stride};
    for (let m = 1; m < ${size}; m++) {
      const candidate = j * ${stride} + m;
      if (x[${Z}][candidate][${X}] > x[${Z}][largest][${X}]) { largest = candidate; }
    }
    if (largest > ${Y} - 0.5 && largest < ${Y} + 0.5) { sum += d[${Z}][j][${X}]; }`;
    give(
      0,
      plan.run({
        label,
        dims: inputs[0]!.dims,
        inputs: { d: dOutput, ...(kind === 'max' ? { x: inputs[0]! } : {}) },
        body: `const latest = Math.floor((${Y} + 0.5) / ${stride});
let sum = 0;
for (let k = 0; k < ${windows}; k++) {
  const j = latest - k;
  if (j >= 0 && j < ${dims[1]} && j * ${stride} + ${size} > ${Y}) {
    ${share}
  }
}
return sum;`,
      }),
    );
  },
};
