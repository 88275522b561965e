import { broadcastIndex, isConstant, sizeOf } from '../../../../signal/index.ts';
import * as codes from '../../layout.ts';
import { Bytes } from '../../scan.ts';
import type { TrainPlan, TrainRequest } from '../kernel.ts';
import * as at from '../layout.ts';

/** y = f(a, b) with broadcasting; the gradient of what was broadcast is a sum. */
export const planArithmetic =
  (code: number) =>
  ({ types, output }: TrainRequest): TrainPlan | undefined => {
    const [a, b] = types.map(({ shape }) => broadcastIndex(shape, output.shape)) as [Int32Array, Int32Array];
    if (a.length === 0) return undefined;
    const width = a.length;
    const alike = types.every((type, i) => !isConstant(type) && isIdentity(i === 0 ? a : b));
    const size = rowOf(a, b);
    const rows = width / size;
    const bytes = new Bytes();
    const forwardAt = bytes.take(codes.ROWS_BYTES);
    const backAt = bytes.take(at.BACK_BYTES);
    const aloneAt = bytes.take(at.BACK_BYTES);
    const tableAt = bytes.take(8 * rows);
    const zeroAt = bytes.take(8);
    const sums = types.map((type) => (isConstant(type) ? bytes.take(4 * sizeOf(type.shape)) : -1));
    const isProduct = code === codes.MUL || code === codes.DIV;
    return {
      local: true,
      native: true,
      carries: true,
      costly: false,
      reads: { inputs: isProduct ? [0, 1] : [], output: false },
      fixed: bytes.size,
      bind(memory, base) {
        const { kernels, u32 } = memory;
        const put = (field: number, value: number): void => {
          u32[(base + field) / 4] = value;
        };
        const moves = (index: Int32Array): number => (size > 1 ? index[1]! - index[0]! : 0);
        const step = (i: number): number => (isConstant(types[i]!) ? 0 : 4 * sizeOf(types[i]!.shape));
        put(forwardAt + codes.ROWS_COUNT, rows);
        put(forwardAt + codes.ROWS_SIZE, size);
        put(forwardAt + codes.ROWS_TABLE, base + tableAt);
        put(forwardAt + codes.ROWS_A_MOVES, moves(a));
        put(forwardAt + codes.ROWS_B_MOVES, moves(b));
        put(forwardAt + codes.ROWS_A_STEP, step(0));
        put(forwardAt + codes.ROWS_B_STEP, step(1));
        put(backAt + at.BACK_ROWS, rows);
        put(backAt + at.BACK_SIZE, size);
        put(backAt + at.BACK_TABLE, base + tableAt);
        put(backAt + at.BACK_A_MOVES, moves(a));
        put(backAt + at.BACK_B_MOVES, moves(b));
        put(backAt + at.BACK_A_STEP, step(0));
        put(backAt + at.BACK_B_STEP, step(1));
        // Two signals of one shape are one long row.
        put(aloneAt + at.BACK_ROWS, 1);
        put(aloneAt + at.BACK_TABLE, base + zeroAt);
        put(aloneAt + at.BACK_A_MOVES, 1);
        put(aloneAt + at.BACK_B_MOVES, 1);
        for (let row = 0; row < rows; row++) {
          put(tableAt + 8 * row, 4 * a[row * size]!);
          put(tableAt + 8 * row + 4, 4 * b[row * size]!);
        }
        return {
          forward({ inputs, output: to, firings }) {
            if (alike) {
              kernels.binary(code, inputs[0]!, inputs[1]!, to, firings * width);
              return;
            }
            const words = memory.u32;
            words[(base + forwardAt + codes.ROWS_A) / 4] = inputs[0]!;
            words[(base + forwardAt + codes.ROWS_B) / 4] = inputs[1]!;
            words[(base + forwardAt + codes.ROWS_OUTPUT) / 4] = to;
            kernels.binaryRows(code, base + forwardAt, firings);
          },
          back({ inputs, dInputs, dOutput, firings }) {
            const words = memory.u32;
            const descriptor = base + (alike ? aloneAt : backAt);
            const gradient = (i: number): number =>
              dInputs[i] === 0 || sums[i]! < 0 ? dInputs[i]! : base + sums[i]!;
            words[(descriptor + at.BACK_A) / 4] = inputs[0]!;
            words[(descriptor + at.BACK_B) / 4] = inputs[1]!;
            words[(descriptor + at.BACK_DY) / 4] = dOutput;
            words[(descriptor + at.BACK_DA) / 4] = gradient(0);
            words[(descriptor + at.BACK_DB) / 4] = gradient(1);
            if (alike) words[(descriptor + at.BACK_SIZE) / 4] = firings * width;
            kernels.binaryBack(code, descriptor, alike ? 1 : firings);
            for (let i = 0; i < 2; i++) {
              if (sums[i]! >= 0 && dInputs[i] !== 0) {
                kernels.widen(base + sums[i]!, dInputs[i]!, sizeOf(types[i]!.shape));
              }
            }
          },
        };
      },
    };
  };

const isIdentity = (index: Int32Array): boolean => index.every((from, i) => from === i);

/** Numbers along which both inputs move by 1 or stand: the longest run that divides the whole frame alike. */
function rowOf(a: Int32Array, b: Int32Array): number {
  const isRow = (index: Int32Array, size: number): boolean => {
    const step = size > 1 ? index[1]! - index[0]! : 0;
    return (
      (step === 0 || step === 1) &&
      index.every((from, i) => from === index[i - (i % size)]! + (i % size) * step)
    );
  };
  for (let size = a.length; size > 1; size--) {
    if (a.length % size === 0 && isRow(a, size) && isRow(b, size)) return size;
  }
  return 1;
}
