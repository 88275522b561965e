import { isConstant, sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';

/** Layer, group and root-mean-square norms, their sums in float64 as the reference has them. */
export function planNormalise({ attributes, types }: KernelRequest): KernelPlan | undefined {
  const { groups, centre, eps } = attributes as { groups: number; centre: boolean; eps: number };
  if (isConstant(types[0]!)) return undefined;
  return {
    bytes: at.NORM_BYTES,
    inPlace: [0],
    pack(arena, base) {
      const put = writerAt(arena, base);
      put(at.NORM_GROUPS, groups);
      put(at.NORM_SIZE, sizeOf(types[0]!.shape) / groups);
      put(at.NORM_CENTRE, centre ? 1 : 0);
      new Float64Array(arena.buffer, base + at.NORM_EPS, 1)[0] = eps;
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_NORMALISE,
          descriptor: base,
          inputs: [{ input: 0, field: base + at.NORM_INPUT }],
          output: base + at.NORM_OUTPUT,
        },
        node,
      ),
  };
}
