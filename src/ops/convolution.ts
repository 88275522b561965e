import type { AdjointCall, FloatArray, Signal } from '../signal/index.ts';
import { defineOp, formatShape, isConstant } from '../signal/index.ts';
import { multiplyRows } from './multiply.ts';

/**
 * Convolution over time, as torch `Conv1d` (a cross-correlation):
 *
 *     y[j][o] = bias[o] + Σₖ Σᵢ weight[o][i][k] · x[j·stride − left + k·dilation][group(o)·I + i]
 *
 * | symbol | shape |
 * | --- | --- |
 * | x | (groups · I) channels a frame |
 * | weight | (O × I × K), constant |
 * | bias | (O), constant, optional |
 */
interface ConvolutionAttributes {
  readonly stride: number;
  readonly dilation: number;
  readonly groups: number;
  readonly left: number;
  readonly right: number;
}

interface Prepared {
  /** The weight as (K × O × I), so that a tap is a matrix. */
  readonly byTap: FloatArray;
  readonly sum: Float64Array;
  readonly outputsPerGroup: number;
}

const convolutionOp = defineOp<ConvolutionAttributes, Prepared>({
  name: 'convolution',
  shape({ stride, dilation, groups, left, right }, [x, weight, bias], reject) {
    for (const [name, value, least] of [
      ['stride', stride, 1],
      ['dilation', dilation, 1],
      ['groups', groups, 1],
      ['left', left, 0],
      ['right', right, 0],
    ] as const) {
      if (!(Number.isSafeInteger(value) && value >= least))
        reject(`${name} is ${value}; give a whole number of at least ${least}`);
    }
    const [channels] = x!.shape;
    const [outputs, inputs, taps] = weight!.shape;
    if (x!.shape.length !== 1)
      reject(`a frame of ${formatShape(x!.shape)} is no row of channels; reshape it`);
    if (weight!.shape.length !== 3 || inputs! * groups !== channels || outputs! % groups !== 0 || taps! < 1) {
      reject(
        `weight ${formatShape(weight!.shape)} does not fit ${channels} channels in ${groups} groups; it must be (outputs × ${channels! / groups} × taps), outputs a multiple of ${groups}`,
      );
    }
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== outputs))
      reject(`bias ${formatShape(bias.shape)} must be (${outputs})`);
    if (!isConstant(weight!) || (bias && !isConstant(bias))) reject('weight and bias must be constants');
    return [outputs!];
  },
  timing: ({ stride, dilation, left, right }, [, weight]) => {
    const window = { size: (weight!.shape[2]! - 1) * dilation + 1, left, right };
    return { windows: [window, window, window], stride, emit: 1 };
  },
  prepare({ attributes: { groups }, constants, types, precision }) {
    const [outputs, perGroup, taps] = types[1]!.shape as [number, number, number];
    const weight = constants[1]!;
    const byTap = new (precision === 'float64' ? Float64Array : Float32Array)(weight.length);
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < perGroup; i++) {
        for (let k = 0; k < taps; k++)
          byTap[(k * outputs + o) * perGroup + i] = weight[(o * perGroup + i) * taps + k]!;
      }
    }
    return { byTap, sum: new Float64Array(outputs), outputsPerGroup: outputs / groups };
  },
  step({ attributes: { dilation, groups }, types, inputs, output, prepared }) {
    const { byTap, sum, outputsPerGroup } = prepared;
    const x = inputs[0]!;
    const bias = inputs[2];
    const channels = types[0]!.shape[0]!;
    const [outputs, perGroup, taps] = types[1]!.shape as [number, number, number];
    for (let o = 0; o < outputs; o++) sum[o] = bias ? bias.data[bias.at + o]! : 0;
    for (let k = 0; k < taps; k++) {
      const at = x.at + k * dilation * channels;
      for (let g = 0; g < groups; g++) {
        const first = g * outputsPerGroup;
        const weightAt = (k * outputs + first) * perGroup;
        multiplyRows(byTap, weightAt, outputsPerGroup, perGroup, x.data, at + g * perGroup, sum, first);
      }
    }
    for (let o = 0; o < outputs; o++) output.data[output.at + o] = sum[o]!;
  },
  adjoint({ attributes, types, inputs, dOutput, dInputs, firings }: AdjointCall<ConvolutionAttributes>) {
    const { dilation, groups, stride, left } = attributes;
    const [x, weight] = inputs;
    const [dx, dWeight, dBias] = dInputs;
    const channels = types[0]!.shape[0]!;
    const [outputs, perGroup, taps] = types[1]!.shape as [number, number, number];
    for (let j = 0; j < firings; j++) {
      for (let o = 0; o < outputs; o++) {
        const dy = dOutput.data[dOutput.origin + j * outputs + o]!;
        if (dBias) dBias.data[dBias.origin + o]! += dy;
        const group = Math.floor(o / (outputs / groups));
        for (let k = 0; k < taps; k++) {
          const at = (j * stride - left + k * dilation) * channels + group * perGroup;
          for (let i = 0; i < perGroup; i++) {
            const w = (o * perGroup + i) * taps + k;
            if (dx) dx.data[dx.origin + at + i]! += dy * weight!.data[weight!.origin + w]!;
            if (dWeight) dWeight.data[dWeight.origin + w]! += dy * x!.data[x!.origin + at + i]!;
          }
        }
      }
    }
  },
});

export interface ConvolutionOptions {
  readonly bias?: Signal | undefined;
  readonly stride?: number;
  readonly dilation?: number;
  readonly groups?: number;
  /**
   * Zero frames before the first and behind the last: `causal` (all before; default), `same` (half and half, a
   * look-ahead), `valid` (none), or as many as said.
   */
  readonly padding?: 'causal' | 'same' | 'valid' | { readonly left: number; readonly right: number };
}

/**
 * Convolution over time with a constant weight (outputs × inputs a group × taps), as torch `Conv1d`.
 *
 * @throws GraphError where a shape does not fit.
 * @example
 * const y = convolution(x, trace.parameter('conv1d.weight', [64, 1, 4]), { groups: 64 });
 */
export function convolution(x: Signal, weight: Signal, options: ConvolutionOptions = {}): Signal {
  const { bias, stride = 1, dilation = 1, groups = 1, padding = 'causal' } = options;
  const reach = ((weight.shape[2] ?? 1) - 1) * dilation;
  const [left, right] =
    padding === 'causal'
      ? [reach, 0]
      : padding === 'same'
        ? [Math.floor(reach / 2), reach - Math.floor(reach / 2)]
        : padding === 'valid'
          ? [0, 0]
          : [padding.left, padding.right];
  return x.trace.apply(
    convolutionOp,
    { stride, dilation, groups, left, right },
    bias ? [x, weight, bias] : [x, weight],
  );
}
