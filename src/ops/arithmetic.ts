import type { AdjointCall, PrepareCall, Signal, StepCall } from '../signal/index.ts';
import { defineOp, broadcastIndex, broadcastShapes, formatShape, sizeOf } from '../signal/index.ts';

/** A function of two numbers, with its partial derivatives. */
interface Binary {
  readonly value: (a: number, b: number) => number;
  readonly derivatives: (a: number, b: number) => readonly [number, number];
}

/** For each element of the output, the elements of both inputs that it is made from. */
interface Prepared {
  readonly a: Int32Array;
  readonly b: Int32Array;
}

/**
 * y = f(a, b), element by element. Shapes broadcast as in numpy, a constant applies at every frame,
 * and a plain number is a constant.
 */
function arithmetic(name: string, { value, derivatives }: Binary): (a: Signal, b: Signal | number) => Signal {
  const op = defineOp<null, Prepared>({
    name,
    shape: (_attributes, [a, b], reject) =>
      broadcastShapes(a!.shape, b!.shape) ??
      reject(
        `shapes ${formatShape(a!.shape)} and ${formatShape(b!.shape)} do not broadcast; ` +
          'their axes, aligned at the last, must be equal or 1',
      ),
    prepare({ types }: PrepareCall<null>) {
      const [a, b] = types;
      const shape = broadcastShapes(a!.shape, b!.shape)!;
      return { a: broadcastIndex(a!.shape, shape), b: broadcastIndex(b!.shape, shape) };
    },
    step({ inputs, output, prepared }: StepCall<null, Prepared>) {
      const a = inputs[0]!;
      const b = inputs[1]!;
      const size = prepared.a.length;
      for (let i = 0; i < size; i++) {
        output.data[output.at + i] = value(a.data[a.at + prepared.a[i]!]!, b.data[b.at + prepared.b[i]!]!);
      }
    },
    adjoint({ types, inputs, dOutput, dInputs, firings, prepared }: AdjointCall<null, Prepared>) {
      const [a, b] = inputs;
      const [da, db] = dInputs;
      const aStep = types[0]!.rate === 'constant' ? 0 : sizeOf(types[0]!.shape);
      const bStep = types[1]!.rate === 'constant' ? 0 : sizeOf(types[1]!.shape);
      const size = prepared.a.length;
      for (let k = 0; k < firings; k++) {
        for (let i = 0; i < size; i++) {
          const aAt = k * aStep + prepared.a[i]!;
          const bAt = k * bStep + prepared.b[i]!;
          const [slopeA, slopeB] = derivatives(a!.data[a!.origin + aAt]!, b!.data[b!.origin + bAt]!);
          const dy = dOutput.data[dOutput.origin + k * size + i]!;
          if (da) da.data[da.origin + aAt]! += dy * slopeA;
          if (db) db.data[db.origin + bAt]! += dy * slopeB;
        }
      }
    },
  });
  return (a, b) => a.trace.apply(op, null, [a, typeof b === 'number' ? a.trace.literal(b) : b]);
}

export const add = arithmetic('add', { value: (a, b) => a + b, derivatives: () => [1, 1] });
export const sub = arithmetic('sub', { value: (a, b) => a - b, derivatives: () => [1, -1] });
export const mul = arithmetic('mul', { value: (a, b) => a * b, derivatives: (a, b) => [b, a] });
export const div = arithmetic('div', {
  value: (a, b) => a / b,
  derivatives: (a, b) => [1 / b, -a / (b * b)],
});
