import { StreamError } from '../errors.ts';
import type { Signal } from '../signal/index.ts';
import { defineOp, formatShape, isConstant, sizeOf } from '../signal/index.ts';

/** y = weight[token]: a row of a table (tokens × features) for each whole number in the frame. */
const embeddingOp = defineOp<null>({
  name: 'embedding',
  shape(_attributes, [tokens, weight], reject) {
    if (weight!.shape.length !== 2 || !isConstant(weight!)) {
      reject(`weight ${formatShape(weight!.shape)} must be a constant (tokens × features)`);
    }
    const count = sizeOf(tokens!.shape);
    return count === 1 ? [weight!.shape[1]!] : [...tokens!.shape, weight!.shape[1]!];
  },
  step({ types, inputs, output }) {
    const [tokens, weight] = inputs;
    const [rows, features] = types[1]!.shape as [number, number];
    const count = sizeOf(types[0]!.shape);
    for (let t = 0; t < count; t++) {
      const token = tokens!.data[tokens!.at + t]!;
      if (!(Number.isInteger(token) && token >= 0 && token < rows)) {
        throw new StreamError(
          `token ${token} is not in the table of ${rows}; give whole numbers from 0 to ${rows - 1}`,
        );
      }
      for (let i = 0; i < features; i++) {
        output.data[output.at + t * features + i] = weight!.data[weight!.at + token * features + i]!;
      }
    }
  },
  adjoint({ types, inputs, dOutput, dInputs, firings }) {
    const dWeight = dInputs[1];
    if (!dWeight) return;
    const tokens = inputs[0]!;
    const features = types[1]!.shape[1]!;
    for (let t = 0; t < firings * tokens.width; t++) {
      const row = dWeight.origin + tokens.data[tokens.origin + t]! * features;
      for (let i = 0; i < features; i++)
        dWeight.data[row + i]! += dOutput.data[dOutput.origin + t * features + i]!;
    }
  },
});

/** Rows of a constant table (tokens × features) by number; a token is no continuous value and has no gradient. */
export const embedding = (tokens: Signal, weight: Signal): Signal =>
  tokens.trace.apply(embeddingOp, null, [tokens, weight]);
