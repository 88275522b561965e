import { isConstant, sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { addressOf } from './address.ts';
import * as at from './layout.ts';
import type { WasmArena } from './module.ts';

/** Layer, group and root-mean-square norms, their sums in float64 as the reference has them. */
export function planNormalise({ attributes, types }: KernelRequest): KernelPlan | undefined {
  const { groups, centre, eps } = attributes as { groups: number; centre: boolean; eps: number };
  if (isConstant(types[0]!)) return undefined;
  return {
    bytes: at.NORM_BYTES,
    bind(arena, base, { inputs, output }) {
      const { kernels, buffer } = arena as WasmArena;
      const words = new Uint32Array(buffer, base);
      words[at.NORM_GROUPS / 4] = groups;
      words[at.NORM_SIZE / 4] = sizeOf(types[0]!.shape) / groups;
      words[at.NORM_CENTRE / 4] = centre ? 1 : 0;
      new Float64Array(buffer, base + at.NORM_EPS, 1)[0] = eps;
      return {
        run(firings) {
          words[at.NORM_INPUT / 4] = addressOf(inputs[0]!);
          words[at.NORM_OUTPUT / 4] = addressOf(output);
          kernels.normalise(base, firings);
        },
      };
    },
  };
}
