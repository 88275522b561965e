import { sizeOf } from '../../../../signal/index.ts';
import type { TrainPlan, TrainRequest } from '../kernel.ts';

/** y = f(x), element by element; the slope is a function of x or of y. */
export const planPointwise =
  (code: number, from: 'input' | 'output' = 'input', costly = false) =>
  ({ types }: TrainRequest): TrainPlan => {
    const width = sizeOf(types[0]!.shape);
    return {
      local: true,
      native: true,
      carries: true,
      costly,
      reads: { inputs: from === 'input' ? [0] : [], output: from === 'output' },
      fixed: 0,
      bind: ({ kernels }) => ({
        forward({ inputs, output, firings }) {
          kernels.unary(code, inputs[0]!, output, firings * width);
        },
        back({ inputs, output, dInputs, dOutput, firings }) {
          if (dInputs[0] !== 0) {
            kernels.unaryBack(code, inputs[0]!, output, dOutput, dInputs[0]!, firings * width);
          }
        },
      }),
    };
  };
