import { isConstant, sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { addressOf } from './address.ts';
import * as at from './layout.ts';
import type { WasmArena } from './module.ts';

/** For each element of the output, the elements of both inputs: what the op prepares. */
interface Indices {
  readonly a: Int32Array;
  readonly b: Int32Array;
}

const isIdentity = (index: Int32Array, width: number): boolean =>
  index.length === width && index.every((from, i) => from === i);

/**
 * y = f(a, b), element by element: of two signals of one shape, or of a signal and a constant of any shape that
 * broadcasts to the signal's. The constant is laid out once, as often as it takes to fill whole vectors.
 *
 * @param code the function's number in `layout.ts`, and that of the function with its arguments exchanged
 */
export const planArithmetic =
  (code: number, exchanged: number) =>
  ({ types, constants, prepared }: KernelRequest): KernelPlan | undefined => {
    const index = prepared as Indices;
    const width = index.a.length;
    const constantAt = types.findIndex(isConstant);
    const signalAt = constantAt === 0 ? 1 : 0;
    const indexOf = [index.a, index.b];
    if (width === 0 || sizeOf(types[signalAt]!.shape) !== width) return undefined;
    if (constantAt < 0) {
      if (!isIdentity(index.a, width) || !isIdentity(index.b, width)) return undefined;
      return {
        // The last vector may reach beyond the inputs, and must not reach beyond the memory.
        bytes: at.VECTOR,
        bind(arena, _base, { inputs, output }) {
          const { kernels } = arena as WasmArena;
          return {
            run(firings) {
              const [a, b] = inputs;
              kernels.binary(code, addressOf(a!), addressOf(b!), addressOf(output), firings * width);
            },
          };
        },
      };
    }
    const values = constants[constantAt];
    if (values === undefined || isConstant(types[signalAt]!) || !isIdentity(indexOf[signalAt]!, width))
      return undefined;
    const from = indexOf[constantAt]!;
    const period = width % at.LANES === 0 ? width : width * at.LANES;
    return {
      bytes: 4 * period,
      bind(arena, base, { inputs, output }) {
        const { kernels, buffer } = arena as WasmArena;
        const laid = new Float32Array(buffer, base, period);
        for (let i = 0; i < period; i++) laid[i] = values[from[i % width]!]!;
        const used = constantAt === 0 ? exchanged : code;
        return {
          run(firings) {
            const x = addressOf(inputs[signalAt]!);
            kernels.binaryConstant(used, x, base, 4 * period, addressOf(output), firings * width);
          },
        };
      },
    };
  };
