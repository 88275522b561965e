import type { Op, Signal } from '../signal/index.ts';
import { formatShape, isConstant, sizeOf } from '../signal/index.ts';

/**
 * y = W x + b on the last axis.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | x | input | (… × I) |
 * | W | weight | (O × I), constant |
 * | b | bias | (O), constant, optional |
 */
const denseOp: Op<null> = {
  name: 'dense',
  shape(_attributes, [x, weight, bias], reject) {
    const inputs = x!.shape.at(-1) ?? reject('a single number has no last axis; reshape it to (1)');
    const [outputs, columns] = weight!.shape;
    if (weight!.shape.length !== 2 || columns !== inputs) {
      reject(
        `weight ${formatShape(weight!.shape)} does not take ${inputs} inputs; it must be (outputs × ${inputs})`,
      );
    }
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== outputs)) {
      reject(`bias ${formatShape(bias.shape)} must be (${outputs})`);
    }
    if (!isConstant(weight!) || (bias && !isConstant(bias))) reject('weight and bias must be constants');
    return [...x!.shape.slice(0, -1), outputs!];
  },
  step({ types, inputs, output }) {
    const { data: x, at } = inputs[0]!;
    const { data: weight, at: weightAt } = inputs[1]!;
    const bias = inputs[2];
    const y = output.data;
    const [rows, columns] = types[1]!.shape as [number, number];
    const vectors = sizeOf(types[0]!.shape) / columns;
    for (let v = 0; v < vectors; v++) {
      const from = at + v * columns;
      const to = output.at + v * rows;
      for (let o = 0; o < rows; o++) y[to + o] = bias ? bias.data[bias.at + o]! : 0;
      // Four rows side by side: four sums that do not wait for each other, each in the order of its columns.
      for (let o = 0; o < rows; o += 4) {
        const w0 = weightAt + o * columns;
        const w1 = o + 1 < rows ? w0 + columns : w0;
        const w2 = o + 2 < rows ? w1 + columns : w0;
        const w3 = o + 3 < rows ? w2 + columns : w0;
        let [s0, s1, s2, s3] = [0, 0, 0, 0];
        for (let i = 0; i < columns; i++) {
          const value = x[from + i]!;
          s0 += weight[w0 + i]! * value;
          s1 += weight[w1 + i]! * value;
          s2 += weight[w2 + i]! * value;
          s3 += weight[w3 + i]! * value;
        }
        y[to + o]! += s0;
        if (o + 1 < rows) y[to + o + 1]! += s1;
        if (o + 2 < rows) y[to + o + 2]! += s2;
        if (o + 3 < rows) y[to + o + 3]! += s3;
      }
    }
  },
  adjoint({ types, inputs, dOutput, dInputs, firings }) {
    const [x, weight] = inputs;
    const [dx, dWeight, dBias] = dInputs;
    const [rows, columns] = types[1]!.shape as [number, number];
    const vectors = (firings * sizeOf(types[0]!.shape)) / columns;
    for (let v = 0; v < vectors; v++) {
      for (let o = 0; o < rows; o++) {
        const dy = dOutput.data[dOutput.origin + v * rows + o]!;
        if (dBias) dBias.data[dBias.origin + o]! += dy;
        for (let i = 0; i < columns; i++) {
          const w = o * columns + i;
          const at = v * columns + i;
          if (dx) dx.data[dx.origin + at]! += dy * weight!.data[weight!.origin + w]!;
          if (dWeight) dWeight.data[dWeight.origin + w]! += dy * x!.data[x!.origin + at]!;
        }
      }
    }
  },
};

/** W x + b on the last axis of `x`; `weight` (outputs × inputs) and `bias` (outputs) are constants. */
export const dense = (x: Signal, weight: Signal, bias?: Signal): Signal =>
  x.trace.apply(denseOp, null, bias ? [x, weight, bias] : [x, weight]);
