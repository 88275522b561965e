import { sizeOf } from '../../../../signal/index.ts';
import { Bytes } from '../../scan.ts';
import type { TrainPlan, TrainRequest } from '../kernel.ts';

/** A product of so few columns takes no longer in the cache than its result takes to memory and back. Measured. */
const CHEAP_COLUMNS = 32;

/**
 * y = W x + b: three products.
 *
 *     Y += X Wᵀ,   dX += dY W,   dW += dYᵀ X,   db += Σ dY
 */
export function planDense({ types }: TrainRequest): TrainPlan {
  const [rows, columns] = types[1]!.shape as [number, number];
  const vectors = sizeOf(types[0]!.shape) / columns;
  const bytes = new Bytes();
  const transposedAt = bytes.take(4 * rows * columns);
  const weightSumsAt = bytes.take(4 * rows * columns);
  const biasSumsAt = bytes.take(4 * rows);
  return {
    local: true,
    native: true,
    carries: true,
    costly: columns > CHEAP_COLUMNS,
    reads: { inputs: [0], output: false },
    fixed: bytes.size,
    bind(memory, base) {
      const { kernels } = memory;
      let [weightAt, biasAt] = [0, 0];
      return {
        load([, weight], [, weightPlace, biasPlace = 0]) {
          [weightAt, biasAt] = [weightPlace!, biasPlace];
          const { f32 } = memory;
          const to = (base + transposedAt) / 4;
          for (let o = 0; o < rows; o++) {
            for (let i = 0; i < columns; i++) f32[to + i * rows + o] = weight![o * columns + i]!;
          }
        },
        forward({ inputs, output, firings }) {
          const count = firings * vectors;
          kernels.fillRows(biasAt, count, 4 * rows, output, 4 * rows);
          const at = base + transposedAt;
          kernels.product(count, rows, columns, inputs[0]!, 4 * columns, 4, at, 4 * rows, output, 4 * rows);
        },
        back({ inputs, dInputs: [dx, dWeight, dBias], dOutput, firings }) {
          const count = firings * vectors;
          if (dx !== 0) {
            kernels.product(
              count,
              columns,
              rows,
              dOutput,
              4 * rows,
              4,
              weightAt,
              4 * columns,
              dx!,
              4 * columns,
            );
          }
          if (dWeight !== 0) {
            const at = base + weightSumsAt;
            kernels.product(
              rows,
              columns,
              count,
              dOutput,
              4,
              4 * rows,
              inputs[0]!,
              4 * columns,
              at,
              4 * columns,
            );
            kernels.widen(at, dWeight!, rows * columns);
          }
          if (dBias !== undefined && dBias !== 0) {
            kernels.columnSums(dOutput, count, rows, 4 * rows, base + biasSumsAt);
            kernels.widen(base + biasSumsAt, dBias, rows);
          }
        },
      };
    },
  };
}
