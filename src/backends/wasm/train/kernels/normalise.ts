import { sizeOf } from '../../../../signal/index.ts';
import * as codes from '../../layout.ts';
import type { TrainPlan, TrainRequest } from '../kernel.ts';

/** Layer, group and root-mean-square norms; moments are computed again on the way back. */
export function planNormalise({ attributes, types }: TrainRequest): TrainPlan {
  const { groups, centre, eps } = attributes as { groups: number; centre: boolean; eps: number };
  return {
    local: true,
    native: true,
    carries: true,
    costly: false,
    reads: { inputs: [0], output: true },
    fixed: codes.NORM_BYTES,
    bind(memory, base) {
      const { kernels, u32, f64 } = memory;
      u32[(base + codes.NORM_GROUPS) / 4] = groups;
      u32[(base + codes.NORM_SIZE) / 4] = sizeOf(types[0]!.shape) / groups;
      u32[(base + codes.NORM_CENTRE) / 4] = centre ? 1 : 0;
      f64[(base + codes.NORM_EPS) / 8] = eps;
      return {
        forward({ inputs, output, firings }) {
          memory.u32[(base + codes.NORM_INPUT) / 4] = inputs[0]!;
          memory.u32[(base + codes.NORM_OUTPUT) / 4] = output;
          kernels.normalise(base, firings);
        },
        back({ inputs, output, dInputs, dOutput, firings }) {
          if (dInputs[0] !== 0)
            kernels.normaliseBack(base, inputs[0]!, output, dOutput, dInputs[0]!, firings);
        },
      };
    },
  };
}
