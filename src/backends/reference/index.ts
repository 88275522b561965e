import { isConstant, sizeOf, type StepCall } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest, StreamBackend } from '../backend.ts';

/** Every op's `step`, one frame after the other: slow, obvious, and what every other backend is held to. */
export const reference: StreamBackend = {
  name: 'reference',
  open: (bytes) => ({ buffer: new ArrayBuffer(bytes) }),
  plan: planReference,
};

/** The reference's kernel for any op, for the gaps of other backends as well. */
export function planReference({ op, attributes, types, prepared }: KernelRequest): KernelPlan {
  const timing = op.timing?.(attributes, types);
  const strides = types.map((type) => (isConstant(type) ? 0 : sizeOf(type.shape) * (timing?.stride ?? 1)));
  return {
    bytes: 0,
    bind(_arena, _at, { inputs, output, state }) {
      const call: StepCall<unknown> = { attributes, types, inputs, output, state, prepared, firing: 0 };
      const outputStep = sizeOf(op.shape(attributes, types, failed)) * (timing?.emit ?? 1);
      return {
        run(firings, first) {
          for (let k = 0; k < firings; k++) {
            call.firing = first + k;
            op.step(call);
            for (let i = 0; i < inputs.length; i++) inputs[i]!.at += strides[i]!;
            output.at += outputStep;
          }
        },
      };
    },
  };
}

const failed = (message: string): never => {
  throw new Error(message);
};
