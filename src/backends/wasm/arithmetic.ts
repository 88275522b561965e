import { isConstant, sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { kernelOf, writerAt } from './call.ts';
import * as at from './layout.ts';
import { Bytes } from './scan.ts';

/** For each element of the output, the elements of both inputs: what the op prepares. */
interface Indices {
  readonly a: Int32Array;
  readonly b: Int32Array;
}

const isIdentity = (index: Int32Array, width: number): boolean =>
  index.length === width && index.every((from, i) => from === i);

/** A function's number in `layout.ts`, and that of the function with its arguments exchanged. */
interface Codes {
  readonly code: number;
  readonly exchanged: number;
}

/**
 * y = f(a, b), element by element: two signals, or a signal and a constant of any shape that broadcasts to the
 * signal's. Every result is the reference's, bit for bit.
 */
export const planArithmetic =
  (code: number, exchanged: number) =>
  (request: KernelRequest): KernelPlan | undefined => {
    const { a, b } = request.prepared as Indices;
    const constantAt = request.types.findIndex(isConstant);
    if (a.length === 0) return undefined;
    if (constantAt >= 0) {
      return planConstant(request, constantAt, { code, exchanged }) ?? planRows(request, code);
    }
    return isIdentity(a, a.length) && isIdentity(b, b.length)
      ? planAlike(a.length, code)
      : planRows(request, code);
  };

/** Two signals of one shape. */
const planAlike = (width: number, code: number): KernelPlan => ({
  // The last vector may reach beyond the inputs, and must not reach beyond the memory.
  bytes: at.ELEMENTS_BYTES + at.VECTOR,
  inPlace: [0, 1],
  pack(arena, base) {
    writerAt(arena, base)(at.ELEMENTS_CODE, code);
  },
  bind: (arena, base, node) =>
    kernelOf(
      arena,
      {
        kernel: at.KERNEL_BINARY,
        descriptor: base,
        inputs: [
          { input: 0, field: base + at.ELEMENTS_A },
          { input: 1, field: base + at.ELEMENTS_B },
        ],
        output: base + at.ELEMENTS_OUTPUT,
        times: width,
      },
      node,
    ),
});

/** The constant is laid out once, as often as it takes to fill whole vectors. */
function planConstant(
  { constants, prepared }: KernelRequest,
  constantAt: number,
  { code, exchanged }: Codes,
): KernelPlan | undefined {
  const { a, b } = prepared as Indices;
  const width = a.length;
  const [from, signal] = constantAt === 0 ? [a, b] : [b, a];
  const values = constants[constantAt];
  if (values === undefined || !isIdentity(signal, width)) return undefined;
  const period = width % at.LANES === 0 ? width : width * at.LANES;
  const used = constantAt === 0 ? exchanged : code;
  return {
    bytes: at.ELEMENTS_BYTES + 4 * period,
    inPlace: [1 - constantAt],
    pack(arena, base) {
      const put = writerAt(arena, base);
      put(at.ELEMENTS_CODE, used);
      put(at.ELEMENTS_B, base + at.ELEMENTS_BYTES);
      put(at.ELEMENTS_PERIOD, 4 * period);
      const laid = new Float32Array(arena.buffer, base + at.ELEMENTS_BYTES, period);
      for (let i = 0; i < period; i++) laid[i] = values[from[i % width]!]!;
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_BINARY_CONSTANT,
          descriptor: base,
          inputs: [{ input: 1 - constantAt, field: base + at.ELEMENTS_A }],
          output: base + at.ELEMENTS_OUTPUT,
          times: width,
        },
        node,
      ),
  };
}

/** Numbers along which both inputs move by 1 or stand: the longest run that divides the whole frame alike. */
function rowOf({ a, b }: Indices): number {
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

/** Two signals that broadcast, or a signal and a constant of more numbers. */
function planRows({ types, constants, prepared }: KernelRequest, code: number): KernelPlan {
  const indices = prepared as Indices;
  const { a, b } = indices;
  const size = rowOf(indices);
  const rows = a.length / size;
  const moves = (index: Int32Array): number => (size > 1 ? index[1]! - index[0]! : 0);
  const bytes = new Bytes();
  bytes.take(at.ROWS_BYTES);
  const tableAt = bytes.take(8 * rows);
  const copies = constants.map((values) => (values ? bytes.take(4 * values.length) : -1));
  const fields = [at.ROWS_A, at.ROWS_B];
  return {
    // The last vector may reach beyond a constant, and must not reach beyond the memory.
    bytes: bytes.size + at.VECTOR,
    pack(arena, base) {
      const put = writerAt(arena, base);
      put(at.ROWS_CODE, code);
      put(at.ROWS_COUNT, rows);
      put(at.ROWS_SIZE, size);
      put(at.ROWS_TABLE, base + tableAt);
      put(at.ROWS_A_MOVES, moves(a));
      put(at.ROWS_B_MOVES, moves(b));
      [at.ROWS_A_STEP, at.ROWS_B_STEP].forEach((step, i) => {
        const values = constants[i];
        if (values === undefined) {
          put(step, 4 * sizeOf(types[i]!.shape));
        } else {
          put(fields[i]!, base + copies[i]!);
          new Float32Array(arena.buffer, base + copies[i]!, values.length).set(values);
        }
      });
      for (let row = 0; row < rows; row++) {
        put(tableAt + 8 * row, 4 * a[row * size]!);
        put(tableAt + 8 * row + 4, 4 * b[row * size]!);
      }
    },
    bind: (arena, base, node) =>
      kernelOf(
        arena,
        {
          kernel: at.KERNEL_BINARY_ROWS,
          descriptor: base,
          inputs: fields.flatMap((field, input) =>
            constants[input] === undefined ? [{ input, field: base + field }] : [],
          ),
          output: base + at.ROWS_OUTPUT,
        },
        node,
      ),
  };
}
