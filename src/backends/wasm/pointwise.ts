import { isConstant, sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';

/** y = f(x), element by element; `code` is the function's number in `layout.ts`. */
export const planPointwise =
  (code: number) =>
  ({ types }: KernelRequest): KernelPlan | undefined => {
    const width = sizeOf(types[0]!.shape);
    if (isConstant(types[0]!) || width === 0) return undefined;
    return {
      // The last vector may reach beyond the input, and must not reach beyond the memory.
      bytes: at.ELEMENTS_BYTES + at.VECTOR,
      inPlace: [0],
      pack(arena, base) {
        writerAt(arena, base)(at.ELEMENTS_CODE, code);
      },
      bind: (arena, base, node) =>
        kernelOf(
          arena,
          {
            kernel: at.KERNEL_UNARY,
            descriptor: base,
            inputs: [{ input: 0, field: base + at.ELEMENTS_A }],
            output: base + at.ELEMENTS_OUTPUT,
            times: width,
          },
          node,
        ),
    };
  };
