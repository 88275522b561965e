import { lengthText, type BackwardCall, type ForwardCall, type OpKernels } from '../kernels.ts';
import { X, Y, Z } from '../tensor.ts';

/** y[k] = x[k − frames], zeros beyond either end of an item: a delay, or a look-ahead where negative. */
export const shift: OpKernels = {
  forward(call) {
    const { plan, label, attributes, dims, inputs, clocks, items, lengths } = call as ForwardCall;
    const { frames } = attributes as { readonly frames: number };
    const ahead = frames < 0;
    return plan.run({
      label,
      dims,
      inputs: { x: inputs[0]!, ...(ahead ? { lengths } : {}) },
      body: `const frame = ${Y} - ${frames < 0 ? `(0 - ${-frames})` : frames};
const end = ${ahead ? lengthText('lengths', clocks[0]!, items, Z) : clocks[0]!.frames};
if (frame >= 0 && frame < end) { return x[${Z}][frame][${X}]; }
return 0;`,
    });
  },
  adjoint(call) {
    const { plan, label, attributes, dims, inputs, clocks, items, lengths, dOutput, give } =
      call as BackwardCall;
    const { frames } = attributes as { readonly frames: number };
    const ahead = frames < 0;
    give(
      0,
      plan.run({
        label,
        dims: inputs[0]!.dims,
        inputs: { d: dOutput, ...(ahead ? { lengths } : {}) },
        body: `const frame = ${Y} + ${frames < 0 ? `(0 - ${-frames})` : frames};
const end = ${ahead ? lengthText('lengths', clocks[0]!, items, Z) : clocks[0]!.frames};
if (frame >= 0 && frame < ${dims[1]} && ${Y} < end) { return d[${Z}][frame][${X}]; }
return 0;`,
      }),
    );
  },
};

/** y[k] = x[k + frames]: the signal without its first frames. */
export const skip: OpKernels = {
  forward(call) {
    const { plan, label, attributes, dims, inputs } = call as ForwardCall;
    const { frames } = attributes as { readonly frames: number };
    return plan.run({
      label,
      dims,
      inputs: { x: inputs[0]! },
      body: `return x[${Z}][${Y} + ${frames}][${X}];`,
    });
  },
  adjoint(call) {
    const { plan, label, attributes, inputs, dOutput, give } = call as BackwardCall;
    const { frames } = attributes as { readonly frames: number };
    give(
      0,
      plan.run({
        label,
        dims: inputs[0]!.dims,
        inputs: { d: dOutput },
        body: `if (${Y} >= ${frames}) { return d[${Z}][${Y} - ${frames}][${X}]; }\nreturn 0;`,
      }),
    );
  },
};

/** y[k] = x[L − 1 − k] over the frames that count of an item. */
export const reverse: OpKernels = {
  forward(call) {
    const { plan, label, dims, inputs, clocks, items, lengths } = call as ForwardCall;
    return plan.run({
      label,
      dims,
      inputs: { x: inputs[0]!, lengths },
      body: mirrored('x', lengthText('lengths', clocks[0]!, items, Z)),
    });
  },
  adjoint(call) {
    const { plan, label, dims, clocks, items, lengths, dOutput, give } = call as BackwardCall;
    give(
      0,
      plan.run({
        label,
        dims,
        inputs: { d: dOutput, lengths },
        body: mirrored('d', lengthText('lengths', clocks[0]!, items, Z)),
      }),
    );
  },
};

const mirrored = (name: string, end: string): string => `const frame = ${end} - 1 - ${Y};
if (frame >= 0) { return ${name}[${Z}][frame][${X}]; }
return 0;`;
