import type { FloatArray, Signal } from '../signal/index.ts';
import { defineOp, formatShape, isConstant } from '../signal/index.ts';
import { multiplyRows } from './multiply.ts';
import { skip } from './skip.ts';

/**
 * Transposed convolution: every input frame adds `taps` frames, `stride` apart.
 *
 *     y[t·stride + k][o] += Σᵢ weight[i][o][k] · x[t][i]
 *
 * Output frames stride·j … stride·j + stride − 1 are complete with input frame j, from it and those before.
 */
interface TransposedAttributes {
  readonly stride: number;
  readonly groups: number;
  /** Frames cut at the end beyond what whole firings write too many. */
  readonly crop: number;
}

interface Prepared {
  /** The weight as (K × groups × outputs a group × inputs a group), so that a tap is a matrix a group. */
  readonly byTap: FloatArray;
  readonly sum: Float64Array;
}

const transposedOp = defineOp<TransposedAttributes, Prepared>({
  name: 'transposed-convolution',
  shape({ stride, groups, crop }, [x, weight, bias], reject) {
    if (!(Number.isSafeInteger(stride) && stride >= 1))
      reject(`stride is ${stride}; give a whole number of at least 1`);
    const [inputs, outputs, taps] = weight!.shape;
    if (x!.shape.length !== 1)
      reject(`a frame of ${formatShape(x!.shape)} is no row of channels; reshape it`);
    if (weight!.shape.length !== 3 || inputs !== x!.shape[0] || inputs! % groups !== 0 || taps! < 1) {
      reject(
        `weight ${formatShape(weight!.shape)} does not take ${x!.shape[0]} channels in ${groups} groups; it must be (${x!.shape[0]} × outputs a group × taps)`,
      );
    }
    if (bias && (bias.shape.length !== 1 || bias.shape[0] !== outputs! * groups))
      reject(`bias ${formatShape(bias.shape)} must be (${outputs! * groups})`);
    if (!isConstant(weight!) || (bias && !isConstant(bias))) reject('weight and bias must be constants');
    if (taps! - stride < crop) {
      reject(
        `${taps} taps, a stride of ${stride} and ${crop} frames cut at the end leave gaps; use at least ${stride + crop} taps`,
      );
    }
    return [outputs! * groups];
  },
  timing({ stride, crop }, [, weight]) {
    const taps = weight!.shape[2]!;
    const past = Math.ceil(taps / stride) - 1;
    const window = { size: past + 1, left: past, right: past };
    // Whole firings fill more than the last tap reaches.
    return {
      windows: [window, window, window],
      stride: 1,
      emit: stride,
      surplus: (past + 1) * stride - taps + crop,
    };
  },
  prepare({ attributes: { groups }, constants, types, precision }) {
    const [channels, perGroup, taps] = types[1]!.shape as [number, number, number];
    const inputsPerGroup = channels / groups;
    const weight = constants[1]!;
    const byTap = new (precision === 'float64' ? Float64Array : Float32Array)(weight.length);
    for (let c = 0; c < channels; c++) {
      const [group, i] = [Math.floor(c / inputsPerGroup), c % inputsPerGroup];
      for (let o = 0; o < perGroup; o++) {
        for (let k = 0; k < taps; k++) {
          byTap[((k * groups + group) * perGroup + o) * inputsPerGroup + i] =
            weight[(c * perGroup + o) * taps + k]!;
        }
      }
    }
    return { byTap, sum: new Float64Array(perGroup * groups) };
  },
  step({ attributes: { stride, groups }, types, inputs, output, prepared: { byTap, sum } }) {
    const x = inputs[0]!;
    const bias = inputs[2];
    const [channels, perGroup, taps] = types[1]!.shape as [number, number, number];
    const past = Math.ceil(taps / stride) - 1;
    const inputsPerGroup = channels / groups;
    for (let r = 0; r < stride; r++) {
      for (let o = 0; o < sum.length; o++) sum[o] = bias ? bias.data[bias.at + o]! : 0;
      for (let m = past; m >= 0; m--) {
        const k = r + m * stride;
        if (k >= taps) continue;
        const at = x.at + (past - m) * channels;
        for (let g = 0; g < groups; g++) {
          const weightAt = (k * groups + g) * perGroup * inputsPerGroup;
          multiplyRows(
            byTap,
            weightAt,
            perGroup,
            inputsPerGroup,
            x.data,
            at + g * inputsPerGroup,
            sum,
            g * perGroup,
          );
        }
      }
      for (let o = 0; o < sum.length; o++) output.data[output.at + r * sum.length + o] = sum[o]!;
    }
  },
  adjoint({ attributes: { stride, groups }, types, inputs, dOutput, dInputs, firings }) {
    const [x, weight] = inputs;
    const [dx, dWeight, dBias] = dInputs;
    const [channels, perGroup, taps] = types[1]!.shape as [number, number, number];
    const past = Math.ceil(taps / stride) - 1;
    const inputsPerGroup = channels / groups;
    const outputs = perGroup * groups;
    for (let f = 0; f < firings * stride; f++) {
      const [j, r] = [Math.floor(f / stride), f % stride];
      for (let o = 0; o < outputs; o++) {
        const dy = dOutput.data[dOutput.origin + f * outputs + o]!;
        if (dBias) dBias.data[dBias.origin + o]! += dy;
        const group = Math.floor(o / perGroup);
        for (let m = 0; m <= past && r + m * stride < taps; m++) {
          const at = (j - m) * channels + group * inputsPerGroup;
          for (let i = 0; i < inputsPerGroup; i++) {
            const w =
              ((group * inputsPerGroup + i) * perGroup + (o - group * perGroup)) * taps + r + m * stride;
            if (dx) dx.data[dx.origin + at + i]! += dy * weight!.data[weight!.origin + w]!;
            if (dWeight) dWeight.data[dWeight.origin + w]! += dy * x!.data[x!.origin + at + i]!;
          }
        }
      }
    }
  },
});

export interface TransposedConvolutionOptions {
  readonly bias?: Signal | undefined;
  readonly stride?: number;
  readonly groups?: number;
  /** Frames cut from both ends of the output, as torch's `padding`; the cut at the start is a look-ahead. */
  readonly padding?: number;
  /** Frames more at the end than `padding` would leave, as torch's `output_padding`; less than `padding`. */
  readonly outputPadding?: number;
}

/**
 * Transposed convolution with a constant weight (inputs × outputs a group × taps), as torch `ConvTranspose1d`:
 * n frames become (n − 1)·stride + taps − 2·padding + outputPadding.
 *
 * @throws GraphError where a shape does not fit.
 */
export function transposedConvolution(
  x: Signal,
  weight: Signal,
  options: TransposedConvolutionOptions = {},
): Signal {
  const { bias, stride = 1, groups = 1, padding = 0, outputPadding = 0 } = options;
  const crop = padding - outputPadding;
  const inputs = bias ? [x, weight, bias] : [x, weight];
  return skip(x.trace.apply(transposedOp, { stride, groups, crop }, inputs), padding);
}
