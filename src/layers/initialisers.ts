import { torchDefault, type Random } from '../init/index.ts';
import { sizeOf, type Shape } from '../signal/index.ts';

/** Fresh values as torch's `Linear` and convolutions have them: uniform within ±1/√fanIn. */
export const torchUniform =
  (fanIn: number) =>
  (shape: Shape, random: Random): Float64Array =>
    torchDefault(new Float64Array(sizeOf(shape)), random, fanIn);

/** One number everywhere. */
export const filled =
  (value: number) =>
  (shape: Shape): Float64Array =>
    new Float64Array(sizeOf(shape)).fill(value);

export const ones = filled(1);

export const zeros = filled(0);
