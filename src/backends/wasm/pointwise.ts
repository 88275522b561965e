import { isConstant, sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { addressOf } from './address.ts';
import { VECTOR } from './layout.ts';
import type { WasmArena } from './module.ts';

/** y = f(x), element by element; `code` is the function's number in `layout.ts`. */
export const planPointwise =
  (code: number) =>
  ({ types }: KernelRequest): KernelPlan | undefined => {
    const width = sizeOf(types[0]!.shape);
    if (isConstant(types[0]!) || width === 0) return undefined;
    return {
      // The last vector may reach beyond the input, and must not reach beyond the memory.
      bytes: VECTOR,
      bind(arena, _base, { inputs, output }) {
        const { kernels } = arena as WasmArena;
        return {
          run(firings) {
            kernels.unary(code, addressOf(inputs[0]!), addressOf(output), firings * width);
          },
        };
      },
    };
  };
