import type { Signal } from '../signal/index.ts';
import { defineOp, formatShape, sizeOf } from '../signal/index.ts';

/**
 * Brings the numbers of a frame to mean 0 and variance 1, group by group of neighbours:
 * y = (x − mean) / √(variance + eps), or y = x / √(mean square + eps) without centring.
 */
interface NormaliseAttributes {
  readonly groups: number;
  readonly centre: boolean;
  readonly eps: number;
}

const normaliseOp = defineOp<NormaliseAttributes>({
  name: 'normalise',
  shape({ groups, eps }, [x], reject) {
    if (!(Number.isSafeInteger(groups) && groups >= 1) || sizeOf(x!.shape) % groups !== 0) {
      reject(`${formatShape(x!.shape)} does not divide into ${groups} groups`);
    }
    if (!(eps >= 0)) reject(`eps is ${eps}; give 0 or more, such as 1e-5`);
    return x!.shape;
  },
  step({ attributes: { groups, centre, eps }, types, inputs, output }) {
    const x = inputs[0]!;
    const size = sizeOf(types[0]!.shape) / groups;
    for (let g = 0; g < groups; g++) {
      const from = x.at + g * size;
      const [mean, scale] = moments(x.data, from, size, centre, eps);
      for (let i = 0; i < size; i++)
        output.data[output.at + g * size + i] = (x.data[from + i]! - mean) * scale;
    }
  },
  adjoint({ attributes: { groups, centre, eps }, inputs, output, dOutput, dInputs, firings }) {
    const x = inputs[0]!;
    const dx = dInputs[0];
    if (!dx) return;
    const size = x.width / groups;
    for (let row = 0; row < firings * groups; row++) {
      const at = row * size;
      const [, scale] = moments(x.data, x.origin + at, size, centre, eps);
      let [sum, dot] = [0, 0];
      for (let i = 0; i < size; i++) {
        const dy = dOutput.data[dOutput.origin + at + i]!;
        sum += dy;
        dot += dy * output.data[output.origin + at + i]!;
      }
      for (let i = 0; i < size; i++) {
        const dy = dOutput.data[dOutput.origin + at + i]!;
        const y = output.data[output.origin + at + i]!;
        dx.data[dx.origin + at + i]! += scale * (dy - (centre ? sum / size : 0) - (y * dot) / size);
      }
    }
  },
});

/** What is subtracted, and what is multiplied by. */
function moments(
  data: ArrayLike<number>,
  from: number,
  size: number,
  centre: boolean,
  eps: number,
): readonly [mean: number, scale: number] {
  let mean = 0;
  if (centre) {
    for (let i = 0; i < size; i++) mean += data[from + i]!;
    mean /= size;
  }
  let square = 0;
  for (let i = 0; i < size; i++) square += (data[from + i]! - mean) ** 2;
  return [mean, 1 / Math.sqrt(square / size + eps)];
}

export interface NormaliseOptions {
  /** Groups of neighbouring numbers, each by itself; 1 by default. */
  readonly groups?: number;
  /** Subtract the mean (LayerNorm, GroupNorm; default), or not (RMSNorm). */
  readonly centre?: boolean;
  readonly eps?: number;
}

/**
 * A frame brought to variance 1: LayerNorm (`{}`), RMSNorm (`{ centre: false }`), GroupNorm (`{ groups }`), each
 * before its weight and bias. Biased variance, as in torch.
 */
export function normalise(
  x: Signal,
  { groups = 1, centre = true, eps = 1e-5 }: NormaliseOptions = {},
): Signal {
  return x.trace.apply(normaliseOp, { groups, centre, eps }, [x]);
}
