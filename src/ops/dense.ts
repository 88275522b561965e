import type { Signal } from '../signal/index.ts';
import { defineOp, formatShape, isConstant, sizeOf } from '../signal/index.ts';
import { multiplyRows } from './multiply.ts';

/**
 * y = W x + b on the last axis.
 *
 * | symbol | name | shape |
 * | --- | --- | --- |
 * | x | input | (… × I) |
 * | W | weight | (O × I), constant |
 * | b | bias | (O), constant, optional |
 */
const denseOp = defineOp<null>({
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
    const x = inputs[0]!;
    const weight = inputs[1]!;
    const bias = inputs[2];
    const [rows, columns] = types[1]!.shape as [number, number];
    const vectors = sizeOf(types[0]!.shape) / columns;
    for (let v = 0; v < vectors; v++) {
      const to = output.at + v * rows;
      for (let o = 0; o < rows; o++) output.data[to + o] = bias ? bias.data[bias.at + o]! : 0;
      multiplyRows(weight.data, weight.at, rows, columns, x.data, x.at + v * columns, output.data, to);
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
});

/** W x + b on the last axis of `x`; `weight` (outputs × inputs) and `bias` (outputs) are constants. */
export const dense = (x: Signal, weight: Signal, bias?: Signal): Signal =>
  x.trace.apply(denseOp, null, bias ? [x, weight, bias] : [x, weight]);
