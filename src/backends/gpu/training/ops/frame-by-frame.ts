import type { BackwardCall, ForwardCall, OpKernels } from '../kernels.ts';
import { at, X, Y } from '../tensor.ts';

/** A constant as a signal. */
export const everyFrame: OpKernels = {
  lazy: true,
  forward(call) {
    const { plan, label, dims, inputs } = call as ForwardCall;
    return plan.formula({ label, dims, inputs: { c: inputs[1]! }, text: `c[${X}]` });
  },
  // Summed over time and batch by the book.
  adjoint: (call) => (call as BackwardCall).give(1, (call as BackwardCall).dOutput),
};

/** 1 at the first frame, 0 afterwards. */
export const atStart: OpKernels = {
  lazy: true,
  forward(call) {
    const { plan, label, dims } = call as ForwardCall;
    return plan.formula({ label, dims, inputs: {}, text: `stepped(0.5 - ${Y})` });
  },
  adjoint: () => {},
};

/** x held between two bounds; the slope is 1 from bound to bound. */
export const clamp: OpKernels = {
  lazy: true,
  forward(call) {
    const { plan, label, dims, inputs, attributes } = call as ForwardCall;
    const { low, high } = bounds(attributes);
    const text = `Math.min(Math.max(${at('a', inputs[0]!, X)}, ${low}), ${high})`;
    return plan.formula({ label, dims, inputs: { a: inputs[0]! }, text });
  },
  adjoint(call) {
    const { plan, label, dims, inputs, attributes, dOutput, give } = call as BackwardCall;
    const { low, high } = bounds(attributes);
    give(
      0,
      plan.formula({
        label,
        dims,
        inputs: { d: dOutput, a: inputs[0]! },
        text: `${at('d', dOutput, X)} * within(${at('a', inputs[0]!, X)}, ${low}, ${high})`,
      }),
    );
  },
};

/** Infinite bounds as the largest floats. */
function bounds(attributes: unknown): { low: string; high: string } {
  const { low, high } = attributes as { readonly low: number; readonly high: number };
  const text = (value: number): string => {
    const held = Math.min(Math.max(value, -3.4e38), 3.4e38);
    return held < 0 ? `(0 - ${-held})` : `${held}`;
  };
  return { low: text(low), high: text(high) };
}
