import { isConstant, sizeOf } from '../../signal/index.ts';
import type { KernelPlan, KernelRequest } from '../backend.ts';
import { planDepthwise, planProduct } from './linear.ts';

/** The ops that are a product with a constant matrix, in the kernels' form. Undefined where the input is none. */

const biasOf = (values: Float64Array | undefined): ((row: number) => number) | undefined =>
  values && ((row) => values[row]!);

/** Sums that the depthwise kernel would round too often. */
const MANY_TAPS = 64;

export function planDense({ types, constants }: KernelRequest): KernelPlan | undefined {
  const [rows, columns] = types[1]!.shape as [number, number];
  const [, weight, bias] = constants;
  if (isConstant(types[0]!) || weight === undefined) return undefined;
  return planProduct({
    vectors: sizeOf(types[0]!.shape) / columns,
    groups: 1,
    rows,
    segments: [{ offset: 0, columns }],
    groupStep: 0,
    inputStep: columns,
    weight: (_group, row, column) => weight[row * columns + column]!,
    bias: biasOf(bias),
  });
}

export function planConvolution({ attributes, types, constants }: KernelRequest): KernelPlan | undefined {
  const { stride, dilation, groups } = attributes as { stride: number; dilation: number; groups: number };
  const [outputs, inputs, taps] = types[1]!.shape as [number, number, number];
  const [, weight, bias] = constants;
  if (isConstant(types[0]!) || weight === undefined) return undefined;
  const channels = inputs * groups;
  const tapStep = dilation * channels;
  const inputStep = stride * channels;
  if (groups > 1 && inputs === 1 && outputs === groups && taps <= MANY_TAPS) {
    return planDepthwise({
      channels,
      taps,
      tapStep,
      inputStep,
      weight: (channel, tap) => weight[channel * taps + tap]!,
      bias: biasOf(bias),
    });
  }
  const rows = outputs / groups;
  return planProduct({
    groups,
    rows,
    // Taps that stand side by side are one stretch.
    segments:
      tapStep === inputs
        ? [{ offset: 0, columns: taps * inputs }]
        : Array.from({ length: taps }, (_, k) => ({ offset: k * tapStep, columns: inputs })),
    groupStep: inputs,
    inputStep,
    weight(group, row, column) {
      const i = column % inputs;
      return weight[((group * rows + row) * inputs + i) * taps + (column - i) / inputs]!;
    },
    bias: biasOf(bias),
  });
}

/** The `stride` frames of a firing are one row after the other; each sees the frames of its window, oldest first. */
export function planTransposed({ attributes, types, constants }: KernelRequest): KernelPlan | undefined {
  const { stride, groups } = attributes as { stride: number; groups: number };
  const [channels, outputs, taps] = types[1]!.shape as [number, number, number];
  const [, weight, bias] = constants;
  // With groups the rows of a frame do not follow each other; taps that fill no frame would weigh the rest with 0.
  if (isConstant(types[0]!) || weight === undefined || groups > 1 || taps % stride !== 0) return undefined;
  const past = taps / stride - 1;
  return planProduct({
    groups: 1,
    rows: stride * outputs,
    segments: [{ offset: 0, columns: (past + 1) * channels }],
    groupStep: 0,
    inputStep: channels,
    weight(_group, row, column) {
      const [i, o] = [column % channels, row % outputs];
      const tap = (row - o) / outputs + (past - (column - i) / channels) * stride;
      return weight[(i * outputs + o) * taps + tap]!;
    },
    bias: bias && ((row) => bias[row % outputs]!),
  });
}
